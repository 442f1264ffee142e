"""What product addresses have in common: where the id is in them, and which address to visit for an id. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from pagemill.extraction.likely_id import ENDING, likely_id

_CLASSES = (r"\d", "[0-9a-f]", "[A-Z0-9]", "[A-Za-z0-9]", "[A-Za-z0-9_-]", "[A-Za-z0-9._-]")
_MAX_PREFIX = 4
_ANY = "[^/?#&]"


@dataclass(frozen=True, slots=True)
class ProductAddresses:
    """The form of a platform's product addresses. `id` is a regular expression with a group of that name, `visit` a
    template with `{id}`. Each is `None` if the addresses do not show it."""

    id: str | None
    visit: str | None
    why: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an id is in an address: after `name` in the query, or in the path after `before`."""

    token: str
    name: str = ""
    before: str = ""
    part: str = ""
    inner: str = ""
    """The text before the id in its own `part` of the path."""


def _places(urls: Sequence[str], tokens: Sequence[str]) -> list[_Place]:
    return [_place(url, token) for url, token in zip(urls, tokens, strict=True)]


def product_addresses(urls: Sequence[str]) -> ProductAddresses:
    """The pattern that finds each product's id in its URL, derived from what differs between the URLs.

    With a single URL nothing differs; then the id is the part that looks most like one.
    """
    places = _places(urls, _tokens(urls))
    if len({place.inner for place in places}) == 1 and 0 < len(places[0].inner) <= _MAX_PREFIX:
        places = _places(urls, [place.part for place in places])  # a prefix of all ids is a part of them: h-000123
    if not all(place.token for place in places):
        return ProductAddresses(None, None, "the URLs have no part that looks like an id: {id} is the row's own")
    pattern = _pattern(places)
    if pattern is None or not all(_finds(pattern, url, place.token) for url, place in zip(urls, places, strict=True)):
        return ProductAddresses(None, None, "the URLs have their ids in different places: {id} is the row's own")
    templates = Counter(_template(url, place.token) for url, place in zip(urls, places, strict=True))
    (template, count), *_ = templates.most_common(1)
    if len(urls) > 1 and count == 1:
        return ProductAddresses(pattern, None, "what differs between the URLs; the rest of them differs as well")
    told = "what differs between the URLs" if len(urls) > 1 else "what looks like an id; give a second URL to be sure"
    return ProductAddresses(pattern, template, told)


def _tokens(urls: Sequence[str]) -> list[str]:
    """The id in each URL."""
    parts = [urlsplit(url) for url in urls]
    queries = [dict(parse_qsl(part.query)) for part in parts]
    likely = [likely_id(part) for part in parts]
    if len(urls) == 1 or len(set(likely)) == len(set(urls)):
        return likely
    common = set.intersection(*({*query} for query in queries))
    differing = [name for name in common if len({query[name] for query in queries}) == len(set(urls))]
    if differing:
        return [query[min(differing)] for query in queries]
    ways = [[unquote(one) for one in part.path.split("/") if one] for part in parts]
    if len({len(way) for way in ways}) == 1:
        for several in reversed(list(zip(*ways, strict=True))):
            if len(set(several)) == len(set(urls)):
                return [ENDING.sub("", one) for one in several]
    return likely


def _place(url: str, token: str) -> _Place:
    parts = urlsplit(url)
    for name, value in parse_qsl(parts.query):
        if value == token:
            return _Place(token, name=name)
    before = ""
    for part in parts.path.split("/"):
        at = unquote(part).find(token) if token else -1
        if at >= 0:
            return _Place(token, before=before, part=ENDING.sub("", unquote(part)), inner=unquote(part)[:at])
        before = part
    return _Place("")


def _pattern(places: Sequence[_Place]) -> str | None:
    group = f"(?P<id>{_class([place.token for place in places])}+)"
    names = {place.name for place in places}
    if names != {""}:
        return f"[?&]{_literal(names.pop())}={group}" if len(names) == 1 else None
    inner = {place.inner for place in places}
    before = {place.before for place in places}
    if inner == {""}:
        if len(before) == 1 and (word := before.pop()):
            return f"/{_literal(word)}/{group}"
        return f"/{group}(?:[?#]|$)"
    signs = {one[-1:] for one in inner}
    if len(inner) == 1:
        return f"/{_literal(inner.pop())}{group}"
    if len(signs) == 1 and (sign := signs.pop()) and not sign.isalnum():
        return f"/[^/?#]*{_literal(sign)}{group}"
    return None


def _class(tokens: Sequence[str]) -> str:
    """The narrowest class of characters that covers all ids."""
    return next((one for one in _CLASSES if all(re.fullmatch(f"{one}+", token) for token in tokens)), _ANY)


def _finds(pattern: str, url: str, token: str) -> bool:
    found = re.search(pattern, url)
    return found is not None and unquote(found["id"]) == token


def _template(url: str, token: str) -> str:
    address = url.partition("#")[0]
    at = address.rfind(token)
    return address if at < 0 else f"{address[:at]}{{id}}{address[at + len(token) :]}"


def _literal(text: str) -> str:
    """The text as a regular expression, escaped only where necessary."""
    return re.escape(text).replace(r"\-", "-")
