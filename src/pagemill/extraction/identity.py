"""Which product an address, a request or an answer is about. Pure; knows nothing of pages.

The id is what `product.id` cuts out of the product's URL. Without that setting it is the catalogue's id, if the URL
contains it, else the part of the URL that looks most like an id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pagemill.config.reading.patterns import Names
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.extraction.likely_id import AROUND, ENDING, ID_NAME, NO_ID, OF_THE_VISIT, PRODUCTS, is_code, likely_id

_ROOT = re.compile(r"/?(index\.\w+|main|home|main\.\w+|home\.\w+|m|mobile|[a-z]{2}(-[a-z]{2})?)?/?", re.IGNORECASE)
_NOTHING = (
    r"(?:errors?|err|[45]0[0-9]|(?:is)?notfound|no(?:goods|product|item|page|data|result)s?|invalid|unavailable|expired"
    r"|deleted|removed|log(?:in|on)|sign(?:in|up)|join|register|captcha|challenge|blocked|denied|forbidden|verify"
    r"|verification|maintenance|search|sorry)"
)
_NOWHERE = re.compile(rf"{AROUND}*{_NOTHING}(?:{AROUND}|{_NOTHING})*", re.IGNORECASE)
"""A part of a path, without signs, at which no product stands: "login", "member_login", "not-found", "goodsError"."""
_OTHERS = re.compile(
    r"categor(?:y|ies)|cate|cat|collections?|brands?|events?|promotions?|exhibitions?|lists?|similar|related|recommend\w*"
    r"|alternatives?|best|carts?|basket|wish(?:list)?|reviews?",
    re.IGNORECASE,
)
"""A part of a path after which other things stand, even if the product's id chooses them: lists, carts, reviews."""
_SURE = 5
"""An id of at least so many characters does not stand in an address by chance."""
_MOMENT = re.compile(r"1\d{9}(?:\d{3})?")
"""A Unix time in seconds or milliseconds, as pages add it to addresses to get around caches."""
_KEY_ENDING = r"(?:id|no|num|number|seq|code|cd|uid|key)"
_VALUE = r'"\s*:\s*(?:"([^"]*)"|(\d+))'
_ID_KEY = (
    r"(?!cate|brand|shop|store|seller|vendor|market|user|member|review|event|group|order|option|image|page)"
    rf"(?:[a-z_]*{_KEY_ENDING}|[a-z_]*(?:sku|slug|handle))"
)
ID_KEY = re.compile(_ID_KEY, re.IGNORECASE)
"""A key of JSON under which a product's id may stand."""
_ANY_ID = re.compile(f'"{_ID_KEY}{_VALUE}', re.IGNORECASE)
_PRODUCT_ID = re.compile(rf'"(?:[a-z_]*(?:product|goods|item|prd|prod)_?{_KEY_ENDING}|sku){_VALUE}', re.IGNORECASE)

_ASKED_ID = re.compile(
    rf'"(?:ids?|(?:[a-z_]*(?:product|goods|item|prd|prod)_?{_KEY_ENDING}|sku)){_VALUE}', re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a product is known by. An empty `token` means that nothing is known."""

    token: str

    @classmethod
    def of(cls, names: Names, url: str) -> Identity:
        """Made from the names of the product's row and the address that is visited."""
        part, parts = names.get("id"), urlsplit(url)
        likely = likely_id(parts)
        if part is None or not part.plain:
            return cls(likely)
        if part.encoded:
            return cls(part.plain)
        row = cls(part.plain)
        # A short id may stand in an address by chance, as the number of a category or a page.
        places = [place for place in (*_parts_of_path(parts), *_values_of(parts.query)) if likely and likely in place]
        is_meant = len(row.token) >= _SURE or not likely or any(row.is_in(place) for place in places)
        return row if is_meant and row.names(url) else cls(likely)

    def is_in(self, text: str) -> bool:
        """Whether the text mentions the product: as a word of its own, not as a part of a longer one."""
        if not self.token:
            return False
        return re.search(rf"(?<![0-9A-Za-z]){re.escape(self.token)}(?![0-9A-Za-z])", text, re.IGNORECASE) is not None

    def names(self, address: str) -> bool:
        """Whether the address is the product's: its id is a part of the path, of the fragment or of the query.

        A code may stand beside other words. A name must be the whole part: `blue-cup` is not `blue-cup-2`.
        """
        if not self.token:
            return False
        parts = urlsplit(address)
        return any(self._is(part) for part in (*_parts_of_path(parts), *_values_of(parts.query)))

    def is_other_than(self, pieces: Iterable[str]) -> bool:
        """Whether pieces of an address name another product. Numbers that only get around caches do not count."""
        for piece in pieces:
            for part in re.split(r"[/?&;]", piece):
                name, equals, value = part.partition("=")
                if equals and len(value) < _SURE and not ID_NAME.fullmatch(name):
                    continue  # a page number or a kind: short numbers are everywhere
                if not (equals and OF_THE_VISIT.fullmatch(name)) and self.is_like(unquote(value if equals else part)):
                    return True
        return False

    def is_said_by(self, json_text: str) -> bool:
        """Whether JSON has the product's id under a key that looks like an id's."""
        said = (found[1] or found[2] or "" for found in _ANY_ID.finditer(json_text))
        return bool(self.token) and any(value.casefold() == self.token.casefold() for value in said)

    def is_contradicted_by(self, json_text: str) -> bool:
        """Whether JSON has product ids in the form of this id, but not this id."""
        said = (found[1] or found[2] or "" for found in _PRODUCT_ID.finditer(json_text))
        return any(self.is_like(value) for value in said) and not self.is_said_by(json_text)

    def is_left_out_by(self, json_text: str, request: str) -> bool:
        """Whether JSON has ids of other products that `request` asked for as well, but not this product's id."""
        said = {found[1] or found[2] or "" for found in _ANY_ID.finditer(json_text)}
        others = (value for value in said if value and self.is_like(value))
        return any(Identity(value).is_in(request) for value in others) and not self.is_said_by(json_text)

    def is_passed_over_by(self, posted: str) -> bool:
        """Whether what a page has posted asks for another id of this form, and not for this one."""
        if self.is_in(posted):
            return False
        if posted.lstrip()[:1] in ("{", "["):
            return any(self.is_like(found[1] or found[2] or "") for found in _ASKED_ID.finditer(posted))
        return any(ID_NAME.fullmatch(name) and self.is_like(value) for name, value in parse_qsl(posted))

    def is_like(self, text: str) -> bool:
        """Whether a text without the product's id has something of the same form, which may be another product's id."""
        if not self.token or self.is_in(text) or NO_ID.fullmatch(text):
            return False
        if not is_code(self.token):
            return re.search(r"[A-Za-z]\w*[-_]\w", text) is not None
        pieces = re.findall(r"\d+" if self.token.isdecimal() else r"[A-Za-z]*\d[0-9A-Za-z]*", text)
        return any(abs(len(piece) - len(self.token)) <= 2 and not _MOMENT.fullmatch(piece) for piece in pieces)

    def _is(self, part: str) -> bool:
        if is_code(self.token):
            return self.is_in(part)
        return self.token.casefold() in (part.casefold(), ENDING.sub("", part).casefold())


def is_elsewhere(identity: Identity, asked: str, final: str, allowed: Iterable[UrlPattern] = ()) -> bool:
    """Whether a visit has ended at an address of something else, or of nothing.

    An address that names the product is not elsewhere, unless it is that of a login, an error, a list or the home page.
    One that does not name it is elsewhere if the visited address did, or if its path differs.

    Args:
        identity: of the product.
        asked: the address that was visited.
        final: the address of the document in the end.
        allowed: addresses that are never elsewhere (`judge.landing`).
    """
    one, other = urlsplit(asked), urlsplit(final)
    if not final or any(pattern.fits(final) for pattern in allowed):
        return False
    paths = [unquote(parts.path).rstrip("/").casefold() for parts in (one, other)]
    if paths[0] != paths[1]:
        if _is_nowhere(identity, other) and not _is_nowhere(identity, one):
            return True
        if _ROOT.fullmatch(paths[1]) and not _ROOT.fullmatch(paths[0]):
            return True
        if _is_among_others(identity, other) and not _is_among_others(identity, one):
            return True
    if not identity.token:
        return paths[0] != paths[1] and _last(paths[0]) != _last(paths[1])
    if identity.names(final):
        return False
    # If the visited address did not name the product either, only a different path counts.
    return identity.names(asked) or paths[0] != paths[1]


def _is_nowhere(identity: Identity, parts: SplitResult) -> bool:
    """Whether a part of the path says that no product stands there. A part that names the product does not count."""
    return any(
        _NOWHERE.fullmatch(re.sub(r"[\W_]", "", ENDING.sub("", part))) and not identity.is_in(part)
        for part in unquote(parts.path).split("/")
    )


def _is_among_others(identity: Identity, parts: SplitResult) -> bool:
    """Whether the address leads to a list of things. The path says so right before it names the product; if only the
    query names the product, the path's last word for a kind of page decides."""
    path = [ENDING.sub("", part) for part in unquote(parts.path).split("/") if part]
    named = [at for at, part in enumerate(path) if identity.is_in(part)]
    if named:
        return all(at > 0 and _OTHERS.fullmatch(path[at - 1]) is not None for at in named)
    words = [part for part in path if _OTHERS.fullmatch(part) or PRODUCTS.fullmatch(re.sub(r"[\W_]", "", part))]
    return bool(words) and _OTHERS.fullmatch(words[-1]) is not None


def _parts_of_path(parts: SplitResult) -> list[str]:
    return [unquote(part) for part in re.split(r"[/?&=;]", f"{parts.path}/{parts.fragment}") if part]


def _values_of(query: str) -> list[str]:
    """The values in a query that may say which product is meant."""
    return [value for name, value in parse_qsl(query) if "/" not in value and not OF_THE_VISIT.fullmatch(name)]


def _last(path: str) -> str:
    return ENDING.sub("", path.rsplit("/", 1)[-1])
