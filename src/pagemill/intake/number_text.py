"""Reads numbers as people write them. The decimal sign is given, or follows from the number's form; nothing is guessed.

Pure. Prices on pages (`12,900원`) are read by `extraction`.
"""

from __future__ import annotations

import re
from typing import Literal

DecimalSign = Literal[".", ",", "either", "plain"]
"""`plain`: a decimal point and no digit groups, as programs write. `.` or `,`: this decimal sign, and the other sign or
spaces may separate groups of three digits. `either`: both, if the number can be read in only one way."""

_PLAIN = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)
_POINT = re.compile(r"([+-]?)([1-9]\d{0,2}(?:,\d{3}){1,9}|[1-9]\d{0,2}(?: \d{3}){1,9}|\d{0,30})(\.\d{0,30})?", re.ASCII)
_SWAPPED = str.maketrans(",.", ".,")


def read_number_text(text: str, sign: DecimalSign) -> str | None:
    """The number in Python's notation; `None` if the text is not a number.

    Raises:
        ValueError: the text can be read as two numbers; the message names both and the remedy.
    """
    if sign == "plain" or "e" in text.lower():
        return text if is_plain_number(text) else None
    if sign != "either":
        return _read(text, sign)
    by_point, by_comma = _read(text, "."), _read(text, ",")
    if by_point is None or by_comma is None or by_point == by_comma:
        return by_point or by_comma
    raise ValueError(
        f"{text!r} may be {by_point} or {by_comma}: say with --decimal . or --decimal , which sign is the decimal one"
    )


def is_plain_number(text: str) -> bool:
    """Whether it is a number as programs write it: a decimal point at most, no groups."""
    return _PLAIN.fullmatch(text) is not None


def is_grouped_or_decimal(text: str) -> bool:
    """Whether the text would be a number with one of the two decimal signs."""
    return _read(text, ".") is not None or _read(text, ",") is not None


def _read(text: str, sign: Literal[".", ","]) -> str | None:
    found = _POINT.fullmatch(text if sign == "." else text.translate(_SWAPPED))
    if found is None:
        return None
    minus, whole, fraction = found[1], found[2], found[3] or ""
    if not whole and len(fraction) < 2:
        return None
    return minus + whole.replace(",", "").replace(" ", "") + fraction
