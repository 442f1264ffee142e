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
"""One more than there may be, by which a text is known that is too long."""


@dataclass(frozen=True, slots=True)
class StructuredData:
    """Raw: the texts of JSON-LD scripts, and microdata and RDFa items as JSON-LD has them."""

    scripts: tuple[str, ...] = ()
    items: tuple[object, ...] = ()
    rdfa: tuple[object, ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    """Names in small letters, and contents."""
    canonical: str = ""
    headings: tuple[str, ...] = ()
    base: str = ""
    """What relative addresses are to be resolved against; empty if the document does not say."""
    cut: bool = False
    """Whether there is more of it than was read."""

    @classmethod
    def of(cls, answer: object) -> Self:
        """From the answer of `readStructured`, which ran next to the page's own code: takes nothing on trust.

        What has another shape is left out, and every bound is kept to once more.
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
