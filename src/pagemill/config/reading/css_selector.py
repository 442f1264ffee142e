"""Checks of CSS selectors in the configuration. Pure. It is no parser; it finds what people get wrong: XPath, words of
other tools, brackets that do not end, names of templates.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from pagemill.config.mistakes import Mistake

_XPATH = re.compile(r"\s*(?:xpath=|\(*\.?/)")
_OTHER_TOOL = re.compile(
    r":(?:contains|has-text|text|text-is|text-matches|visible|hidden|eq|gt|lt|nth-match|even|odd|first|last)(?![\w-])"
    r"|\s>>\s|\A\s*(?:text|css|id|role)=",
    re.IGNORECASE,
)
_TEXT = re.compile(r""""(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\\.""", re.DOTALL)
_NAME = re.compile(r"\{[A-Za-z_]\w*\}")
_PAIRS = {")": "(", "]": "["}
_CUT = re.compile(r"\A\s*,|[,>+~]\s*\Z|,\s*,")


def check_selector(text: str) -> str:
    """The text itself, if nothing shows that it is no selector.

    Raises:
        Mistake: no browser could read it, or it has a template's name, which is not filled in here.
    """
    if _XPATH.match(text):
        raise Mistake(f"{text!r} is XPath, not CSS", "write a CSS selector, such as h1.name")
    bare = _TEXT.sub("", text)
    if other := _OTHER_TOOL.search(bare):
        remedy = "write plain CSS; for an element by its text: a wider selector with visible: true and a map"
        raise Mistake(f"{text!r} is no CSS: {other[0].strip()} is of another tool", remedy)
    if name := _NAME.search(text):
        remedy = "leave it out, and choose the element by its place in the page"
        raise Mistake(f"{name[0]} is not filled in here: selectors are no templates", remedy)
    if not _is_whole(bare) or _CUT.search(bare):
        raise Mistake(f"{text!r} is no CSS selector: a bracket, a quote or a part is missing", "mend it")
    return text


Selector = Annotated[str, Field(min_length=1), AfterValidator(check_selector)]


def _is_whole(bare: str) -> bool:
    """Whether brackets close in order, and no quote or brace is left over."""
    open_ones: list[str] = []
    for character in bare:
        if character in "([":
            open_ones.append(character)
        elif (character in _PAIRS and (not open_ones or open_ones.pop() != _PAIRS[character])) or character in "\"'{}":
            return False
    return not open_ones
