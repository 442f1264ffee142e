"""Whether something that a visit met is a sign of a verdict. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from pagemill.config.reading.judge import VerdictSigns
from pagemill.config.reading.user_regex import search_regex
from pagemill.extraction.page_spec import words_pattern


def url_sign(urls: Iterable[str], asked: str, final: str) -> str | None:
    """The first of `urls` that fits the final address but not the visited one; `None` without one.

    Raises:
        PatternTooSlow: a regular expression took longer than it may.
    """
    return next((url for url in urls if _has(final, url) and not _has(asked, url)), None)


def is_url_sign(urls: Iterable[str], asked: str, final: str) -> bool:
    """Whether there is a `url_sign`."""
    return url_sign(urls, asked, final) is not None


def dialog_sign(signs: VerdictSigns, dialogs: Iterable[str]) -> str | None:
    """The first of the signs' texts that a dialog has said; `None` without one."""
    said = tuple(dialogs)
    return next((text for text in signs.dialog if _is_said(text, said)), None)


def is_dialog_sign(signs: VerdictSigns, dialogs: Iterable[str]) -> bool:
    """Whether there is a `dialog_sign`."""
    return dialog_sign(signs, dialogs) is not None


def _is_said(text: str, dialogs: Iterable[str]) -> bool:
    return any(re.search(words_pattern(text), said, re.IGNORECASE) for said in dialogs)


def _has(address: str, url: str) -> bool:
    if url.startswith("re:"):
        return search_regex(url.removeprefix("re:"), address) is not None
    return url.casefold() in address.casefold() or url.casefold() in unquote(address).casefold()
