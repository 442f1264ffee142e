"""What a document publishes for search engines, as the page's script has brought it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_MAX_CHARS = 2_000_000
_MAX_ITEMS = 2_000
_MAX_METAS = 200
_MAX_HEADINGS = 10
_MAX_TEXT = 2_001
"""One character more than allowed, so that a text that is too long can be told from one that fits."""


@dataclass(frozen=True, slots=True)
class StructuredData:
    """Raw data: the texts of JSON-LD scripts, and microdata and RDFa items in the form of JSON-LD."""

    scripts: tuple[str, ...] = ()
    items: tuple[object, ...] = ()
    rdfa: tuple[object, ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    """Pairs of a name in small letters and a content."""
    canonical: str = ""
    headings: tuple[str, ...] = ()
    base: str = ""
    """The base of relative addresses; empty if the document does not say."""
    cut: bool = False
    """Whether the document has more than was read."""

    @classmethod
    def of(cls, answer: object) -> Self:
        """Made from the answer of `readStructured`. That ran next to the page's own code, so nothing is trusted.

        Values of another shape are left out, and every bound is applied once more.
        """
        if not isinstance(answer, Mapping):
            return cls()
        scripts, whole = _within_bound(_texts(answer.get("scripts"), None))
        return cls(
            scripts=scripts,
            items=tuple(_list(answer.get("items"))[:_MAX_ITEMS]),
            rdfa=tuple(_list(answer.get("rdfa"))[:_MAX_ITEMS]),
            metas=tuple(_metas(answer.get("metas"))),
            canonical=_text(answer.get("canonical")),
            headings=tuple(_texts(answer.get("headings"), _MAX_TEXT)[:_MAX_HEADINGS]),
            base=_text(answer.get("base")),
            cut=answer.get("cut") is True or not whole,
        )


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []


def _text(found: object) -> str:
    return found[:_MAX_TEXT] if isinstance(found, str) else ""


def _texts(found: object, limit: int | None) -> list[str]:
    return [text[:limit] for text in _list(found) if isinstance(text, str)]


def _within_bound(scripts: list[str]) -> tuple[tuple[str, ...], bool]:
    kept, left = [], _MAX_CHARS
    for script in scripts:
        if len(script) <= left:
            kept.append(script)
            left -= len(script)
    return tuple(kept), len(kept) == len(scripts)


def _metas(found: object) -> list[tuple[str, str]]:
    pairs = [pair for pair in _list(found)[:_MAX_METAS] if isinstance(pair, list) and len(pair) == 2]
    return [(name.casefold(), _text(text)) for name, text in pairs if isinstance(name, str) and isinstance(text, str)]
