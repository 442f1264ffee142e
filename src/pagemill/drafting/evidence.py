"""What one visit of a product's page has brought to light, whole: every place where a fact could stand.

Gathering fills it, everything else only reads it. Texts are as a visitor sees them, blanks made one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PageRole(StrEnum):
    """What whoever drafts says of a page."""

    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    OFF_SALE = "off_sale"
    GONE = "gone"


class Steadiness(StrEnum):
    """How likely a selector is to outlive the shop's next build, best first."""

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
    """A CSS selector whose first match in its document is the element."""

    css: str
    steadiness: Steadiness


@dataclass(frozen=True, slots=True)
class SeenElement:
    """An element that shows a short text, a picture, a control or a meta's content.

    Lengths in CSS pixels. `selectors` are several, of different steadiness; `near` is the text of the nearest label,
    such as the element before it.
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
    """JSON that stands in the page: in the script that a selector finds, in a global variable, or, where there is
    neither, as the whole document."""

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
    """One page. `structured` are the standard facts that it publishes, without those it does not say."""

    role: PageRole
    url: str
    final_url: str
    status: int | None
    title: str
    text: str
    dialogs: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    """Lines that it showed on its way, and not at rest: what stands there while it loads is no sign of anything."""
    structured: Mapping[str, Any] = field(default_factory=dict)
    states: tuple[StateDocument, ...] = ()
    answers: tuple[HeardDocument, ...] = ()
    elements: tuple[SeenElement, ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)
    """What whoever drafts knows of the product: field by value."""
    troubles: tuple[str, ...] = ()
    """Bounds that were met, and what could not be read."""
