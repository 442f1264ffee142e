"""Texts of pages and reasons as messages to people may hold them. Pure.

A page decides what it says. In a message it must not ring anybody (`@everyone`), be a link that people follow, steer
what shows it (control and formatting characters), or be long; what stands in addresses behind the path may be a secret.
Escaping HTML is the channel's, as only it knows whether it sends any.
"""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://+(?:[^\s/@?#]*@)?([^\s?#\"'<>]*)[^\s\"'<>]*", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_CALL, _NO_CALL = "@", "＠"
_MOST_LOOKED_AT = 10_000
"""Characters; far more than any message has, so that no address is cut where its password stands."""


def plain_line(text: str, most: int) -> str:
    """The text in one line of at most so many characters: addresses without scheme, password and query."""
    looked_at = text[:_MOST_LOOKED_AT]
    clean = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in looked_at)
    clean = " ".join(_ADDRESS.sub(r"\1", clean).split()).replace(_CALL, _NO_CALL)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def kind_of_reason(reason: str) -> str:
    """What products that failed for the same reason have in common: addresses and texts of pages are left out."""
    return _QUOTED.sub('"…"', _ADDRESS.sub("…", reason))
