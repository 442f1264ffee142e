"""The engine's event loop on its own thread. Owns the loop, but nothing that runs on it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Coroutine
from typing import Any, TypeVar

from pagemill.errors import DeadlineExceeded
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("engine")

T = TypeVar("T")

_TICK_S = 0.02
"""Seconds between two ticks that measure the loop's delays. This costs half a percent of one CPU."""
_STACK_LINES = 12
_STACKS_SIZE = 40_000
"""Characters. A longer log line might break a log collector, so it is cut."""


class LoopThread:
    """A named thread with a loop. Start it once, submit coroutines from any other thread, stop it once."""

    def __init__(self, name: str = "engine") -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log_unexpected)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._measuring = threading.Lock()
        self._last_tick_s = time.monotonic()
        self._longest_lag_s = 0.0
        self.abandoned = False

    def start(self) -> None:
        """Starts the loop."""
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Runs a coroutine on the loop; cancelling the future cancels the coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float, what: str) -> T:
        """Runs a coroutine on the loop and waits for it.

        Raises:
            DeadlineExceeded: it took longer, and was cancelled.
        """
        if self.abandoned:
            work.close()
            raise DeadlineExceeded(what, 0)
        future = self.submit(work)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            if future.done():
                raise
            future.cancel()
            raise DeadlineExceeded(what, timeout_s) from error

    def call(self, function: Any, *args: object) -> None:
        """Schedules a plain function on the loop; does nothing if the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)

    def lag_s(self) -> float:
        """Seconds for which the loop has not run beyond its usual tick; close to 0 for a lively loop."""
        return max(0.0, time.monotonic() - self._last_tick_s - _TICK_S)

    def take_longest_lag_s(self) -> float:
        """The loop's longest delay since the last call, in seconds, including a delay that still lasts. For one caller
        only."""
        with self._measuring:
            longest_s, self._longest_lag_s = max(self._longest_lag_s, self.lag_s()), 0.0
        return longest_s

    def abandon(self) -> None:
        """Notes that the loop does not answer any more. Nobody waits for it from now on; it ends with the process."""
        self.abandoned = True

    def stacks(self) -> str:
        """The stack of every thread and of every task of the loop. Works also while the loop is stuck."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        parts = [
            f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame, _STACK_LINES))}"
            for ident, frame in sys._current_frames().items()
        ]
        with contextlib.suppress(RuntimeError):  # tasks begin and end meanwhile
            parts += [_task_stack(task) for task in asyncio.all_tasks(self._loop)]
        return "\n".join(parts)[:_STACKS_SIZE]

    def stop(self, timeout_s: float) -> None:
        """Cancels what still runs, ends the loop and joins the thread.

        Raises:
            DeadlineExceeded: the thread did not end. It is a daemon, so it ends with the process.
        """
        if self._thread.is_alive() and not self.abandoned:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                raise DeadlineExceeded("stop the engine's loop", timeout_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._tick()
        try:
            self._loop.run_forever()
            self._finish()
        finally:
            self._loop.close()

    def _finish(self) -> None:
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=5))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())

    def _tick(self) -> None:
        with self._measuring:
            self._longest_lag_s = max(self._longest_lag_s, self.lag_s())
            self._last_tick_s = time.monotonic()
        self._loop.call_later(_TICK_S, self._tick)


def _task_stack(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=_STACK_LINES)
    lines = "".join(line for frame in frames for line in traceback.format_stack(frame, 1))
    return f"task {task.get_name()}:\n{lines}"


def _log_unexpected(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.warning(events.UNEXPECTED, message=context.get("message"), error=repr(error) if error else None)
