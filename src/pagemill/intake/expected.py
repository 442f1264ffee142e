"""Reads a product's expected values: from the cells of a row to values of the platform's types.

Pure. Decides which words mean yes or no, and the range of numbers; `number_text` reads the text of numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from pagemill.config.reading.field_rule import FieldRule
from pagemill.intake.number_text import DecimalSign, is_grouped_or_decimal, read_number_text
from pagemill.model import FactValue

ValueKind = Literal["text", "number", "boolean"]

_INTEGER = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_TOO_LARGE = 10**30
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def value_kind_of(rules: Sequence[FieldRule]) -> ValueKind:
    """The type of a field's values: the type of all its rules, or text if they differ."""
    kinds = {rule.kind for rule in rules}
    return kinds.pop() if len(kinds) == 1 else "text"


def read_expected(value: object, kind: ValueKind, decimal: DecimalSign = "plain") -> FactValue:
    """The value in the given type; `None` for an empty value, which expects nothing.

    Text is trimmed and its white space collapsed, as in a page's text. `decimal` says how its numbers are written.

    Raises:
        ValueError: it is not of that type; the message says what to write.
    """
    if isinstance(value, str):
        value = " ".join(value.split())
        if _LONE_SURROGATE.search(value) or "\x00" in value:
            raise ValueError("holds characters that are not text")
    if value is None or value == "":
        return None
    if isinstance(value, list | dict):
        raise ValueError("is a list or an object: write a single value")
    if kind == "number":
        return _number(value, decimal)
    if kind == "boolean":
        return _boolean(value)
    return _text(value)


def _number(value: object, decimal: DecimalSign) -> int | float:
    if isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not a number: write one such as 12900")
    if isinstance(value, int) and abs(value) < _TOO_LARGE:
        return value
    remedy = "write one such as 12900 or 12.50"
    number = value if isinstance(value, float) else None
    if isinstance(value, str):
        text = read_number_text(value, decimal)
        if text is not None:
            number = int(text) if _INTEGER.fullmatch(text) else float(text)
        elif is_grouped_or_decimal(value):
            remedy += ", or say with --decimal . or --decimal , which sign is the decimal one"
    if number is not None and math.isfinite(number):
        return number
    raise ValueError(f"{_shown(value)} is not a number: {remedy}")


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{_shown(value)} is neither true nor false: write one of them")


def _text(value: object) -> str:
    if isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not text: put it in quotation marks")
    return str(value)


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 60 else text[:60] + "...")
