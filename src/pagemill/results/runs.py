"""What is known of a run as a whole. Values only; `store` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pagemill.model import Priority, Verdict


class RunState(StrEnum):
    """What is to come of a run."""

    QUEUEING = "queueing"
    """Its batches are being put on the queue; how many products it has is not known yet."""
    AT_WORK = "at_work"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Its enqueueing broke off; each product that was handed in by then has its result."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.

    `products` is `None` until the run is sealed: as long as batches are still being queued nobody knows the total. Of
    one whose enqueueing broke off it is what was handed in by then. `done` counts results; `by_verdict` splits it and
    leaves out verdicts that did not occur.
    """

    run: str
    products: int | None
    sealed: bool
    done: int
    by_verdict: Mapping[Verdict, int]
    cancelled: bool = False
    broken_off: bool = False
    """Whether its enqueuer died before all of it was on the queue, and nobody has gone on with it."""

    @property
    def missing(self) -> int | None:
        """How many products have no result; `None` until the run is sealed, or broke off."""
        return None if self.products is None else max(0, self.products - self.done)

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come: every product of the run has its result, or it was cancelled."""
        return self.cancelled or ((self.sealed or self.broken_off) and self.missing == 0)


def broke_off(products: int) -> str:
    """That the enqueueing of a run broke off, for people."""
    return f"its enqueueing broke off after {products} product{'' if products == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Telling:
    """How a run's end is to be told, as whoever has begun it said."""

    entry: str = ""
    """The schedule's, if it was one."""
    time_zone: str = "UTC"
    notify: Mapping[str, Any] = field(default_factory=dict)
    """What it said otherwise than `runs` of `alerts.yaml`."""


def priority_of(text: str | None) -> Priority:
    """The priority that a row has; older rows have none."""
    return Priority.NORMAL if text is None else Priority(text)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a list of runs; `platform` is `auto` for one over several.

    Times are timezone-aware UTC; the counts are `None` until the run is sealed. `products` of one whose enqueueing
    broke off are those that were handed in by then. `done` counts results; `by_verdict` splits it and leaves out
    verdicts that did not occur.
    """

    run: str
    platform: str
    source: str
    created_at: datetime
    sealed_at: datetime | None
    products: int | None
    batches: int | None
    skipped: int | None
    done: int
    cancelled_at: datetime | None = None
    priority: Priority = Priority.NORMAL
    by_verdict: Mapping[Verdict, int] = field(default_factory=dict)
    broken_at: datetime | None = None
    """When it was noticed that its enqueuer had died; `None` again when somebody goes on with it."""

    @property
    def missing(self) -> int | None:
        """How many products have no result; `None` until the run is sealed, or broke off."""
        return None if self.products is None else max(0, self.products - self.done)

    @property
    def state(self) -> RunState:
        """What is to come of it."""
        if self.cancelled_at is not None:
            return RunState.CANCELLED
        if self.missing is None:
            return RunState.QUEUEING
        if self.missing:
            return RunState.AT_WORK
        return RunState.COMPLETE if self.broken_at is None else RunState.INCOMPLETE
