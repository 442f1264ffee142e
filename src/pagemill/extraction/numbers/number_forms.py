"""Finds every number of a text as it is written: rules 1 to 6 of `number_text`, which also decides which one is meant.

Time is linear in the text: each character of a number is looked at a fixed number of times, and so are those after the
point where the number stops making sense.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pagemill.extraction.numbers.cents_apart import cents_apart
from pagemill.extraction.numbers.currency_words import currency_before
from pagemill.extraction.numbers.number_words import has_unit, with_units

_MAX_DIGITS = 30
"""Longer numbers are no quantity of a product. Up to here `int` and `float` stay cheap and finite."""

_WHOLE_MONEY = r"(?:[.,][0-9]{3})++[ ]?(?:[원円元₫đ]|won|yen|KRW|JPY|VND)"
"""Groups of a currency without decimals: in `15 129,000원` the 15 is another number, as it is in `%15 129 TL`."""


def _form(commas: str, points: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
          (?P<spaced> (?<!(?<![0-9])%) [1-9][0-9]{{0,2}} (?:[ '][0-9]{{3}}(?![0-9]|{_WHOLE_MONEY}))+ )
                      (?:[.,](?P<spaced_rest>[0-9]+))?
        | (?P<commas> [1-9][0-9]{{0,2}} {commas} (?![0-9]) ) (?:[.](?P<commas_rest>[0-9]+))?
        | (?P<points> [1-9][0-9]{{0,2}} {points} (?![0-9]) ) (?:,(?P<points_rest>[0-9]+))?
        | (?P<plain>  [0-9]+ ) (?:[.,](?P<plain_rest>[0-9]+)(?![.,]?[0-9]))?
        | [.](?P<bare_rest>[0-9]+)
        """,
        re.VERBOSE,
    )


_COMMAS, _POINTS = "(?:,[0-9]{2,3})*,[0-9]{3}", "(?:[.][0-9]{3})+"
_FORMS = {
    None: _form(_COMMAS, _POINTS),
    ".": _form(_COMMAS, "(?:(?:[.][0-9]{3}){2,}|[.][0-9]{3}(?=,[0-9]))"),
    ",": _form("(?:(?:,[0-9]{2,3})+,[0-9]{3}|,[0-9]{3}(?=[.][0-9]))", _POINTS),
}
"""Forms by decimal sign. After a known sign, a single group is decimals, unless the other sign follows it."""
_KINDS = ("spaced", "commas", "points", "plain")
_BEGINNING = re.compile(r"[0-9]|(?<![\w./])[.](?=[0-9]++(?![.,][0-9]))")
"""A point after a letter ends a word (`Rs.50`). A point before a number with decimals of its own is a typing error."""
_RUN = re.compile(r"[.]?[0-9]+(?:[.,][0-9]+)*+")
_REST_OF_RUN = re.compile(r"(?:[.,][0-9]+)*+")

_OTHER_SIGNS = str.maketrans(
    dict.fromkeys("\u2019\u02bc`\u00b4", "'") | {"\u2212": "-", "\u066a": "%", "\u066b": ".", "\u066c": ","}
)
_SIGN = re.compile(r"(?<![\w)\-])-")
_RAISED = re.compile(r"(?P<touches>(?<=\d))?[⁰¹²³⁴-⁹]+")


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number from `start` (its first digit, or the point before that) to `end`. Its sign stands before `start`."""

    start: int
    end: int
    value: int | float


def plain_digits(text: str) -> str:
    """The text with ASCII digits and signs in its numbers, and every white space as a space."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _RAISED.sub(_lowered, text)).translate(_OTHER_SIGNS)
    return "".join(_plain_character(character) for character in text)


def amounts(text: str, decimal: Literal[".", ","] | None) -> Iterator[WrittenNumber]:
    """The numbers of a text in order; not those of more than 30 digits.

    Args:
        text: as `plain_digits` returns it.
        decimal: the sign that starts decimals where the text leaves a choice.
    """
    position = 0
    while (beginning := _BEGINNING.search(text, position)) is not None:
        start = beginning.start()
        number, end, position = _number_at(text, start, decimal)
        if number is not None and abs(number) < 10**_MAX_DIGITS:
            signed = -number if _is_negative(text, start) else number
            yield WrittenNumber(start, end, int(signed) if signed.denominator == 1 else float(signed))


def _number_at(text: str, start: int, decimal: Literal[".", ","] | None) -> tuple[Fraction | None, int, int]:
    """The number, where it ends, and where to look for the next."""
    run = _RUN.match(text, start)
    assert run is not None, "a beginning begins a run"
    found = _FORMS["." if has_unit(text, run.end()) else decimal].match(text, start)
    assert found is not None, "every run has a form"
    kind = next((kind for kind in _KINDS if found[kind] is not None), "bare")
    units = "0" if kind == "bare" else re.sub(r"[ ',.]", "", found[kind])
    decimals, end = found[f"{kind}_rest"], found.end()
    if decimals is None and (apart := cents_apart(text, start, end)) is not None:
        decimals, end = apart
    decimals = (decimals or "").rstrip("0")
    beyond = max(end, run.end(), _after_run(text, end))
    if len(units) + len(decimals) > _MAX_DIGITS:
        return None, end, beyond
    number, end = with_units(text, Fraction(f"{units}.{decimals}" if decimals else units), end)
    return number, end, max(end, beyond)


def _after_run(text: str, end: int) -> int:
    rest = _REST_OF_RUN.match(text, end)
    return end if rest is None else rest.end()


def _is_negative(text: str, start: int) -> bool:
    dash = start - 1
    if text[dash:start] == "-":
        # In `Fr. -.95` the dash means "no francs".
        return _SIGN.match(text, dash) is not None and (text[start] != "." or currency_before(text, dash) is None)
    currency = currency_before(text, start)
    return currency is not None and currency.start > 0 and _SIGN.match(text, currency.start - 1) is not None


def _lowered(raised: re.Match[str]) -> str:
    """Two raised digits are cents. Others are dropped: a footnote, or the power of a unit."""
    digits = raised[0]
    if len(digits) != 2:
        return ""
    return digits if raised["touches"] is None else f"'{digits}"


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if character.isspace():
        return " "
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
