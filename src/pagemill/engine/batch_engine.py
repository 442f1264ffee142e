"""The engine as other threads see it: they hand in batches and get outcomes. Every wait is bounded.

Each caller's thread waits for its own batch; any number of batches run at once on one loop.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pagemill.engine.item_result import item_result
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import BatchOutcome, Runner
from pagemill.errors import BatchInterrupted, DeadlineExceeded, WorkerWornOut
from pagemill.model import Batch, ItemResult, Judgement, Verdict
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("engine")

_CANCEL_S = 20.0
"""How long the `finally`s of a cancelled batch may take."""
_STOP_S = 5.0
"""The same time when everything must stop at once."""
_LOOK_UP_S = 0.5
"""How often a waiting thread looks whether the loop was given up or its batch was cancelled."""
_STUCK_S = 30.0
"""A loop that has not run for so long is stuck."""


@dataclass(eq=False, slots=True)
class _Work:
    """One batch at work."""

    batch: Batch
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when every `finally` has run, or when nobody waits for it any more."""
    is_cancelled: bool = False
    task: asyncio.Task[BatchOutcome] | None = None
    """Used on the loop's thread only; `None` before the task's first step and after its last."""


class BatchEngine:
    """Runs a `Runner` on a `LoopThread` for callers in other threads."""

    def __init__(
        self,
        loop: LoopThread,
        runner: Runner,
        write: Callable[[list[ItemResult]], int],
        worker: str,
        finished: Callable[[str, str], None] = lambda _run, _batch: None,
        is_cancelled: Callable[[str], bool] = lambda _run: False,
    ) -> None:
        """
        Args:
            loop: where batches are run.
            runner: runs them.
            write: stores results at once, in the calling thread. It ignores products that already have a result.
            worker: this worker's name, for the results of batches that are given up.
            finished: called with run and batch when a batch was given up.
            is_cancelled: whether a run was cancelled; its products then need no result.
        """
        self._loop = loop
        self._runner = runner
        self._write = write
        self._worker = worker
        self._finished = finished
        self._is_cancelled = is_cancelled
        self._at_work: set[_Work] = set()
        self._is_halted = False
        self._abandoned: WorkerWornOut | None = None

    def run_batch(self, batch: Batch, timeout_s: float = math.inf) -> BatchOutcome:
        """Works a batch off, while the calling thread waits.

        If anything ends it early, also an exception raised into the thread, the batch is cancelled. Its `finally`s then
        have 20 s at most. After `halt`, all its products remain.

        Raises:
            DeadlineExceeded: it took longer than `timeout_s`.
            BatchInterrupted: `interrupt` was called for this batch.
            WorkerWornOut: `abandon` was called.
        """
        work = _Work(batch)
        self._at_work.add(work)
        try:
            # Submitted inside of the block, because an exception may be raised before the next line.
            future = self._loop.submit(self._run(work))
            if self._is_halted:
                self._cancel(work)
            return self._outcome(work, future, timeout_s)
        except concurrent.futures.CancelledError as error:
            if self._is_halted:
                return BatchOutcome(done=0, resumed=0, remaining=len(batch.products))
            raise BatchInterrupted("the batch was interrupted") from error
        finally:
            if not work.ended.is_set():
                self._cancel(work)
                patience_s = _STOP_S if self._is_halted else _CANCEL_S
                if not work.ended.wait(patience_s):
                    log.error(events.TIMEOUT, what="cancel a batch", seconds=patience_s)
            self._at_work.discard(work)

    def _outcome(self, work: _Work, future: concurrent.futures.Future[BatchOutcome], timeout_s: float) -> BatchOutcome:
        until_s = time.monotonic() + timeout_s
        while not future.done():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise DeadlineExceeded("the batch", timeout_s)
            # An unlimited wait would miss requests that other threads make meanwhile, and signals.
            concurrent.futures.wait([future], min(left_s, _LOOK_UP_S))
            if future.done():
                break
            if self._abandoned is not None:
                work.ended.set()
                raise self._abandoned
            if work.is_cancelled:
                raise concurrent.futures.CancelledError
        return future.result()

    async def _run(self, work: _Work) -> BatchOutcome:
        work.task = asyncio.current_task()
        try:
            return await self._runner.run(work.batch)
        finally:
            work.task = None
            work.ended.set()

    def give_up(self, batch: Batch, reason: str) -> int:
        """Records `failed` for every product of the batch without a result, unless its run was cancelled. Returns how
        many products were recorded."""
        if self._is_cancelled(batch.run):
            return 0
        judgement = Judgement(Verdict.FAILED, reason)
        count = self._write([item_result(batch, product, judgement, {}, self._worker) for product in batch.products])
        self._finished(batch.run, batch.id)
        return count

    def drain(self) -> None:
        """Makes running and later batches stop at the next item boundary. Safe in signal handlers."""
        self._loop.call(self._runner.drain)

    def interrupt(self, platform: str) -> None:
        """Cancels the running batch of that platform."""
        for work in tuple(self._at_work):
            if work.batch.platform == platform:
                self._cancel(work)

    def halt(self) -> None:
        """Cancels all batches, running and future ones. Safe in signal handlers."""
        self._is_halted = True
        for work in tuple(self._at_work):
            self._cancel(work)

    def abandon(self, error: WorkerWornOut) -> None:
        """Gives up on a loop that does not answer: every `run_batch` raises that error within a second.

        Results that were delivered are still stored. Other workers take over the batches' other products.
        """
        self._abandoned = error
        self._loop.abandon()

    def is_lively(self) -> bool:
        """Whether the loop has run lately."""
        return self._abandoned is None and self._loop.lag_s() < _STUCK_S

    def _cancel(self, work: _Work) -> None:
        """Cancels a batch, once: a second cancellation would interrupt the `finally`s that the first one started."""
        if not work.is_cancelled:
            work.is_cancelled = True
            # A busy loop may receive a batch and its cancellation at once, before the batch's task has begun. The task
            # is known only after its first step, which runs before a call that is added here with `call_soon`.
            self._loop.call(lambda: asyncio.get_running_loop().call_soon(_cancel_task, work))


def _cancel_task(work: _Work) -> None:
    """Cancels the batch's task. If there is no task yet, nothing else would set `ended`, so this does."""
    if work.task is not None:
        work.task.cancel()
    else:
        work.ended.set()
