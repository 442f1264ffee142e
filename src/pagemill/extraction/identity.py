"""Which product an address, a request or an answer is about. Pure; knows nothing of pages.

A product is known by the id that `product.id` cuts out of its URL; without that by the catalogue's id, where that
stands in the URL, or by the part of the address that looks most like an id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pagemill.config.patterns import Names
from pagemill.config.url_pattern import UrlPattern

_ROOT = re.compile(r"/?(index\.\w+|main|home|main\.\w+|home\.\w+|m|mobile|[a-z]{2}(-[a-z]{2})?)?/?", re.IGNORECASE)
_NOWHERE = re.compile(
    r"(?:^|[/_.-])(?:errors?|40[0-9]|50[0-9]|not-?_?found|nogoods|invalid|log-?_?in|log-?_?on|sign-?_?in|captcha|challenge"
    r"|blocked|denied|verify|maintenance)(?=$|[/_.-])",
    re.IGNORECASE,
)
"""Paths at which no product stands."""
_NO_ID = re.compile(r"v\d+|.*=.*", re.IGNORECASE)
_ENDING = re.compile(r"\.(html?|php|aspx?|jsp|do)\Z", re.IGNORECASE)
_LONG_NUMBER = 5
_TRACKING = re.compile(r"utm_.*|gclid|fbclid|ref|source|from|page|sort|_.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a product is known by. With an empty `token`, nothing is known."""

    token: str

    @classmethod
    def of(cls, names: Names, url: str) -> Identity:
        """By the names of the product's row, and the address that is visited."""
        part, parts = names.get("id"), urlsplit(url)
        where = unquote(f"{parts.path}?{parts.query}#{parts.fragment}")
        if part is not None and part.plain and (part.encoded or _mentions(where, part.plain)):
            return cls(part.plain)
        return cls(_likely_id(parts))

    def is_in(self, text: str) -> bool:
        """Whether the text names the product: as a word of its own, not as a part of a longer one."""
        return bool(self.token) and _mentions(text, self.token)


def is_elsewhere(identity: Identity, asked: str, final: str, allowed: Iterable[UrlPattern] = ()) -> bool:
    """Whether a visit of one address has ended at one where another thing stands, or nothing.

    Not elsewhere is: the same path; any path that names the product, unless it is one of a login or an error.

    Args:
        identity: of the product.
        asked: the address that was visited.
        final: the address of the document in the end.
        allowed: addresses at which the product may stand all the same.
    """
    one, other = urlsplit(asked), urlsplit(final)
    if not final or any(pattern.fits(final) for pattern in allowed):
        return False
    paths = [unquote(parts.path).rstrip("/").casefold() for parts in (one, other)]
    if _NOWHERE.search(paths[1]) and not _NOWHERE.search(paths[0]):
        return True
    if _ROOT.fullmatch(paths[1]) and not _ROOT.fullmatch(paths[0]):
        return True
    if not identity.token:
        return paths[0] != paths[1] and _last(paths[0]) != _last(paths[1])
    if _is_named(identity, other):
        return False
    # What is not in the address that was asked for cannot be missed in the one where the visit ended.
    return _is_named(identity, one) or paths[0] != paths[1]


def _is_named(identity: Identity, parts: SplitResult) -> bool:
    if identity.is_in(unquote(parts.path)) or identity.is_in(unquote(parts.fragment)):
        return True
    return any(identity.is_in(value) and "/" not in value for _name, value in parse_qsl(parts.query))


def _mentions(text: str, token: str) -> bool:
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(token)}(?![0-9A-Za-z])", text, re.IGNORECASE) is not None


def _last(path: str) -> str:
    return _ENDING.sub("", path.rsplit("/", 1)[-1])


def _likely_id(parts: SplitResult) -> str:
    """The part of an address that looks most like a product's id; empty where none does."""
    segments = [_ENDING.sub("", unquote(segment)) for segment in f"{parts.path}/{parts.fragment}".split("/") if segment]
    numbered = [segment for segment in segments if re.search(r"\d", segment) and not _NO_ID.fullmatch(segment)]
    if numbered:
        return _core(numbered[-1])
    values = [
        value for name, value in parse_qsl(parts.query) if re.search(r"\d", value) and not _TRACKING.fullmatch(name)
    ]
    if values:
        return values[0]
    return segments[-1] if segments and not _ROOT.fullmatch(parts.path) else ""


def _core(segment: str) -> str:
    """The number in `blue-cup-12345`, else the whole of it."""
    numbers = re.findall(r"\d+", segment)
    longest = max(numbers, key=len)
    return longest if len(longest) >= _LONG_NUMBER and len(longest) < len(segment) else segment
