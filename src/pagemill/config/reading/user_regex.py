"""Searches with a user's regular expression, within a deadline.

Python's own `re` cannot be stopped, and holds the interpreter's lock while it searches. One bad expression could stop
the whole process for years, watchdog included. The library `regex` reads the same language, can be stopped, and lets
other threads run. (Linear-time libraries lack look-ahead, which shops need.)
"""

from __future__ import annotations

import functools
import re

import regex

from pagemill.errors import PatternTooSlow

DEADLINE_S = 0.5
"""Seconds for one search. It is short because the event loop waits for it; an ordinary search takes microseconds."""
_COMPILED = 1_024
_BRACES = re.compile(r"\\N\{[^}]*\}|\\.|\{(?!\d*,?\d*\})", re.DOTALL)
"""An escape, which stays as it is, or a brace that does not begin a count."""

CompileError: type[Exception] = regex.error

Match = regex.Match[str]


@functools.lru_cache(maxsize=_COMPILED)
def compiled(expression: str, *, dot_all: bool = False) -> regex.Pattern[str]:
    """The compiled expression; the latest 1,024 are kept.

    Raises:
        CompileError: it is no regular expression.
    """
    # In `regex`, `{e}` means "with errors"; in `re` such braces are ordinary characters.
    same = _BRACES.sub(lambda found: rf"\{found[0]}" if found[0] == "{" else found[0], expression)
    return regex.compile(same, regex.VERSION0 | regex.DOTALL if dot_all else regex.VERSION0)


def search_regex(expression: str, text: str, *, dot_all: bool = False) -> Match | None:
    """The first match in the text.

    Raises:
        PatternTooSlow: the search took longer than `DEADLINE_S`.
    """
    try:
        return compiled(expression, dot_all=dot_all).search(text, timeout=DEADLINE_S, concurrent=True)
    except TimeoutError as error:
        raise PatternTooSlow(expression, DEADLINE_S) from error
