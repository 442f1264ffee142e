"""A draft as it travels to another process: the parts of its file and the result of trying it, without its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from pagemill.drafting.evidence import PageRole
from pagemill.drafting.file_text import FileParts
from pagemill.model import FactValue, Verdict


@dataclass(frozen=True, slots=True)
class ToldPage:
    """One page, and what the drafted file reads of it."""

    url: str
    role: PageRole
    verdict: Verdict
    right: Verdict
    """The right verdict for the page."""
    reason: str
    facts: Mapping[str, FactValue]
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToldDraft:
    """A whole draft. `lacking` says what is not good enough for use as it is."""

    parts: FileParts
    pages: tuple[ToldPage, ...]
    lacking: tuple[str, ...]


_JSON = TypeAdapter(ToldDraft)


def to_json(told: ToldDraft) -> str:
    """The draft as one line of JSON."""
    return _JSON.dump_json(told).decode()


def from_json(text: str) -> ToldDraft:
    """The draft that `to_json` has written.

    Raises:
        ValueError: the text is something else.
    """
    return _JSON.validate_json(text)
