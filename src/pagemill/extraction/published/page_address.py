"""Addresses of pages, and whether one that a page publishes names the page itself. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

_TRACKING = re.compile(
    r"utm_.*|gclid|gbraid|wbraid|fbclid|msclkid|srsltid|yclid|dclid|igshid|mc_[ce]id|ref|source|_.*", re.IGNORECASE
)
_MAX_PAIRS = 50
_SHORTEST_ID = 3


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The parts of an address that say which page it is. The host is not one of them: a shop may have several."""

    path: str
    query: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, address: str, base: str = "") -> Self | None:
        """The page's address; `None` for a text that is no address, or only a place within a page."""
        address = address.strip().replace("&amp;", "&")
        if not address or address.startswith("#"):
            return None
        try:
            parts = urlsplit(urljoin(base, address))
            # Some shops name the variant behind the `#`.
            pairs = [
                pair for text in (parts.query, parts.fragment) for pair in parse_qsl(text, max_num_fields=_MAX_PAIRS)
            ]
        except ValueError:
            return None
        if parts.scheme not in ("http", "https"):
            return None
        kept = frozenset((name.casefold(), value) for name, value in pairs if not _TRACKING.fullmatch(name))
        return cls(unquote(parts.path).rstrip("/").casefold(), kept)

    def named_by(self, other: PageAddress) -> int:
        """How well `other` names this page: 0 not at all, 1 if its query has parts that this page's lacks, else 2 and
        one more for each part that both have. A home page is named by its query only.
        """
        if self.path != other.path:
            return 0
        said = {name for name, _value in self.query}
        if any(name in said for name, _value in other.query - self.query):
            return 0
        common = len(other.query & self.query)
        if other.query - self.query or not (self.path or common):
            return 1 if self.path else 0
        return 2 + common

    def has_id(self, identifier: str) -> bool:
        """Whether the id is a whole part of the path, or a whole value of the query."""
        folded = identifier.casefold()
        if len(folded) < _SHORTEST_ID:
            return False
        return folded in self.path.split("/") or any(value.casefold() == folded for _name, value in self.query)
