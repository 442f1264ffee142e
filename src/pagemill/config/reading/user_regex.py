"""Regular expressions that a user has written, searched for within a deadline.

Python's own `re` cannot be stopped, and holds the interpreter's lock all the while: one expression that meets a text
which it needs years for stands the whole process still, watchdog included. The library `regex` reads the same language
(look-ahead included, which linear-time libraries lack and shops need), can be stopped, and lets other threads run.
"""

from __future__ import annotations

import functools
import re

import regex

from pagemill.errors import PatternTooSlow

DEADLINE_S = 0.5
"""Of one search. The event loop waits for it, so it is short; an ordinary search takes microseconds."""
_COMPILED = 1_024
_BRACES = re.compile(r"\\N\{[^}]*\}|\\.|\{(?!\d*,?\d*\})", re.DOTALL)
"""An escape, which stays as it is, or a brace that begins no count."""

CompileError: type[Exception] = regex.error

Match = regex.Match[str]


@functools.lru_cache(maxsize=_COMPILED)
def compiled(expression: str, *, dot_all: bool = False) -> regex.Pattern[str]:
    """The expression, ready for use; the latest 1,024 are kept.

    Raises:
        CompileError: it is no regular expression.
    """
    # To `regex`, `{e}` behind something means "with errors"; to `re` such braces are braces.
    same = _BRACES.sub(lambda found: rf"\{found[0]}" if found[0] == "{" else found[0], expression)
    return regex.compile(same, regex.VERSION0 | regex.DOTALL if dot_all else regex.VERSION0)


def search_regex(expression: str, text: str, *, dot_all: bool = False) -> Match | None:
    """The first place in the text that fits.

    Raises:
        PatternTooSlow: it took longer than it may.
    """
    try:
        return compiled(expression, dot_all=dot_all).search(text, timeout=DEADLINE_S, concurrent=True)
    except TimeoutError as error:
        raise PatternTooSlow(expression, DEADLINE_S) from error
