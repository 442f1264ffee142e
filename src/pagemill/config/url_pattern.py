"""Which URL an answer must have to be captured: `extract.match`. Pure.

- `*` stands for any characters but `/`, `**` for any characters; everything else, `?` included, stands for itself.
- A pattern that starts with `/` is one of path and query, on any host: `/api/products/*`.
- A pattern that starts with `re:` is a regular expression, and may be found anywhere in the URL.

The whole URL has to fit a pattern that is not a regular expression; its fragment does not count.
"""

from __future__ import annotations

import re

_MAX_URL = 8_000
"""Characters; a longer URL fits no pattern."""


class UrlPattern:
    """A compiled `extract.match`."""

    def __init__(self, pattern: str) -> None:
        """Compiles it.

        Raises:
            re.error: it starts with `re:` and is no regular expression; the configuration has refused it by then.
        """
        if pattern.startswith("re:"):
            self._search = re.compile(pattern[3:]).search
        else:
            self._search = re.compile(_expression(pattern), re.DOTALL).search

    def fits(self, url: str) -> bool:
        """Whether an answer from this URL is meant."""
        url, _, _ = url.partition("#")
        return len(url) <= _MAX_URL and self._search(url) is not None


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*+)", pattern)
    body = "".join((".*" if len(part) > 1 else "[^/]*") if part.startswith("*") else re.escape(part) for part in parts)
    origin = r"[a-z]+://[^/]*" if pattern.startswith("/") else ""
    return rf"\A{origin}{body}\Z"
