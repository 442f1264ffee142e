"""Guesses which part of a product's address is its id, if nobody has said so. Pure; knows words of addresses only."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, unquote

AROUND = (
    r"(?:pages?|go|goods|products?|items?|prd|prod|members?|users?|customers?|accounts?|common|my|o?auth|www|view|check|form"
    r"|shop|site|system|web|mobile|to|access|human|bot|adult|result|list)"
)
"""Words of addresses that say nothing by themselves."""
PRODUCTS = re.compile(rf"(?:{AROUND}|details?|dtl|app|catalog|index|p|dp|gp|ip|pd|pdp)+", re.IGNORECASE)
"""A part of a path after which a product's name or id may stand."""
_OTHERS = re.compile(
    r"categor(?:y|ies)|cate|cat|c|brands?|display|collections?|reviews?|[a-z]{2}|main|home", re.IGNORECASE
)
"""A part of a path after which something else stands, or which says nothing."""
ID_NAME = re.compile(
    r"(?!cate|order).*(?:product|goods|item|prd|prod|sku|pid|gno|gdno|it_id|branduid).*|id|no|code", re.IGNORECASE
)
"""A name in a query whose value is a product's id."""
OF_THE_VISIT = re.compile(
    r"utm_.*|gclid|fbclid|msclkid|ref(?:erer|errer)?|source|src|from|prev.*|next|back|return.*|redirect.*|dest.*|url|uri|page"
    r"|sort|order|lang|locale|q|query|keyword|kwd|search.*|deleted|expired|error|t|ts|time|timestamp|v|ver|version|cb|cache"
    r"|rnd|rand|nonce|_.*",
    re.IGNORECASE,
)
"""A name in a query that is about the visit, and not about which product is meant."""
NO_ID = re.compile(r"v\d+|.*=.*", re.IGNORECASE)
"""Text that looks like an id but is none: `v2`, `a=b`."""
ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp|do|action|nhn)\Z", re.IGNORECASE)
"""The suffix of a document, such as `.html` or `.php`; it is not a part of an id."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{5,}")


def is_code(text: str) -> bool:
    """Whether a text is a number or a code, which may stand beside words: "12345", "A000123", but not "iphone-15"."""
    digits = sum(character.isdecimal() for character in text)
    plain = text.isalnum() and digits > 0 and (digits * 2 >= len(text) or text.isupper())
    return plain or _UUID.fullmatch(text) is not None


def likely_id(parts: SplitResult) -> str:
    """The part of an address that looks most like a product's id; empty if none does.

    These are tried in order: a long number or a code in the path; a value in the query with a name such as `goodsNo`;
    the last part of the path; another number in the query.
    """
    path = (unquote(part) for part in f"{parts.path}/{parts.fragment}".split("/") if part)
    tail = _behind_products([ENDING.sub("", part) for part in path])
    if numbered := [part for part in tail if _LONG_NUMBER.search(part)]:
        return numbered[-1] if is_code(numbered[-1]) else max(re.findall(r"\d+", numbered[-1]), key=len)
    if codes := [part for part in tail if is_code(part)]:
        return codes[-1]
    values = [(name, value) for name, value in parse_qsl(parts.query) if re.search(r"\d", value)]
    if named := [value for name, value in values if ID_NAME.fullmatch(name)]:
        return named[0]
    if tail:
        return tail[-1]
    return next((value for name, value in values if not OF_THE_VISIT.fullmatch(name)), "")


def _behind_products(path: list[str]) -> list[str]:
    """The parts of a path between its last word for products and a word for categories; else all but such words."""
    kinds = [_kind(part) for part in path]
    begins = [at + 1 for at, kind in enumerate(kinds[:-1]) if kind == "products" and not kinds[at + 1]]
    begin = max(begins, default=0)
    end = next((at for at in range(begin, len(path)) if begins and kinds[at] == "others"), len(path))
    return [part for part, kind in zip(path[begin:end], kinds[begin:end], strict=True) if not kind]


def _kind(part: str) -> str:
    """What a part of a path stands for: `products`, `others`, or empty where it may be a name or an id."""
    word = re.sub(r"[\W_]", "", part)
    if NO_ID.fullmatch(part) or not word or _OTHERS.fullmatch(word):
        return "others"
    return "products" if PRODUCTS.fullmatch(word) else ""
