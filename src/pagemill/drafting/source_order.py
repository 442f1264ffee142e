"""Makes a file's sources from the choice of each field: a list in which every field's rules are in order. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagemill.drafting.page_view import DocumentKey


@dataclass(slots=True)
class DraftedSource:
    """One source of the file with its fields' rules, each field's in order."""

    key: DocumentKey
    why: str
    fields: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)


Placed = tuple[DocumentKey, Mapping[str, Any], str]
"""A rule, its source, and the reason for that source."""


def sources_of(fields: Mapping[str, Sequence[Placed]]) -> list[DraftedSource]:
    """A list of sources, as short as can be found, in which each field's rules have the given order.

    A source is in it twice if two fields need it at different positions.
    """
    sources: list[DraftedSource] = []
    for name, rules in fields.items():
        at = 0
        for key, rule, why in rules:
            place = next((n for n in range(at, len(sources)) if sources[n].key == key), None)
            if place is None:
                sources.append(DraftedSource(key, why))
                place = len(sources) - 1
            sources[place].fields.setdefault(name, []).append(rule)
            at = place
    return sources
