"""Everything that one visit of a product's page has found: every place where a fact could be.

Gathering fills it; everything else only reads it. Texts are as a visitor sees them, with white space collapsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PageRole(StrEnum):
    """What whoever drafts says about a page's product."""

    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    OFF_SALE = "off_sale"
    GONE = "gone"


class Steadiness(StrEnum):
    """How likely a selector is to survive the shop's next build, best first."""

    MEANT = "meant"
    """By an attribute that is there for programs: `itemprop`, `data-testid`, `name` of a meta."""
    NAMED = "named"
    """By an id, or by a class that is a word."""
    WORDED = "worded"
    """By the part of a hashed class that is a word: `[class^="Price_"]`."""
    PLACED = "placed"
    """By tags and positions alone."""


@dataclass(frozen=True, slots=True)
class ElementSelector:
    """A CSS selector whose first match in the document is the element."""

    css: str
    steadiness: Steadiness


@dataclass(frozen=True, slots=True)
class SeenElement:
    """An element that shows a short text, a picture, a control or a meta's content.

    Lengths are in CSS pixels. `selectors` has several, of different steadiness. `near` is the text of the nearest
    label, such as the element before it.
    """

    tag: str
    text: str
    selectors: tuple[ElementSelector, ...]
    attributes: Mapping[str, str]
    visible: bool
    struck: bool
    """Whether its text is crossed out, as old prices are."""
    font_px: float
    top_px: float
    left_px: float
    width_px: float
    height_px: float
    near: str = ""


@dataclass(frozen=True, slots=True)
class StateDocument:
    """JSON that is in the page: in the script that a selector finds, in a global variable, or, without these, as the
    whole document."""

    script: str | None
    variable: str | None
    document: Any


@dataclass(frozen=True, slots=True)
class HeardDocument:
    """A JSON answer that the page has fetched."""

    url: str
    status: int
    posted: str
    document: Any


@dataclass(frozen=True, slots=True)
class PageEvidence:
    """The evidence of one page. `structured` are the standard facts that it publishes."""

    role: PageRole
    url: str
    final_url: str
    status: int | None
    title: str
    text: str
    dialogs: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    """Lines that the page showed only while it loaded; they are no sign of anything."""
    structured: Mapping[str, Any] = field(default_factory=dict)
    states: tuple[StateDocument, ...] = ()
    answers: tuple[HeardDocument, ...] = ()
    elements: tuple[SeenElement, ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)
    """What whoever drafts knows of the product: the value of each field."""
    troubles: tuple[str, ...] = ()
    """Limits that were reached, and things that could not be read."""
