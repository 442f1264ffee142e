"""Numbers as people write them. Reads text and nothing else; `values` decides which text belongs to a field.

How a number is written, first rule that fits:

1. A space or an apostrophe between groups of three digits groups thousands: `1 299`, `1'299.00`.
2. A point or comma between a group of one to three digits and groups of exactly three digits groups thousands:
   `12,900`, `1.299`, `1.299.000`. With one single separator this is a choice: shops write `1.299` for a thousand and
   `12.90` for a fraction, and hardly ever three decimals; where a shop does, `decimal` says so. Commas may also group
   by two, as in `1,29,900`.
3. After the groups, the other sign starts the decimals: `1,299.00`, `1.299,00`.
4. Any other single point or comma starts the decimals: `12.90`, `12,9`, `0.125` and `1234.567` (a thousand would have
   been grouped).

To any of them:

5. Cents may stand apart: `247, 50`, `64€90`, `$318 40`; `cents_apart` has the conditions.
6. A unit multiplies and takes smaller parts with it: `1.5만`, `3만 9,900`, `2 lakh`. A single point before it always
   starts decimals.

A number that contradicts itself ends where it stops making sense: `2024.12.25` is 2024. A `-` is a sign only where it
touches the number or its currency sign and follows neither a letter nor a digit: `-5`, `-₩5,000`, but not `A-5`, `3-5`.

Which number of a text is meant, first rule that fits:

1. The first that is not beside a percent sign, if it looks like an amount: it is written with a separator or in four
   digits. `12,900 (배송비 3,000원)` is 12900.
2. The first beside a currency: `35% 12,900원`, `2 for $5`. A currency between two numbers belongs to the one it
   touches. What stands behind a range is said of both its numbers: `10 ~ 20 €`.
3. The first that is not beside a percent sign.
4. The first.

A text without any number is 0 if the whole of it means that nothing is to be paid: `Free`, `무료`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pagemill.extraction.numbers.currency_words import after_no_cents, currency_after, currency_before
from pagemill.extraction.numbers.number_forms import WrittenNumber, amounts, plain_digits
from pagemill.extraction.numbers.number_words import means_free

_RANGE = re.compile(r" ?(?:[-~\u2013\u2014\u301c]|to|bis|à|до|至|から) ?")
_AMOUNT_DIGITS = 4
_PERCENT_BEFORE = re.compile(r"(?<![0-9])(?:%|(?<![0-9] )% )\Z")


_SPACED_GROUPS = re.compile(r"\A(?P<before>[-+]? ?)(?P<number>[1-9][0-9]{0,2}(?: ?, ?[0-9]{3})+)(?![0-9]|[.,][0-9])")
"""Groups with spaces at their commas, as when each group is an element of its own. Such a text is an amount."""


class _Candidate(NamedTuple):
    """A number of the text, what follows it, and what stands beside it."""

    amount: WrittenNumber
    currency_behind: bool
    percent_behind: bool
    currency: bool
    percent: bool


def read_number(text: str, *, whole: bool = False, decimal: Literal[".", ","] | None = None) -> int | float | None:
    """The number that a text means, `None` when there is none.

    A whole number is an `int` however it is written (`1,299.00` is 1299), any other a `float`. Numbers of more than 30
    digits are passed over. Takes time linear in the text.

    Args:
        text: full-width and other Unicode digits count as digits, every white space as a space.
        whole: the text must be one number and nothing else, not even a currency sign; a unit is part of its number.
        decimal: the sign that starts decimals where the text leaves a choice: `"."` makes `12.900` 12.9, `","` makes
            `12,900` that. Where it leaves none, as in `1.299.000` or `12.90`, the text is believed.
    """
    readable = _SPACED_GROUPS.sub(_closed, plain_digits(text.strip()))
    found = amounts(readable, decimal)
    if whole:
        first = next(found, None)
        return first.value if first is not None and _is_whole(readable, first) else None
    candidates = _candidates(readable, list(found))
    if not candidates:
        return 0 if means_free(readable) else None
    first_plain = next((candidate for candidate in candidates if not candidate.percent), None)
    if first_plain is not None and _looks_like_an_amount(readable, first_plain.amount):
        return first_plain.amount.value
    return min(candidates, key=lambda candidate: (not candidate.currency, candidate.percent)).amount.value


def _closed(found: re.Match[str]) -> str:
    if currency_after(found.string, found.end()) is None and found.end() < len(found.string):
        return found[0]
    return found["before"] + found["number"].replace(" ", "")


def _looks_like_an_amount(text: str, amount: WrittenNumber) -> bool:
    written = text[amount.start : amount.end]
    return len(written) >= _AMOUNT_DIGITS or not written.isdecimal()


def _is_whole(text: str, amount: WrittenNumber) -> bool:
    return amount.end == len(text) and text[: min(amount.start, 2)] in ("", "-", "+")


def _candidates(text: str, found: Sequence[WrittenNumber]) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    following: _Candidate | None = None
    # From the last to the first, because the start of a range takes over what follows the range's end.
    for amount in reversed(found):
        if following is not None and _RANGE.fullmatch(text, amount.end, following.amount.start):
            currency, percent = following.currency_behind, following.percent_behind
        else:
            currency = _has_currency_behind(text, amount, following)
            percent = _has_percent_behind(text, amount, following)
        start = amount.start - 1 if text[amount.start - 1 : amount.start] == "-" else amount.start
        following = _Candidate(
            amount,
            currency,
            percent,
            currency or currency_before(text, start) is not None,
            percent or _PERCENT_BEFORE.search(text, max(0, start - 2), start) is not None,
        )
        candidates.append(following)
    candidates.reverse()
    return candidates


def _has_currency_behind(text: str, amount: WrittenNumber, following: _Candidate | None) -> bool:
    if after_no_cents(text, amount.end) > amount.end:
        return True
    currency = currency_after(text, amount.end)
    if currency is None or following is None or text[amount.end] != " ":
        return currency is not None
    gap = text[currency.end : min(following.amount.start, currency.end + 2)]
    if following.percent or following.currency_behind:
        return gap != ""
    return not (gap == "" or (gap == " " and currency.written_first))


def _has_percent_behind(text: str, amount: WrittenNumber, following: _Candidate | None) -> bool:
    if text.startswith(" %", amount.end):
        return following is None or following.amount.start != amount.end + 2
    return text.startswith("%", amount.end)
