"""Texts as shops publish them, made plain: entities, markup, white space."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

from pagemill.extraction.published.schema_graph import Node
from pagemill.extraction.values import collapse

_MARKUP = re.compile(
    r"</?(?:b|i|u|em|strong|small|span|font|mark|sup|sub|p|div|br|wbr)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE
)
_NOTHING = frozenset({"", "undefined", "null", "none", "nan", "n/a", "[object object]", "-", "false"})
"""What templates write where they have nothing to say."""
_NO_LETTER = re.compile(r"[\W_]+")
_MAX_CHARS = 2_000
_MAX_WRITTEN = 20_000
"""Characters, markup and white space included."""


def read_text(value: object) -> str | None:
    """The text without markup, with entities resolved once and white space collapsed. `None` if it says nothing, or is
    longer than a name: a part of it would be another name."""
    if isinstance(value, Node):
        said = (read_text(inner) for inner in value.values("name")[:5])
        return next((text for text in said if text is not None), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        value = int(value)
    written = str(value)
    if len(written) > _MAX_WRITTEN:
        return None
    text = collapse(_MARKUP.sub(" ", html.unescape(written)))
    return None if len(text) > _MAX_CHARS or text.casefold() in _NOTHING else text


def read_image(value: object, base: str) -> str | None:
    """The whole address of a picture; `None` if it cannot be fetched."""
    if isinstance(value, Node):
        addresses: list[object] = [*value.values("contenturl", "url", "@value"), value.id]
        return next((found for one in addresses if (found := read_image(one, base)) is not None), None)
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_CHARS:
        return None
    try:
        address = urljoin(base, value.strip().replace("&amp;", "&"))
        return address if urlsplit(address).scheme in ("http", "https") and address != base else None
    except ValueError:
        return None


def plain_name(text: str) -> str:
    """A name as names are compared: letters and digits in small letters, one space between words."""
    return _NO_LETTER.sub(" ", (read_text(text) or "").casefold()).strip()
