"""Currency signs and words beside a number: which one stands there, and what is customary with it.

Reads what `number_text` has made plain (NFKC). Knows neither amounts nor rates. A currency that is missing here costs
little: it matters only in a text of several numbers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LETTER = r"[^\W\d_]"
_SIGN = "[$¢£¤¥֏؋৲৳૱௹฿៛\u20a0-\u20c0]"
_WORDS = (
    "USD|EUR|GBP|JPY|KRW|CNY|RMB|INR|CHF|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|RUB|UAH|KZT|BRL|MXN|ARS|CLP|AUD|NZD|HKD|"
    "SGD|TWD|THB|VND|IDR|MYR|PHP|AED|SAR|QAR|KWD|BHD|OMR|JOD|TND|EGP|ILS|ZAR|NGN|KES|PKR|BDT|LKR|kr|Kč|zł|đ|руб|грн|лв"
)
_CASED_WORDS = "TRY|CAD|TL|Rs|rs|Rp|rp|S?Fr|sFr|RM|KD"
"""In another case they are English words or names of models. "Ft" is missing because it also means feet."""
_ANY_WORD = rf"(?:(?i:{_WORDS})|{_CASED_WORDS})"
_LATER_WORDS = (
    r"(?i:euros?|dollars?|rupees?|lira|lei)|won|yen|zl|Kc|р|Р|рубл(?:ь|я|ей)|บาท|درهم|ريال|ریال|جنيه|دينار|تومان"
)
_WORDS_AFTER = (
    rf"(?:{_ANY_WORD}|{_LATER_WORDS})(?!{_LETTER})|[円圆圓块塊]|元(?!気)|원(?![가-힣])|원(?=[대에부이으입짜씩권])"
)
"""`원` also begins words (`원목`), so only a particle may follow it."""

_BEFORE = re.compile(
    rf"(?:(?:(?<!{_LETTER})[A-Z]{{1,3}})?(?P<sign>{_SIGN})|(?<!{_LETTER})(?P<word>{_ANY_WORD})[.]?)(?: ?:)? ?\Z"
)
_AFTER = re.compile(rf" ?(?:(?:[A-Z]{{1,3}})?(?P<sign>{_SIGN})|(?P<word>{_WORDS_AFTER}))")
_LONGEST = 12
"""Characters of the longest word, with the point, colon and space after it."""
_NO_CENTS_MARK = re.compile(r"[.,:/][-\u2013\u2014]{1,2}(?![0-9])")

_NO_CENTS = frozenset("₩원¥円元圆圓块塊₫đ") | {"won", "krw", "yen", "jpy", "cny", "rmb", "vnd", "rp", "idr", "huf"}
_WRITTEN_FIRST = frozenset("$£¥₩₹") | {"chf", "fr", "sfr", "rs", "rp", "rm"}


class Currency(NamedTuple):
    """A sign or word from `start` to `end`, including the space between it and its number."""

    start: int
    end: int
    name: str

    @property
    def has_cents(self) -> bool:
        """Whether shops write hundredths of this currency."""
        return self.name not in _NO_CENTS

    @property
    def written_first(self) -> bool:
        """Whether it stands before its number more often than after it."""
        return self.name in _WRITTEN_FIRST


def currency_before(text: str, end: int) -> Currency | None:
    """The currency that ends at `end`: `$`, `US$ `, `Rs.`, `CHF `, `EUR: `."""
    return _currency(_BEFORE.search(text, max(0, end - _LONGEST), end))


def currency_after(text: str, start: int) -> Currency | None:
    """The currency that begins at `start`, or after one space there: `원`, ` €`, ` kr`."""
    return _currency(_AFTER.match(text, start))


def after_no_cents(text: str, start: int) -> int:
    """Where the mark for "no cents" at `start` ends (`,-`, `.–`, `,--`, `:-`, `/-`); `start` if there is none."""
    mark = _NO_CENTS_MARK.match(text, start)
    return start if mark is None else mark.end()


def _currency(found: re.Match[str] | None) -> Currency | None:
    if found is None:
        return None
    return Currency(found.start(), found.end(), (found["sign"] or found["word"]).casefold())
