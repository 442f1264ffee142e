"""A draft as it is told to another process: what its file is made of, and what came of trying it. Without its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from pagemill.drafting.evidence import PageRole
from pagemill.drafting.file_text import FileParts
from pagemill.model import FactValue, Verdict


@dataclass(frozen=True, slots=True)
class ToldPage:
    """One page, and what the drafted file has read of it."""

    url: str
    role: PageRole
    verdict: Verdict
    right: Verdict
    """The verdict that it should be."""
    reason: str
    facts: Mapping[str, FactValue]
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToldDraft:
    """All of it. `lacking` is what is not good enough to be used as it is."""

    parts: FileParts
    pages: tuple[ToldPage, ...]
    lacking: tuple[str, ...]


_JSON = TypeAdapter(ToldDraft)


def to_json(told: ToldDraft) -> str:
    """On one line."""
    return _JSON.dump_json(told).decode()


def from_json(text: str) -> ToldDraft:
    """What `to_json` has written.

    Raises:
        ValueError: it is something else.
    """
    return _JSON.validate_json(text)
