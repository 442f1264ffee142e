"""What a shop is asked and what it answers.

Owns the two values and the short ways to make an answer; what an answer says is each shop's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from pagemill.demo.replies import HTML, JSON, Reply

PAGE, API, OTHER = "page", "api", "other"
"""What an answer is counted as: a product's page, data about a product, anything else."""


@dataclass(frozen=True, slots=True)
class ShopRequest:
    """What a shop looks at. Names of headers are in small letters; `base_url` is the shop's own, without a slash."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""

    def has_cookie(self, name: str) -> bool:
        """Whether the visitor brings that cookie."""
        try:
            return name in SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return False


@dataclass(frozen=True, slots=True)
class ShopAnswer:
    """A reply, and what it is counted as."""

    kind: str
    reply: Reply


def page_answer(kind: str, body: str, status: int = 200, *headers: tuple[bytes, bytes]) -> ShopAnswer:
    """A document."""
    return ShopAnswer(kind, Reply(status, HTML, body.encode(), headers))


def data(value: object, status: int = 200, *, kind: str = API) -> ShopAnswer:
    """A JSON answer."""
    return ShopAnswer(kind, Reply(status, JSON, json.dumps(value, ensure_ascii=False).encode()))


def moved(location: str, *, kind: str = PAGE) -> ShopAnswer:
    """A 302 to that place."""
    return ShopAnswer(kind, Reply.redirect(location))


def cookie(text: str) -> tuple[bytes, bytes]:
    """The header that sets it."""
    return b"set-cookie", f"{text}; Path=/".encode()
