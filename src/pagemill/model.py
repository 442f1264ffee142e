"""The values that pagemill's parts exchange. All are frozen and contain no logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

FactValue = str | int | float | bool | None
"""What a field of a product can hold; `None` means that the page did not say."""

Facts = Mapping[str, FactValue]
"""What a page said, or what a product is expected to have: field name to value."""


class Verdict(StrEnum):
    """The judgement on one product."""

    OK = "ok"
    CHANGED = "changed"
    SOLD_OUT = "sold_out"
    OFF_SALE = "off_sale"
    """The page exists, but the product is no longer sold: suspended, for members only, discontinued."""
    GONE = "gone"
    BLOCKED = "blocked"
    FAILED = "failed"


class Priority(StrEnum):
    """Which of a platform's runs is worked on first; in this order."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class ConnectionCounts:
    """A process' connections to one service."""

    in_use: int
    idle: int
    most: int
    """The most connections at a time."""

    def __add__(self, other: ConnectionCounts) -> ConnectionCounts:
        return ConnectionCounts(self.in_use + other.in_use, self.idle + other.idle, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Product:
    """One row of the catalogue."""

    id: str
    url: str
    expected: Facts = field(default_factory=dict)
    platform: str = ""
    """Empty if all products have the same platform, which is known from the context."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to `batch_size` products of one platform; one batch is one RQ job."""

    run: str
    id: str
    platform: str
    products: tuple[Product, ...]
    tries_left: int = 0
    """How often the batch is tried again if this try fails."""


@dataclass(frozen=True, slots=True)
class FieldTold:
    """What one source said about one field, or why it said nothing. For people: `pagemill try` and reasons.

    `default` is the value of an `else`, `absent` the `false` of a field that only had to exist. `text` is what was
    found but not understood. `places` is the number of matching elements, and `others` are their other texts, if
    these were asked for.
    """

    source: int
    strategy: str
    value: FactValue = None
    state: Literal["said", "default", "absent", "not_found", "not_understood", "cut"] = "not_found"
    text: str = ""
    places: int = 0
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepTold:
    """The outcome of one step before reading."""

    step: str
    outcome: str
    took_ms: int

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}, {self.took_ms} ms"


@dataclass(frozen=True, slots=True)
class PageReading:
    """What one visit found, before it is judged.

    `status` is the HTTP status of the document or answer, or `None` without one. `url` is the address at which the
    visit ended. `ready` says whether the content that the platform waits for appeared. `texts` are the searched texts
    that a visitor sees on the page. `light` means that no document was loaded, which wears a page out much less.
    `retry_after` is the header of that name, if the strategy itself has seen one. Fields that are only for people are
    ignored in comparisons.
    """

    status: int | None
    url: str
    facts: Facts
    ready: bool = True
    texts: tuple[str, ...] = ()
    light: bool = False
    retry_after: str = ""
    asked: str = field(default="", compare=False)
    """The address that was visited; empty if it does not matter whether the visit ended there."""
    texts_in: tuple[tuple[str, str], ...] = ()
    """Like `texts`, for texts that count only in some elements: selector and text."""
    selectors: tuple[str, ...] = ()
    """The searched selectors of which a visitor sees an element."""
    dialogs: tuple[str, ...] = ()
    """The messages of dialogs that the page opened."""
    errors: tuple[tuple[str, str | None], ...] = ()
    """Path and word of errors that were found in JSON answers."""
    defaults: frozenset[str] = frozenset()
    """Facts that hold only because nothing else was found; no source has said them."""
    told: Mapping[str, tuple[FieldTold, ...]] = field(default_factory=dict, compare=False)
    """What each source said about each field, in the order of the sources."""
    troubles: tuple[str, ...] = field(default=(), compare=False)
    """Errors of single sources."""
    requests: tuple[str, ...] = field(default=(), compare=False)
    """Requests without a page, and their answers."""
    refused: int | None = None
    """The status by which a source was refused, if another source has answered."""
    steps: tuple[StepTold, ...] = field(default=(), compare=False)
    """The steps on the page before it was read."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One expected field that the page contradicts."""

    field: str
    expected: FactValue
    found: FactValue


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason (empty for `ok`) and the differences found."""

    verdict: Verdict
    reason: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The one result of one product in one run. Times are timezone-aware UTC.

    `url` is the catalogue's; `final_url` is where the visit ended, empty where there was none.
    """

    run: str
    batch: str
    product_id: str
    url: str
    platform: str
    verdict: Verdict
    reason: str
    differences: tuple[Difference, ...]
    facts: Facts
    attempts: int
    started_at: datetime
    finished_at: datetime
    worker: str
    final_url: str = ""
    expected: Facts = field(default_factory=dict)
    """The values that the catalogue expected; empty if it expected none, and for results of 0.1."""


class ResultOutline(NamedTuple):
    """The fields of a result that sums need, under the names of `ItemResult`. A tuple, because there are many."""

    run: str
    product_id: str
    url: str
    platform: str
    verdict: Verdict
    reason: str
    differences: tuple[Difference, ...]
    attempts: int
    started_at: datetime
    finished_at: datetime
