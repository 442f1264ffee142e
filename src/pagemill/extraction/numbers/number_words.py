"""Words that are numbers, or the unit of one: `3만`, `1.5万`, `2 lakh`, `free`.

Reads what `number_text` has made plain (NFKC). Numbers written in words alone (`삼만`, `三万`) are not read.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from pagemill.extraction.numbers.currency_words import currency_after

_MULTIPLES = (
    dict.fromkeys("십十", 10)
    | dict.fromkeys("백百", 100)
    | dict.fromkeys("천千", 1000)
    | dict.fromkeys("만万萬", 10**4)
    | dict.fromkeys("억億亿", 10**8)
    | dict.fromkeys("조兆", 10**12)
    | {"lakh": 10**5, "lac": 10**5, "crore": 10**7}
)
_COUNTERS = "원개명건회여대점포매장이부에까円圓元圆块塊日韩韓美港台人个個件次名本枚回以起多余"
"""What may follow an East Asian unit: money, a counter, a particle. Other words only begin like it (`千克`, `천연`)."""
_UNIT = re.compile(
    rf"""
      (?:[ ](?=[백百천千만万萬억億亿]{{1,2}}[원円圓元]))?
      (?: (?P<small>[십十백百천千]) (?P<large>[만万萬억億亿조兆])? | (?P<large_alone>[만万萬억億亿조兆]) )
      (?: (?![가-힣\u4e00-\u9fff]) | (?=[{_COUNTERS}]) )
    | [ ]? (?P<indian>(?i:lakh|lac|crore)) s? (?![^\W\d_])
    """,
    re.VERBOSE,
)
_FURTHER = re.compile(r"(?P<space> ?)(?P<digits>[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,12})(?![0-9]|[.,][0-9]| ?%)")
_LAST_OF_RANGE = re.compile(r"(?: ?[~\u301c] ?|[-\u2013])(?P<last>[0-9]{1,4}(?:[.,][0-9]{1,2})?)(?![0-9])")
_WORD = re.compile(r" ?[^\W\d_]")
_LATIN = re.compile(r"[A-Za-z]")

_FREE = frozenset(
    {"free", "for free", "free of charge", "무료", "공짜", "無料", "免费", "免費", "gratis", "kostenlos", "kostenfrei"}
    | {"umsonst", "gratuit", "gratuite", "gratuito", "grátis", "ücretsiz", "bedava", "бесплатно", "miễn phí"}
)
_NO_LETTERS_AROUND = re.compile(r"\A[\W_]+|[\W_]+\Z")
_LONGEST_FREE = 40
_NO_LIMIT = 10**60


class _Unit(NamedTuple):
    small: int
    large: int
    end: int


def has_unit(text: str, start: int) -> bool:
    """Whether a unit such as `만` stands at `start`."""
    return _unit_at(text, start) is not None


def with_units(text: str, number: Fraction, end: int) -> tuple[Fraction, int]:
    """The number that ends at `end`, times its units, plus the smaller parts after them; and where all that ends.

    `1억 2,000만`, `3만5천`, `3만 9,900`. A part must be smaller than the unit before it. If it stands apart without a
    unit of its own, it must also look like money: `3만 2개` is 30000. A range has one unit for both numbers: `3~5만`.
    """
    unit = _unit_at(text, end)
    if unit is None:
        return number * _multiple_of_range(text, number, end), end
    total = section = Fraction(0)
    below = below_large = _NO_LIMIT
    while unit is not None:
        part = number * unit.small
        if part >= below or (section + part) * unit.large >= below_large:
            break
        section, below, end = section + part, unit.small, unit.end
        if unit.large > 1:
            total, section, below, below_large = total + section * unit.large, Fraction(0), unit.large, unit.large
        further = _FURTHER.match(text, end)
        if further is None or number.denominator > 1:
            break
        number = Fraction(further["digits"].replace(",", ""))
        unit = _unit_at(text, further.end())
        if unit is None and number < below and _belongs(text, further):
            section, end = section + number, further.end()
    return total + section, end


def _unit_at(text: str, start: int) -> _Unit | None:
    found = _UNIT.match(text, start)
    if found is None:
        return None
    large = found["large"] or found["large_alone"] or found["indian"]
    return _Unit(_MULTIPLES.get(found["small"], 1), _MULTIPLES[large.lower()] if large else 1, found.end())


def _multiple_of_range(text: str, number: Fraction, end: int) -> int:
    last = _LAST_OF_RANGE.match(text, end)
    unit = None if last is None else _unit_at(text, last.end())
    if last is None or unit is None or number >= Fraction(last["last"].replace(",", ".")):
        return 1
    return unit.small * unit.large


def _belongs(text: str, further: re.Match[str]) -> bool:
    if currency_after(text, further.end()) is not None:
        return True
    if not further["space"]:
        return _LATIN.match(text, further.end()) is None
    return len(further["digits"]) >= 3 and _WORD.match(text, further.end()) is None


def means_free(text: str) -> bool:
    """Whether the whole text says that nothing is to be paid: `Free!`, `무료`, but not `free shipping`."""
    if len(text) > _LONGEST_FREE:
        return False
    # The dotted capital I of Turkish folds to an i with a dot above.
    return _NO_LETTERS_AROUND.sub("", text).casefold().replace("i\u0307", "i") in _FREE
