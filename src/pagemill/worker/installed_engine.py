"""Holds the engine of this process. RQ calls a job by its dotted path, and the job finds its engine here."""

from __future__ import annotations

from typing import Protocol

from pagemill.engine.runner import BatchOutcome
from pagemill.errors import PagemillError, UsageError
from pagemill.model import Batch


class Engine(Protocol):
    """The methods of the engine that a worker uses: `engine.batch_engine.BatchEngine`. A protocol because workers are
    tested, and fleets of them measured, with engines that open no browser."""

    def run_batch(self, batch: Batch, timeout_s: float) -> BatchOutcome:
        """Works a batch off and returns when it has ended. Several threads may do this at once.

        Raises:
            DeadlineExceeded: it took longer.
        """
        ...

    def give_up(self, batch: Batch, reason: str) -> int:
        """Records `failed` for every product without a result; returns their number."""
        ...

    def drain(self) -> None:
        """Makes current and later batches stop at the next item boundary; returns at once. Safe in signal handlers."""
        ...

    def interrupt(self, platform: str) -> None:
        """Cancels the running batch of that platform, from another thread."""
        ...

    def halt(self) -> None:
        """Cancels all current and later batches; their products remain for later. Safe in signal handlers."""
        ...

    def is_lively(self) -> bool:
        """Whether the engine's loop makes progress."""
        ...


_engine: Engine | None = None
_unfit: PagemillError | None = None


def install(engine: Engine | None) -> None:
    """Sets this process' engine; `None` removes it."""
    global _engine, _unfit
    _engine, _unfit = engine, None


def installed() -> Engine:
    """This process' engine.

    Raises:
        UsageError: a batch was taken by something that is not a pagemill worker, such as plain `rq worker`.
    """
    if _engine is None:
        raise UsageError("batches run inside `pagemill worker` only, not in another RQ worker")
    return _engine


def declare_unfit(error: PagemillError) -> None:
    """Declares this process unfit: its batch goes back to the queue, and it ends with that error."""
    global _unfit
    _unfit = error


def unfit() -> PagemillError | None:
    """Why this process cannot work any more; `None` if it can."""
    return _unfit
