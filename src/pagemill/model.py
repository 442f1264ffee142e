"""The values that travel through pagemill. All of them are frozen; none of them does any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

FactValue = str | int | float | bool | None
"""What a field of a product can hold; `None` means that the page did not say."""

Facts = Mapping[str, FactValue]
"""What a page said, or what a product is expected to have: field name to value."""


class Verdict(StrEnum):
    """The judgement on one product."""

    OK = "ok"
    CHANGED = "changed"
    SOLD_OUT = "sold_out"
    GONE = "gone"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Product:
    """One row of the catalogue."""

    id: str
    url: str
    expected: Facts = field(default_factory=dict)


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
class PageReading:
    """What one visit of one page brought back, before it is judged.

    `status` is the HTTP status of the document, `None` when there was none. `ready` says whether the content that
    the platform waits for appeared. `texts` holds those of the texts looked for that the page contains. `light` says
    that no document was loaded, which wears a page out much less. `retry_after` is the header of that name, where the
    strategy itself has seen one.
    """

    status: int | None
    url: str
    facts: Facts
    ready: bool = True
    texts: tuple[str, ...] = ()
    light: bool = False
    retry_after: str = ""


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
    """The one result of one product in one run. Times are timezone-aware UTC."""

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
