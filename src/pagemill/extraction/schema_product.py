"""What shops publish for search engines, as standard facts. Being written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class StructuredData:
    """What a document publishes."""

    @classmethod
    def of(cls, answer: object) -> Self:
        """Takes nothing on trust."""
        return cls()


@dataclass(frozen=True, slots=True)
class StructuredFacts:
    """What of it is said of the page's own product."""

    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    products: int = 0
    chosen: str = ""
    cut: bool = False


def standard_facts(found: StructuredData, address: str) -> StructuredFacts:
    """The facts of the page's own product."""
    return StructuredFacts()
