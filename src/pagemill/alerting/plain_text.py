"""Makes texts from pages and reasons safe for messages to people. Pure.

A page decides what its text says. In a message that text must not notify anybody (`@everyone`), be a link, contain
control or formatting characters, or be long. Only an address' host and path remain, because the rest may be a secret.
Escaping HTML is the channel's task, because only the channel knows whether it sends HTML.
"""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://+(?:[^\s/@?#]*@)?([^\s?#\"'<>]*)[^\s\"'<>]*", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_CALL, _NO_CALL = "@", "＠"
_MOST_LOOKED_AT = 10_000
"""Characters, far more than a message has: a cut within an address could hide where its password ends."""


def plain_line(text: str, most: int) -> str:
    """The text on one line, at most `most` characters; addresses lose their scheme, password and query."""
    looked_at = text[:_MOST_LOOKED_AT]
    clean = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in looked_at)
    clean = " ".join(_ADDRESS.sub(r"\1", clean).split()).replace(_CALL, _NO_CALL)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def kind_of_reason(reason: str) -> str:
    """The reason without addresses and page texts, so that products that failed for the same reason can be counted."""
    return _QUOTED.sub('"…"', _ADDRESS.sub("…", reason))
