"""The contents of a report on a run or a day, as values that become JSON. Computes nothing.

Times are UTC, sizes are PSS in MB, and every list has a length limit, which its producer enforces.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportedTimes(_Value):
    """The time of visited products, including all attempts and the pauses between them."""

    mean_s: float = 0.0
    p50_s: float = 0.0
    """The median, to within 2 percent."""
    p95_s: float = 0.0
    longest_s: float = 0.0


class Stretch(_Value):
    """How many products got their verdict within `span_s` seconds from `at` on."""

    at: datetime
    span_s: float
    products: int


class FieldDifferences(_Value):
    """How many products differ in one field."""

    field: str
    products: int


class ProductLine(_Value):
    """One product that was slow, or that failed or was blocked."""

    run: str
    product_id: str
    platform: str
    url: str
    verdict: str
    reason: str
    attempts: int
    took_s: float


class ResultFigures(_Value):
    """The sums of results."""

    products: int = 0
    verdicts: Mapping[str, int] = {}
    spared: int = 0
    """Products that were not visited, because they were seen recently."""
    retried: int = 0
    """Products that took more than one attempt."""
    retries: int = 0
    """All attempts after the first, summed over the products."""
    begins_at: datetime | None = None
    """The start of the first visit."""
    ends_at: datetime | None = None
    times: ReportedTimes = ReportedTimes()
    throughput: tuple[Stretch, ...] = ()
    differences: tuple[FieldDifferences, ...] = ()
    """Most frequent first."""
    slowest: tuple[ProductLine, ...] = ()
    failed: tuple[ProductLine, ...] = ()
    """Some of the products that failed or were blocked."""
    complete: bool = True
    """Whether all results were read; a day's report has a limit."""

    @property
    def products_per_minute(self) -> float:
        """The rate from the first visit to the last verdict; 0 if that is no time at all."""
        if self.begins_at is None or self.ends_at is None or self.ends_at <= self.begins_at:
            return 0.0
        return self.products * 60 / (self.ends_at - self.begins_at).total_seconds()


class MemoryPoint(_Value):
    """The memory of all workers together, by role."""

    at: datetime
    pss_mb: Mapping[str, float]

    @property
    def total_mb(self) -> float:
        """The sum over all roles."""
        return sum(self.pss_mb.values())


class Rotations(_Value):
    """The number of replacements at one level. Reasons are known only of those in the event log, and never of pages."""

    level: str
    count: int
    reasons: Mapping[str, int] = {}


class AlertLine(_Value):
    """One alert that was sent."""

    at: datetime
    level: str
    name: str
    scope: str
    worker: str
    message: str


class FleetFigures(_Value):
    """What the workers did meanwhile, as far back as their history reaches."""

    workers: int = 0
    peak_mb: float = 0.0
    memory: tuple[MemoryPoint, ...] = ()
    rotations: tuple[Rotations, ...] = ()
    alerts: tuple[AlertLine, ...] = ()
    """Newest first."""
    known_from: datetime | None = None
    """The time of the first measurement; `None` without any."""


class RunLine(_Value):
    """One run in brief. `products` is `None` until all its batches are on the queue."""

    run: str
    platform: str
    source: str
    created_at: datetime
    products: int | None
    done: int
    verdicts: Mapping[str, int] = {}
    broken_off: bool = False
    """Whether its enqueueing broke off; `products` are then those queued until then."""


class _Report(_Value):
    title: str
    made_at: datetime
    begins_at: datetime
    ends_at: datetime
    results: ResultFigures
    fleet: FleetFigures
    recommendations: tuple[str, ...] = ()


class RunReport(_Report):
    """One run, from its creation to its last verdict, or until now."""

    kind: Literal["run"] = "run"
    run: RunLine


class DayReport(_Report):
    """One day, or the last 24 hours."""

    kind: Literal["day"] = "day"
    runs: tuple[RunLine, ...] = ()
    """The runs with a verdict in that time, newest first."""


Report = RunReport | DayReport
