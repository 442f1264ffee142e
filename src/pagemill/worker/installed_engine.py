"""The engine of this process: RQ calls a job by its dotted path, and this is how it reaches its worker's engine."""

from __future__ import annotations

from typing import Protocol

from pagemill.engine.runner import BatchOutcome
from pagemill.errors import PagemillError, UsageError
from pagemill.model import Batch


class Engine(Protocol):
    """What a worker needs of the engine behind it: `engine.batch_engine.BatchEngine`. A protocol because workers are
    tested, and fleets of them measured, with engines that open no browser."""

    def run_batch(self, batch: Batch, timeout_s: float) -> BatchOutcome:
        """Works a batch off in the calling thread's time; several at once.

        Raises:
            DeadlineExceeded: it took longer.
        """
        ...

    def give_up(self, batch: Batch, reason: str) -> int:
        """Records `failed` for every product without a result; how many those were."""
        ...

    def drain(self) -> None:
        """Makes running and later batches stop at the next item boundary; returns at once. Safe in signal handlers."""
        ...

    def interrupt(self, platform: str) -> None:
        """Cancels the running batch of that platform, from another thread."""
        ...

    def halt(self) -> None:
        """Cancels all batches that run, and all that come; their products remain. Safe in signal handlers."""
        ...

    def is_lively(self) -> bool:
        """Whether the engine's loop makes progress."""
        ...


_engine: Engine | None = None
_unfit: PagemillError | None = None


def install(engine: Engine | None) -> None:
    """Makes that engine this process' one; `None` takes it away again."""
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
    """Says that this process cannot work any more: its batch goes back, and it ends with that error."""
    global _unfit
    _unfit = error


def unfit() -> PagemillError | None:
    """Why this process cannot work, `None` while it can."""
    return _unfit
