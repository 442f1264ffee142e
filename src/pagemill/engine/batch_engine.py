"""The engine as the worker's main thread sees it: batches in, outcomes out, every wait interruptible and bounded."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable

from pagemill.engine.item_result import item_result
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import BatchOutcome, Runner
from pagemill.errors import BatchInterrupted, WorkerWornOut
from pagemill.model import Batch, ItemResult, Judgement, Verdict
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("engine")

_CANCEL_S = 20.0
"""How long the `finally`s of a cancelled batch may take."""
_STOP_S = 5.0
"""The same when a second signal asks to stop at once."""
_LOOK_UP_S = 0.5
"""How long a signal can go unnoticed that comes at an unlucky moment."""
_STUCK_S = 30.0
"""A loop that has not come round for so long is stuck."""


class BatchEngine:
    """Runs a `Runner` on a `LoopThread` for a caller in another thread."""

    def __init__(self, loop: LoopThread, runner: Runner, write: Callable[[list[ItemResult]], int], worker: str) -> None:
        """`write` stores results at once, in the calling thread; it ignores those of products that have one."""
        self._loop = loop
        self._runner = runner
        self._write = write
        self._worker = worker
        self._task: asyncio.Task[BatchOutcome] | None = None
        self._abandoned: WorkerWornOut | None = None

    def run_batch(self, batch: Batch) -> BatchOutcome:
        """Works a batch off. Whatever exception is raised into the waiting thread (a job time-out by SIGALRM, a second
        signal) cancels the batch, waits for its `finally`s, at most 20 s, and goes on its way.

        Raises:
            BatchInterrupted: `interrupt` was called.
            WorkerWornOut: `abandon` was called.
        """
        ended = threading.Event()
        try:
            # Handed over inside of the block: a signal may come before the next line.
            future = self._loop.submit(self._run(batch, ended))
            # Python runs signal handlers in this thread, and a signal that the kernel gives to another thread, or that
            # comes just before the wait begins, does not end the wait: a time-out or a stop would go unnoticed.
            while not future.done():
                concurrent.futures.wait([future], _LOOK_UP_S)
                if self._abandoned is not None and not future.done():
                    ended.set()
                    raise self._abandoned
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise BatchInterrupted("the batch was interrupted") from error
        except SystemExit:
            # The second signal. The worker stops after this batch in any case; what is left of it goes back unharmed.
            self._cancel_and_wait(ended, _STOP_S)
            return BatchOutcome(done=0, resumed=0, remaining=len(batch.products))
        finally:
            self._cancel_and_wait(ended, _CANCEL_S)

    def _cancel_and_wait(self, ended: threading.Event, timeout_s: float) -> None:
        if not ended.is_set():
            self._loop.call(self._cancel_soon, ended)
            if not ended.wait(timeout_s):
                log.error(events.TIMEOUT, what="cancel a batch", seconds=timeout_s)
                ended.set()

    async def _run(self, batch: Batch, ended: threading.Event) -> BatchOutcome:
        self._task = asyncio.current_task()
        try:
            return await self._runner.run(batch)
        finally:
            self._task = None
            ended.set()

    def give_up(self, batch: Batch, reason: str) -> int:
        """Records `failed` for every product of the batch without a result; how many those were."""
        judgement = Judgement(Verdict.FAILED, reason)
        return self._write([item_result(batch, product, judgement, {}, self._worker) for product in batch.products])

    def drain(self) -> None:
        """Makes running and later batches stop at the next item boundary."""
        self._loop.call(self._runner.drain)

    def interrupt(self) -> None:
        """Cancels the running batch."""
        self._loop.call(self._cancel_soon)

    def abandon(self, error: WorkerWornOut) -> None:
        """Gives up on a loop that does not answer any more: `run_batch` ends with that error, within a second.

        Results that were handed over are still stored; the batch's other products are somebody else's now.
        """
        self._abandoned = error
        self._loop.abandon()

    def is_lively(self) -> bool:
        """Whether the loop has come round lately."""
        return self._abandoned is None and self._loop.lag_s() < _STUCK_S

    def _cancel_soon(self, ended: threading.Event | None = None) -> None:
        # A loop that was busy finds a batch and its cancellation waiting together, and the batch's task not yet begun:
        # it is known only after its first step, which comes before this.
        asyncio.get_running_loop().call_soon(self._cancel, ended)

    def _cancel(self, ended: threading.Event | None) -> None:
        """Cancels the running batch; if none has come this far, there is nobody but this to set `ended`."""
        if self._task is not None:
            self._task.cancel()
        elif ended is not None:
            ended.set()
