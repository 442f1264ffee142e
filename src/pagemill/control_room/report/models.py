"""What a report says, as values that become JSON: of one run, or of one day. Nothing here is computed.

Times are UTC, sizes PSS in MB, and every list is bounded by who fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportedTimes(_Value):
    """What visited products took, with all attempts and the pauses between them."""

    mean_s: float = 0.0
    p50_s: float = 0.0
    """Half of them took no longer; to 2 percent."""
    p95_s: float = 0.0
    longest_s: float = 0.0


class Stretch(_Value):
    """How many products got their verdict within `span_s` from `at` on."""

    at: datetime
    span_s: float
    products: int


class FieldDifferences(_Value):
    """How many products differ in one field."""

    field: str
    products: int


class ProductLine(_Value):
    """One product that was slow, or got no good verdict."""

    run: str
    product_id: str
    platform: str
    url: str
    verdict: str
    reason: str
    attempts: int
    took_s: float


class ResultFigures(_Value):
    """What results come to."""

    products: int = 0
    verdicts: Mapping[str, int] = {}
    spared: int = 0
    """Products that were seen lately and not visited."""
    retried: int = 0
    """Products that took more than one attempt."""
    retries: int = 0
    """Attempts after the first ones."""
    begins_at: datetime | None = None
    """When the first visit began."""
    ends_at: datetime | None = None
    times: ReportedTimes = ReportedTimes()
    throughput: tuple[Stretch, ...] = ()
    differences: tuple[FieldDifferences, ...] = ()
    """The most frequent first."""
    slowest: tuple[ProductLine, ...] = ()
    failed: tuple[ProductLine, ...] = ()
    """Some of those that failed or were blocked."""
    complete: bool = True
    """Whether all results were looked at; there is a limit for days."""

    @property
    def products_per_minute(self) -> float:
        """From the first visit to the last verdict; 0 where there is nothing to divide."""
        if self.begins_at is None or self.ends_at is None or self.ends_at <= self.begins_at:
            return 0.0
        return self.products * 60 / (self.ends_at - self.begins_at).total_seconds()


class MemoryPoint(_Value):
    """All workers together, by role."""

    at: datetime
    pss_mb: Mapping[str, float]

    @property
    def total_mb(self) -> float:
        """All roles together."""
        return sum(self.pss_mb.values())


class Rotations(_Value):
    """How often one level was replaced. Reasons are known for those that the event log still has, not for pages."""

    level: str
    count: int
    reasons: Mapping[str, int] = {}


class AlertLine(_Value):
    """One alert that went out."""

    at: datetime
    level: str
    name: str
    scope: str
    worker: str
    message: str


class FleetFigures(_Value):
    """What the workers did meanwhile, as far as their history reaches."""

    workers: int = 0
    peak_mb: float = 0.0
    memory: tuple[MemoryPoint, ...] = ()
    rotations: tuple[Rotations, ...] = ()
    alerts: tuple[AlertLine, ...] = ()
    """The newest first."""
    known_from: datetime | None = None
    """The first measurement; `None` when there is none."""


class RunLine(_Value):
    """One run, in a few words. `products` is `None` until all its batches are on the queue."""

    run: str
    platform: str
    source: str
    created_at: datetime
    products: int | None
    done: int
    verdicts: Mapping[str, int] = {}
    broken_off: bool = False
    """Whether its enqueueing broke off: `products` are those that were handed in by then."""


class _Report(_Value):
    title: str
    made_at: datetime
    begins_at: datetime
    ends_at: datetime
    results: ResultFigures
    fleet: FleetFigures
    recommendations: tuple[str, ...] = ()


class RunReport(_Report):
    """One run, from its creation to its last verdict, or to now."""

    kind: Literal["run"] = "run"
    run: RunLine


class DayReport(_Report):
    """One day, or the last 24 hours."""

    kind: Literal["day"] = "day"
    runs: tuple[RunLine, ...] = ()
    """Those that had something done then, the newest first."""


Report = RunReport | DayReport
