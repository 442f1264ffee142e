"""Decides for how many seconds a product need not be visited again, from its last and its present facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pagemill.config.revisit import Revisit
from pagemill.model import Facts

EVERYTHING = "*"
"""The tag that every product of a platform has."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts from a product's last visit with the verdict `ok`. `at` has a time zone."""

    url: str
    facts: Facts
    at: datetime
    ttl_s: float

    def is_good_at(self, moment: datetime) -> bool:
        """Whether the product need not be visited again yet."""
        return (moment - self.at).total_seconds() < self.ttl_s


def next_ttl_s(rules: Revisit, before: Seen | None, facts: Facts, random: Callable[[], float]) -> float:
    """For how many seconds a visit with these facts is good.

    At first and after a change, that is the shortest time. Each time the page says the same as before, it grows by
    `factor`. Up to a tenth is subtracted at random, so that a catalogue does not come due all at once. `random` returns
    a number in [0, 1).
    """
    ttl_s = rules.min_ttl_s
    if before is not None and before.facts == facts:
        ttl_s = min(rules.max_ttl_s, max(rules.min_ttl_s, before.ttl_s * rules.factor))
    return ttl_s * (1 - 0.1 * random())


def tags_of(rules: Revisit, facts: Facts) -> Iterator[str]:
    """The tags of a product: `*`, and `field=value` for each of the platform's tag fields that has a value."""
    yield EVERYTHING
    for name in rules.tags:
        if facts.get(name) is not None:
            yield f"{name}={facts[name]}"
