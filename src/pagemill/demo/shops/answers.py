"""What a shop is asked, and what it answers.

Owns the two types and short functions that make answers. Each shop decides what its answers say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from pagemill.demo.replies import HTML, JSON, Reply

PAGE, API, OTHER = "page", "api", "other"
"""Under which name an answer is counted: a product's page, data about a product, anything else."""


@dataclass(frozen=True, slots=True)
class ShopRequest:
    """The parts of a request that a shop uses. Header names are in small letters; `base_url` ends without a slash."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""

    def has_cookie(self, name: str) -> bool:
        """Whether the visitor sends that cookie."""
        try:
            return name in SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return False


@dataclass(frozen=True, slots=True)
class ShopAnswer:
    """A reply, and the name under which it is counted."""

    kind: str
    reply: Reply


def page_answer(kind: str, body: str, status: int = 200, *headers: tuple[bytes, bytes]) -> ShopAnswer:
    """A document."""
    return ShopAnswer(kind, Reply(status, HTML, body.encode(), headers))


def data(value: object, status: int = 200, *, kind: str = API) -> ShopAnswer:
    """A JSON answer."""
    return ShopAnswer(kind, Reply(status, JSON, json.dumps(value, ensure_ascii=False).encode()))


def moved(location: str, *, kind: str = PAGE) -> ShopAnswer:
    """A 302 to that address."""
    return ShopAnswer(kind, Reply.redirect(location))


def cookie(text: str) -> tuple[bytes, bytes]:
    """The header that sets the cookie."""
    return b"set-cookie", f"{text}; Path=/".encode()
