"""Which addresses are meant by a pattern such as `extract.match`.

- `*` stands for any characters but `/`, `**` for any characters, `{name}` for what the name stands for; everything
  else, `?` included, stands for itself.
- A pattern that starts with `/` is one of path and query, on any host: `/api/products/*`.
- A pattern that starts with `re:` is a regular expression, and may be found anywhere in the URL.

The whole URL, without its fragment, has to fit a pattern that is not a regular expression. What a name stands for is
never a part of a longer word or number: `{id}*` fits `101?x=1` and not `1012`. Non-Latin letters also fit in
percent-encoded form, as browsers send them. If a search takes too long, the URL does not fit, and that is logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.patterns import Names, check_regex, names_in
from pagemill.config.reading.user_regex import Match, compiled, search_regex
from pagemill.errors import PatternTooSlow
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("config")

_MAX_URL = 8_000
"""Characters. A longer URL fits no pattern."""
_OTHER_SCRIPTS = re.compile(r"[^\x00-\x7f]+")
_SHOWN = 200
_SLOW = 3
"""After so many URLs that took too long, a pattern fits no more URLs, because a page may ask for hundreds."""
_NAME = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_WORD_BEGINS = r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2}))"
_TOKENS = re.compile(r"(\*+|\{[A-Za-z_][A-Za-z0-9_]*\})")


def check_url_pattern(pattern: str) -> str:
    """The pattern itself, if some URL may fit it.

    Raises:
        Mistake: it is no regular expression, or does not begin like a URL.
    """
    if pattern.startswith("re:"):
        check_regex(pattern.removeprefix("re:"))
    elif not re.match(r"[/*{]|https?:|[a-z]+\*", pattern):
        raise Mistake(f"{pattern!r} fits no URL", "begin it with / (any host), with ** or with https://")
    return pattern


class UrlPattern:
    """A compiled pattern. If it has names, `filled` makes the pattern of one product."""

    def __init__(self, pattern: str, names: Names | None = None) -> None:
        """Compiles the pattern. A name without a meaning stands for any characters but `/`.

        Raises:
            CompileError: it starts with `re:` and is no regular expression, which the configuration refuses anyway.
        """
        self.names = names_in(pattern)
        self._pattern = pattern
        if pattern.startswith("re:"):
            texts = {name: _as_number(part.text) for name, part in (names or {}).items()}
            self._expression, self._dot_all = _filled(pattern[3:], texts), False
        else:
            self._expression, self._dot_all = _expression(pattern, names or {}), True
        compiled(self._expression, dot_all=self._dot_all)
        self._slow = 0

    def filled(self, names: Names) -> UrlPattern:
        """The pattern for one product."""
        return UrlPattern(self._pattern, names) if self.names & names.keys() else self

    def fits(self, url: str) -> bool:
        """Whether the pattern fits this URL."""
        url, _, _ = url.partition("#")
        return len(url) <= _MAX_URL and self._search(url) is not None

    def _search(self, url: str) -> Match | None:
        if self._slow == _SLOW:
            return None
        is_plain = self._dot_all or self._pattern.isascii()
        try:
            found = search_regex(self._expression, url, dot_all=self._dot_all)
            return found if found or is_plain else search_regex(self._expression, unquote(url))
        except PatternTooSlow as error:
            self._slow += 1
            log.warning(events.PATTERN_TOO_SLOW, pattern=self._pattern, url=url[:_SHOWN], seconds=error.seconds)
            return None

    def free_parts(self, url: str) -> tuple[str, ...]:
        """The parts of a URL that the pattern leaves open, except the host; nothing for a regular expression."""
        url = url.partition("#")[0]
        found = None if self._pattern.startswith("re:") else self._search(url)
        if found is None:
            return ()
        host = re.match(r"[a-z]+://[^/?]*", url)
        begin = host.end() if host else 0
        parts = (url[max(begin, found.start(at)) : found.end(at)] for at in range(1, len(found.groups()) + 1))
        return tuple(filter(None, parts))

    def loose(self) -> str:
        """A pattern for Chromium (`*` for anything) that fits every address which this pattern fits."""
        if self._pattern.startswith("re:"):
            return "*"
        origin = "*://*" if self._pattern.startswith("/") else ""
        encoded = _OTHER_SCRIPTS.sub("*", _TOKENS.sub("*", self._pattern))
        return re.sub(r"\*+", "*", origin + encoded)


def _filled(expression: str, texts: Mapping[str, str]) -> str:
    return re.sub(r"\{([A-Za-z_]\w*)\}", lambda found: texts.get(found[1], r"[^/?#&]*"), expression)


def _expression(pattern: str, names: Names) -> str:
    origin = r"[a-z]+://[^/]*" if pattern.startswith("/") else ""
    tokens = [token for token in _TOKENS.split(pattern) if token]
    pieces = []
    for at, token in enumerate(tokens):
        piece = _piece(token, names)
        if _NAME.fullmatch(token):
            piece = f"{_WORD_BEGINS}{piece}" if at and tokens[at - 1].startswith("*") else piece
            piece = f"{piece}(?![0-9A-Za-z])" if tokens[at + 1 : at + 2] and tokens[at + 1].startswith("*") else piece
        pieces.append(piece)
    return rf"\A{origin}{''.join(pieces)}\Z"


def _as_number(text: str) -> str:
    """The text as a regular expression; digits at its ends must not be a part of a longer number."""
    before, after = ("(?<![0-9])" if text[:1].isdecimal() else ""), ("(?![0-9])" if text[-1:].isdecimal() else "")
    return before + re.escape(text) + after


def _piece(token: str, names: Names) -> str:
    if token.startswith("*"):
        return "(.*)" if len(token) > 1 else "([^/]*)"
    if token.startswith("{") and token.endswith("}") and len(token) > 2:
        part = names.get(token[1:-1])
        if part is None:
            return "([^/]*)"
        return "|".join(sorted({re.escape(part.plain), re.escape(part.in_path)})).join(("(?:", ")"))
    return _OTHER_SCRIPTS.sub(lambda found: _either(found[0]), re.escape(token))


def _either(letters: str) -> str:
    """An expression for the letters, as they are or percent-encoded."""
    return f"(?:{letters}|(?i:{quote(letters)}))"
