"""Numbers as people write them. Reads text and nothing else; which text is asked about a field is `values`' matter.

What a separator means, first rule that fits:

1. A space or an apostrophe between groups of three digits groups thousands: `1 299`, `1'299.00`.
2. A point or comma between a group of one to three digits and groups of exactly three digits groups thousands:
   `12,900`, `1.299`, `1.299.000`. With one single separator this is a choice: shops write `1.299` for a thousand and
   `12.90` for a fraction, and hardly ever three decimals. Commas may also group by two, as in `1,29,900`.
3. After the groups, the other sign starts the decimals: `1,299.00`, `1.299,00`.
4. Any other single point or comma starts the decimals: `12.90`, `12,9`, `0.125` and `1234.567` (a thousand would have
   been grouped).

A number that contradicts itself ends where it stops making sense: `2024.12.25` is 2024. A `-` is a sign only where it
touches the number or its currency sign and follows neither a letter nor a digit: `-5`, `-₩5,000`, but not `A-5`, `3-5`.
"""

from __future__ import annotations

import re
import unicodedata

_MAX_DIGITS = 30
"""Longer ones are no quantity of a product, and `int` and `float` stay cheap and finite below it."""

_NUMBER = re.compile(
    r"""
      (?P<spaced>   [1-9][0-9]{0,2} (?:[ '][0-9]{3})+           (?![0-9]) ) (?:[.,](?P<spaced_rest>[0-9]+))?
    | (?P<commas>   [1-9][0-9]{0,2} (?:,[0-9]{2,3})* ,[0-9]{3} (?![0-9]) ) (?:[.](?P<commas_rest>[0-9]+))?
    | (?P<points>   [1-9][0-9]{0,2} (?:[.][0-9]{3})+           (?![0-9]) ) (?:,(?P<points_rest>[0-9]+))?
    | (?P<plain>    [0-9]+ ) (?:[.,](?P<plain_rest>[0-9]+)(?![.,]?[0-9]))?
    | (?<![0-9A-Za-z.]) [.](?P<bare_rest>[0-9]+)
    """,
    re.VERBOSE,
)
_KINDS = ("spaced", "commas", "points", "plain")
_SIGN = re.compile(r"(?<![\w)\-])-[^\w\s\-]?\Z")
_OTHER_SIGNS = str.maketrans(dict.fromkeys("\u2019\u02bc`\u00b4", "'") | {"\u2212": "-"})


def read_number(text: str, *, whole: bool = False) -> int | float | None:
    """The first number in a text, `None` when there is none.

    A whole number is an `int` however it is written (`1,299.00` is 1299), any other a `float`.

    Args:
        text: full-width and other Unicode digits count as digits, every white space as a space.
        whole: the text must be one number and nothing else, not even a currency sign.
    """
    plain = _plain(text.strip())
    found = _NUMBER.search(plain)
    if found is None:
        return None
    before = plain[: found.start()]
    if whole and (found.end() != len(plain) or before not in ("", "-", "+")):
        return None
    value = _value(found)
    return -value if value is not None and _SIGN.search(before) else value


def _plain(text: str) -> str:
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).translate(_OTHER_SIGNS)
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if character.isspace():
        return " "
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _value(found: re.Match[str]) -> int | float | None:
    kind = next((kind for kind in _KINDS if found[kind] is not None), None)
    units = re.sub(r"[ ',.]", "", found[kind]) if kind is not None else "0"
    decimals = (found[f"{kind or 'bare'}_rest"] or "").rstrip("0")
    if len(units) + len(decimals) > _MAX_DIGITS:
        return None
    return float(f"{units}.{decimals}") if decimals else int(units)
