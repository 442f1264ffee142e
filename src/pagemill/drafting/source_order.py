"""From the choice of each field to a file's sources: one list in which every field meets its places in order. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagemill.drafting.page_view import DocumentKey


@dataclass(slots=True)
class DraftedSource:
    """One source of the file with the rules of its fields, each field's in order."""

    key: DocumentKey
    why: str
    fields: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)


Placed = tuple[DocumentKey, Mapping[str, Any], str]
"""A rule in its source, and why that source."""


def sources_of(fields: Mapping[str, Sequence[Placed]]) -> list[DraftedSource]:
    """The shortest list found in which each field's rules come in the order given.

    A source stands in it twice where two fields want it in different places.
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
