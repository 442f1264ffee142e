"""What is known about a run as a whole. Values only; `store` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pagemill.model import Priority, Verdict


class RunState(StrEnum):
    """The state of a run."""

    QUEUEING = "queueing"
    """Its batches are being put on the queue, so the number of its products is not known yet."""
    AT_WORK = "at_work"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Its enqueueing broke off, and every product that was queued by then has a result."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come.

    `products` is `None` until the run is sealed, because the total is unknown during enqueueing. For a run that broke
    off it is the number of products queued by then. `done` counts results. `by_verdict` splits `done` by verdict and
    has no zeros.
    """

    run: str
    products: int | None
    sealed: bool
    done: int
    by_verdict: Mapping[Verdict, int]
    cancelled: bool = False
    broken_off: bool = False
    """Whether its enqueuer died before the whole run was on the queue, and nobody has continued it."""

    @property
    def missing(self) -> int | None:
        """The number of products without a result; `None` until the run is sealed or broke off."""
        return None if self.products is None else max(0, self.products - self.done)

    @property
    def finished(self) -> bool:
        """Whether nothing more happens: every product has a result, or the run was cancelled."""
        return self.cancelled or ((self.sealed or self.broken_off) and self.missing == 0)


def broke_off(products: int) -> str:
    """A sentence for people that the enqueueing broke off."""
    return f"its enqueueing broke off after {products} product{'' if products == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Telling:
    """How the end of a run is reported, as given when the run was begun."""

    entry: str = ""
    """The schedule's entry that began the run; empty if none did."""
    time_zone: str = "UTC"
    notify: Mapping[str, Any] = field(default_factory=dict)
    """The entry's own notice settings, which override `runs` in `alerts.yaml`."""


def priority_of(text: str | None) -> Priority:
    """The priority in a row; older rows have none."""
    return Priority.NORMAL if text is None else Priority(text)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a list of runs; `platform` is `auto` for a run over several.

    Times are timezone-aware UTC. Counts are `None` until the run is sealed. `products` of a run that broke off are
    those queued by then. `done` counts results. `by_verdict` splits `done` by verdict and has no zeros.
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
    """When the death of its enqueuer was noticed; `None` again if somebody continues the run."""

    @property
    def missing(self) -> int | None:
        """The number of products without a result; `None` until the run is sealed or broke off."""
        return None if self.products is None else max(0, self.products - self.done)

    @property
    def state(self) -> RunState:
        """The state of the run."""
        if self.cancelled_at is not None:
            return RunState.CANCELLED
        if self.missing is None:
            return RunState.QUEUEING
        if self.missing:
            return RunState.AT_WORK
        return RunState.COMPLETE if self.broken_at is None else RunState.INCOMPLETE
