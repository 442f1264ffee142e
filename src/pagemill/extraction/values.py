"""Raw text or JSON to facts, as a field's rule says. Pure; knows nothing of pages, and does not compare.

Text is trimmed and its white space collapsed, no-break spaces included; zero-width characters are dropped. Text of
which nothing remains was not said at all, so it is `None`: an element that a script has yet to fill must not become a
fact.
"""

from __future__ import annotations

import math
import re

from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.user_regex import search_regex
from pagemill.extraction.availability import read_availability
from pagemill.extraction.numbers.number_text import read_number
from pagemill.model import FactValue

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
MAX_FACT_CHARS = 10_000
"""Characters of the text for a fact, after `regex`. A longer text is no fact of a product, and slow to read."""
_MAX_NUMBER = 10**30
"""A JSON number from this on is no quantity of a product."""

_YES = frozenset({"true", "yes", "y", "1", "on"})
_NO = frozenset({"false", "no", "n", "0", "off"})
_WHOLE_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST = re.compile(r"(?:https?:)?//[^/?#]+", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII)


def collapse(text: str) -> str:
    """Trimmed, every run of white space one space, zero-width characters and soft hyphens dropped."""
    return " ".join(_INVISIBLE.sub("", text).split())


def read_boolean(text: str) -> bool | None:
    """`true`, `yes`, `1` and their like, and what shops say of stock: `InStock`, `Sorry, sold out.`, `품절`.

    Case, spaces, `-` and `_` do not count. `None` for any other text.
    """
    word = collapse(text).casefold()
    if word in _YES:
        return True
    return False if word in _NO else read_availability(text)


def too_long(raw: FactValue, rule: FieldRule) -> int:
    """The length of the text for a fact if it is longer than allowed; else 0.

    Words of a `map`, `equals` and `contains` are looked for in texts of any length.
    """
    if raw is None or rule.words or rule.makes_boolean:
        return 0
    length = len(_narrow(collapse(_text_of(raw)), rule.regex))
    return length if length > MAX_FACT_CHARS else 0


def to_fact(raw: FactValue, rule: FieldRule, *, machine: bool = False) -> FactValue:
    """What a field says, `None` when it says nothing or nothing that its rule can read.

    In this order: `regex` narrows the collapsed text to its first group, or to the whole match without one; `map` gives
    the value of the first line that has the text; `prefix` is put before an address that is not whole; `strip_query`
    drops what follows `?` or `#`; the type is read. `equals` and `contains` make a boolean instead; case and white
    space do not count on either side, nor for the words of a `map`.

    - `number` takes the amount in the text; `boolean` takes the words of `read_boolean`.
    - `text` leaves a JSON number or boolean as it is: JSON has said its type already.
    - Nothing is made of a text that is `too_long`.

    Args:
        raw: text from a page, or a JSON scalar.
        rule: how to read it; where it was found does not matter here.
        machine: the text was written for programs: in a bare number, a point is the decimal sign.

    Raises:
        PatternTooSlow: `regex` took longer than it may.
    """
    if raw is None:
        return None
    if rule.regex is not None or rule.words or rule.makes_boolean:
        text = _narrow(collapse(_text_of(raw)), rule.regex)
        if rule.words:
            return _meaning(text, rule)
        if rule.makes_boolean:
            return _matches(text, rule)
        raw = text
    if isinstance(raw, str):
        return _from_text(collapse(raw), rule, machine)
    return _from_scalar(raw, rule)


def _narrow(text: str, regex: str | None) -> str:
    if regex is None:
        return text
    found = search_regex(regex, text)
    if found is None:
        return ""
    return collapse((found[1] if found.re.groups else found[0]) or "")


def _meaning(text: str, rule: FieldRule) -> FactValue:
    """The value of the first line of the map that knows the text."""
    if not text:
        return None
    folded = text.casefold()
    for line in rule.words:
        for word in line.words:
            wanted = collapse(word).casefold()
            if word == "*" or (wanted in folded if line.contained else wanted == folded):
                value = line.value
                return _from_text(value, rule, machine=True) if isinstance(value, str) else value
    return None


def _matches(text: str, rule: FieldRule) -> bool | None:
    if rule.equals is not None:
        wanted = collapse(rule.equals).casefold()
        return text.casefold() == wanted if text or not wanted else None
    assert isinstance(rule.contains, str)
    return collapse(rule.contains).casefold() in text.casefold() if text else None


def _from_text(text: str, rule: FieldRule, machine: bool) -> FactValue:
    if not text or len(text) > MAX_FACT_CHARS:
        return None
    if rule.prefix is not None and not _WHOLE_ADDRESS.match(text):
        text = _prefixed(text, rule.prefix)
    if rule.strip_query:
        text = re.split(r"[?#]", text, maxsplit=1)[0]
    if rule.type == "number":
        if machine and rule.decimal is None and _PLAIN_NUMBER.fullmatch(text):
            return _from_scalar(float(text), rule)
        return read_number(text, decimal=rule.decimal)
    return read_boolean(text) if rule.type == "boolean" else text


def _prefixed(address: str, prefix: str) -> str:
    """The address with the prefix before it, with exactly one slash between a host and a path."""
    if address.startswith("//"):
        return (prefix.partition("//")[0] or "https:") + address
    if prefix.endswith("/"):
        return prefix + address.removeprefix("/")
    return f"{prefix}/{address}" if _HOST.fullmatch(prefix) and not address.startswith("/") else prefix + address


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
