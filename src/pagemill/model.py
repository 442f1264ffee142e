"""The values that travel through pagemill. All of them are frozen; none of them does any work."""

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
    """The page is there, the product is not sold any more: suspended, for members only, stopped."""
    GONE = "gone"
    BLOCKED = "blocked"
    FAILED = "failed"


class Priority(StrEnum):
    """Which of a platform's runs come first; in this order."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class ConnectionCounts:
    """A process' connections to one service."""

    in_use: int
    idle: int
    most: int
    """How many there may be at once."""

    def __add__(self, other: ConnectionCounts) -> ConnectionCounts:
        return ConnectionCounts(self.in_use + other.in_use, self.idle + other.idle, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Product:
    """One row of the catalogue."""

    id: str
    url: str
    expected: Facts = field(default_factory=dict)
    platform: str = ""
    """Empty where all products are of one, which is known."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to `batch_size` products of one platform; one batch is one RQ job."""

    run: str
    id: str
    platform: str
    products: tuple[Product, ...]
    tries_left: int = 0
    """How often it will be tried again should this try fail."""


@dataclass(frozen=True, slots=True)
class FieldTold:
    """What one source said of one field, and why it said no more. For people: `pagemill try` and reasons.

    `default` is the value of an `else`, `absent` the `false` of what only had to be there. `text` is what stood there,
    where it was found and not understood. `places` is how many elements fitted, and
    `others` are their other texts, where that was asked for.
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
    """What came of one step before reading."""

    step: str
    outcome: str
    took_ms: int

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}, {self.took_ms} ms"


@dataclass(frozen=True, slots=True)
class PageReading:
    """What one visit brought back, before it is judged.

    `status` is the HTTP status of the document or answer, `None` when there was none, and `url` the address at which
    the visit ended. `ready` says whether the content that the platform waits for appeared. `texts` holds those of the
    texts looked for that a visitor sees in the page. `light` says that no document was loaded, which wears a page out
    much less. `retry_after` is the header of that name, where the strategy itself has seen one. What is for people
    alone does not count in comparisons.
    """

    status: int | None
    url: str
    facts: Facts
    ready: bool = True
    texts: tuple[str, ...] = ()
    light: bool = False
    retry_after: str = ""
    asked: str = field(default="", compare=False)
    """The address that was visited; empty where it does not matter whether the visit ended there."""
    texts_in: tuple[tuple[str, str], ...] = ()
    """As `texts`, for those that count in some elements only: selector and text."""
    selectors: tuple[str, ...] = ()
    """Those of the selectors looked for that a visitor sees something of."""
    dialogs: tuple[str, ...] = ()
    """The messages of dialogs that the page opened."""
    errors: tuple[tuple[str, str | None], ...] = ()
    """Path and word of what stood in JSON answers where errors are looked for."""
    defaults: frozenset[str] = frozenset()
    """Facts that hold because nothing else was found: nobody has said them."""
    told: Mapping[str, tuple[FieldTold, ...]] = field(default_factory=dict, compare=False)
    """What each source said of each field, in the order in which they were asked."""
    troubles: tuple[str, ...] = field(default=(), compare=False)
    """What went wrong with single sources."""
    requests: tuple[str, ...] = field(default=(), compare=False)
    """What was asked for without a page, and what came."""
    refused: int | None = None
    """The status with which a source was refused, where another one has answered."""
    steps: tuple[StepTold, ...] = field(default=(), compare=False)
    """What was done in the page before it was read."""


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
    """What the catalogue had; empty where it had nothing, and for results of 0.1."""


class ResultOutline(NamedTuple):
    """What sums over results need of one, under the names of `ItemResult`; light, as there are many."""

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
