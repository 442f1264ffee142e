"""Cents that stand apart from their number: `247, 50`, `12'90 €`, `64€90`, `$318 40`.

A page's text has a space wherever an element begins, so cents in an element of their own arrive like this. Two digits
behind a number may also be a quantity, a discount or the next price; each way of writing therefore has its conditions,
and in doubt they are no cents. Reads what `number_text` has made plain (NFKC).
"""

from __future__ import annotations

import re

from pagemill.extraction.numbers.currency_words import Currency, currency_after, currency_before

_CENTS = r"(?P<cents>[0-9]{2})(?![0-9]|[.,'][0-9]| ?%)"
_BEHIND_A_POINT = re.compile(rf"(?P<point>[':]| [.,] ?|[.,] ){_CENTS}")
_BEHIND_A_CURRENCY = re.compile(rf" ?{_CENTS}")
_BEHIND_A_SPACE = re.compile(rf" {_CENTS}")
_IN_A_LIST = re.compile(r"[0-9] ?[.,'] ?\Z")
_WORDS_AFTER_A_PRICE = (
    "each|ea|was|now|only|per|pro|par|le|la|inc|incl|inkl|excl|exkl|ex|zzgl|ttc|ht|vat|gst|mwst|tva|iva|kdv|msrp|rrp|"
    "list|reg|orig|sale|save|you|statt"
)
_END_OF_A_PRICE = re.compile(  # the last alternative: another price written like this one
    rf" ?(?:\Z|[)(*;|!]|[.,/](?! ?[0-9])|[+] |[-~\u2013\u2014] ?[$€£])| (?i:{_WORDS_AFTER_A_PRICE})(?![^\W\d_])"
    r"| [0-9][0-9.,]{0,8} ?€ ?[0-9]{2}(?![0-9])"
)


def cents_apart(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The two digits of the cents after the whole number from `start` to `end`, and where they end; `None` without
    cents.

    - After a point with a space beside it, an apostrophe or a colon: in a price with its currency. After a point also
      without one, if the text holds nothing else.
    - After the currency: if it touches number and cents, or at the end of a price.
    - After a space: at the end of a price with its currency in front, or if the text begins with the number and the
      currency follows the cents.

    A currency without cents, such as won or yen, has none here either.
    """
    ahead = currency_before(text, start - 1 if text[start - 1 : start] == "-" else start)
    if (ahead is not None and not ahead.has_cents) or _IN_A_LIST.search(text, max(0, start - 3), start):
        return None
    found = (
        _behind_a_point(text, start, end, ahead)
        or (_behind_a_currency(text, start, end) if ahead is None else None)
        or _behind_a_space(text, start, end, ahead)
    )
    return None if found is None else (found["cents"], found.end())


def _behind_a_point(text: str, start: int, end: int, ahead: Currency | None) -> re.Match[str] | None:
    found = _BEHIND_A_POINT.match(text, end)
    if found is None or found["point"].strip() in text[start:end]:
        return None
    currency = _own_currency(text, found.end())
    if currency is not None:
        return found if currency.has_cents else None
    ends_a_price = _END_OF_A_PRICE.match(text, found.end()) is not None
    if ahead is not None:
        # A point followed by a space may also end a sentence.
        return found if ends_a_price or not found["point"].endswith(" ") else None
    point = found["point"].strip()
    alone = _is_first(text, start) and ends_a_price and not text.startswith(point, found.end())
    return found if alone and point in ".," else None


def _behind_a_currency(text: str, start: int, end: int) -> re.Match[str] | None:
    currency = currency_after(text, end)
    found = None if currency is None else _BEHIND_A_CURRENCY.match(text, currency.end)
    if currency is None or found is None or not currency.has_cents or currency_after(text, found.end()) is not None:
        return None
    number_touches, cents_touch = text[end] != " ", text[found.start()] != " "
    if number_touches and cents_touch:
        return None if text[found.end() : found.end() + 1].isalpha() else found
    if not number_touches and (currency.written_first or (cents_touch and not _is_first(text, start))):
        return None  # the currency of the second number: `2 $15`, `pack of 2 €15`
    return found if _END_OF_A_PRICE.match(text, found.end()) else None


def _behind_a_space(text: str, start: int, end: int, ahead: Currency | None) -> re.Match[str] | None:
    found = _BEHIND_A_SPACE.match(text, end)
    if found is None:
        return None
    if ahead is not None:
        ends_a_price = _END_OF_A_PRICE.match(text, found.end()) or currency_after(text, found.end())
        return found if ends_a_price is not None else None
    currency = _own_currency(text, found.end())
    return found if currency is not None and currency.has_cents and _is_first(text, start) else None


def _own_currency(text: str, end: int) -> Currency | None:
    """The currency after the cents, unless it belongs to the next number because it touches that."""
    currency = currency_after(text, end)
    if currency is not None and text[end] == " " and text[currency.end : currency.end + 1].isdigit():
        return None
    return currency


def _is_first(text: str, start: int) -> bool:
    return start <= 1 and text[:start] in ("", "-", "+")
