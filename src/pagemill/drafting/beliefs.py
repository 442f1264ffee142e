"""A belief about a field of a page, the votes that support it, and the check whether a fact agrees with it. Pure.

`page_beliefs` forms them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagemill.extraction.values import collapse
from pagemill.model import FactValue

ADDRESS = re.compile(r"(?:https?:)?//|/[\w-]+/")


@dataclass(frozen=True, slots=True)
class Belief:
    """The likely value of one field of one page. `support` is the weight of the places that agree; `given` says that a
    user stated the value."""

    value: FactValue
    support: float
    given: bool = False


Beliefs = Sequence[Mapping[str, Belief]]
"""For each page, the belief of each field."""


@dataclass(slots=True)
class Votes:
    """Values, each with the weight that supports it."""

    support: Counter[Any] = field(default_factory=Counter)
    first: dict[Any, float] = field(default_factory=dict)

    def add(self, value: Any, weight: float, place: float = 1e9) -> None:
        self.support[value] += weight  # type: ignore[assignment]
        self.first[value] = min(place, self.first.get(value, 1e9))

    def best(self) -> tuple[Any, float] | None:
        if not self.support:
            return None
        value = max(self.support, key=lambda one: (self.support[one], -self.first[one]))
        return value, self.support[value]


def agrees(value: FactValue, belief: FactValue) -> bool:
    """Whether a fact is what is believed: texts are compared without case, addresses without query, numbers by
    value."""
    if isinstance(value, str) and isinstance(belief, str) and ADDRESS.match(belief):
        value, belief = value.partition("?")[0], belief.partition("?")[0]
    if isinstance(value, str) and isinstance(belief, str):
        return collapse(value).casefold() == collapse(belief).casefold()
    if isinstance(value, bool) or isinstance(belief, bool):
        return value is belief
    if isinstance(value, int | float) and isinstance(belief, int | float):
        return abs(value - belief) < 0.005
    return False
