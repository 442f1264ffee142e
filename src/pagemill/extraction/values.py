"""Raw text or JSON to facts, as a field's rule says. Pure; knows nothing of pages, and does not compare.

Text is trimmed and its white space collapsed, no-break spaces included; zero-width characters are dropped. Text of
which nothing remains was not said at all, so it is `None`: an element that a script has yet to fill must not become a
fact.
"""

from __future__ import annotations

import math
import re

from pagemill.config.extract import FieldRule
from pagemill.extraction.number_text import read_number
from pagemill.model import FactValue

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MAX_NUMBER = 10**30
"""Beyond it, a JSON number is no quantity of a product."""

_YES = frozenset(
    {"true", "yes", "y", "1", "on", "instock", "available", "limitedavailability", "재고있음", "판매중", "구매가능"}
)
_NO = frozenset({"false", "no", "n", "0", "off", "outofstock", "soldout", "notavailable", "unavailable"})
_NO |= {"notinstock", "discontinued", "재고없음", "품절", "일시품절", "판매종료"}
_VOCABULARY = re.compile(r"\Ahttps?://schema\.org/", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def collapse(text: str) -> str:
    """Trimmed, every run of white space one space, zero-width characters and soft hyphens dropped."""
    return " ".join(_INVISIBLE.sub("", text).split())


def read_boolean(text: str) -> bool | None:
    """`true`, `yes`, `1`, `in stock`, `InStock`, `품절` and their like; case, spaces, `-` and `_` do not count.

    The schema.org address before such a word is allowed. `None` for any other text.
    """
    word = _BETWEEN_WORDS.sub("", _VOCABULARY.sub("", collapse(text))).casefold()
    if word in _YES:
        return True
    return False if word in _NO else None


def to_fact(raw: FactValue, rule: FieldRule) -> FactValue:
    """What a field says, `None` when it says nothing or nothing that its rule can read.

    - `regex` narrows the collapsed text to its first group, or to the whole match without one; no match is `None`.
    - `equals` and `contains` make a boolean; case and white space do not count on either side.
    - `number` takes the first number of the text; `boolean` takes the words of `read_boolean`.
    - `text` leaves a JSON number or boolean as it is: JSON has said its type already.

    Args:
        raw: text from a page, or a JSON scalar.
        rule: where it was found does not matter here, only how it is to be read.
    """
    if raw is None:
        return None
    if rule.regex is not None or rule.equals is not None or rule.contains is not None:
        text = _narrow(collapse(_text_of(raw)), rule.regex)
        if rule.equals is not None or rule.contains is not None:
            return _matches(text, rule)
        raw = text
    if isinstance(raw, str):
        return _from_text(collapse(raw), rule)
    return _from_scalar(raw, rule)


def _narrow(text: str, regex: str | None) -> str:
    if regex is None:
        return text
    found = re.search(regex, text)
    if found is None:
        return ""
    return collapse((found[1] if found.re.groups else found[0]) or "")


def _matches(text: str, rule: FieldRule) -> bool | None:
    if rule.equals is not None:
        wanted = collapse(rule.equals).casefold()
        return text.casefold() == wanted if text or not wanted else None
    assert rule.contains is not None
    return collapse(rule.contains).casefold() in text.casefold() if text else None


def _from_text(text: str, rule: FieldRule) -> FactValue:
    if not text:
        return None
    if rule.type == "number":
        return read_number(text)
    return read_boolean(text) if rule.type == "boolean" else text


def _from_scalar(value: bool | int | float, rule: FieldRule) -> FactValue:
    if rule.type == "boolean":
        return bool(value) if value in (0, 1) else None
    if isinstance(value, bool):
        return None if rule.type == "number" else value
    if abs(value) >= _MAX_NUMBER or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _text_of(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
