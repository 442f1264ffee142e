"""Lets the guard read and steer the engine, from any thread and without waiting."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pagemill.browser.pool import BrowserPool
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import Runner
from pagemill.guard.engine_port import WorkView
from pagemill.guard.probe import EngineReading
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("engine")


class GuardedEngine:
    """Implements `guard.engine_port.EnginePort` on a loop, a pool and a runner."""

    def __init__(
        self,
        loop: LoopThread,
        pool: BrowserPool,
        runner: Runner,
        products: Callable[[], int],
        *,
        leave: Callable[[str], None],
        abandon: Callable[[str], None],
    ) -> None:
        """
        Args:
            loop: the engine's loop.
            pool: its pages.
            runner: its batches.
            products: how many products have their result so far.
            leave: drains the worker and ends it.
            abandon: ends the worker if the loop does not answer any more.
        """
        self._loop = loop
        self._pool = pool
        self._runner = runner
        self._products = products
        self._leave = leave
        self._abandon = abandon
        self._heaps_mb: tuple[float, ...] = ()
        self._at_work: dict[str, Any] = {}

    def view(self) -> WorkView:
        """The engine's work at this moment."""
        stats = self._pool.stats()
        return WorkView(
            visits=stats.leases,
            products=self._products(),
            taken=stats.leased,
            pages=stats.leased + stats.idle,
            rotations=stats.rotations,
            platform=", ".join(self._runner.states.platforms),
        )

    def reading(self) -> EngineReading:
        """What the probe cannot measure from outside: the latest heaps, and the loop's delay since the last reading."""
        heaps_mb = self._heaps_mb
        return EngineReading(
            js_heap_mb=round(sum(heaps_mb), 1) if heaps_mb else None,
            largest_js_heap_mb=round(max(heaps_mb), 1) if heaps_mb else None,
            loop_lag_s=self._loop.take_longest_lag_s(),
            standstill_s=self._loop.lag_s(),
        )

    def measure_pages(self) -> None:
        """Starts to ask the pages for their heaps."""

        async def measure() -> None:
            self._heaps_mb = tuple(await self._pool.measure_pages())

        self._once("measure pages", measure)

    def check_pulse(self) -> None:
        """Starts to ask the browser whether it answers."""
        self._once("check pulse", self._pool.check_pulse)

    def _once(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts the work on the loop unless it still runs, so that nothing piles up while the loop is stuck."""
        last = self._at_work.get(name)
        if last is not None:
            if not last.done():
                return
            if not last.cancelled() and last.exception() is not None:
                log.error(events.UNEXPECTED, work=name, exc_info=last.exception())
        self._at_work[name] = self._loop.submit(work())

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        """Passes the sizes to the pool."""
        self._loop.call(self._pool.note_sizes, sizes_mb)

    def limit_places(self, places: int) -> None:
        """Limits the visits at work, and with them the pages that the pool keeps."""
        self._loop.call(self._pool.resize, places)

    def save_memory(self, *, on: bool) -> None:
        """Passes the setting to the pool."""
        self._loop.call(lambda: self._pool.save_memory(on=on))

    def rotate_idle(self) -> None:
        """Passes the request to the pool."""
        self._loop.call(self._pool.rotate_idle)

    def rotate_contexts(self) -> None:
        """Passes the request to the pool."""
        self._loop.call(self._pool.rotate_contexts)

    def retire_browser(self) -> None:
        """Passes the request to the pool."""
        self._loop.call(self._pool.retire_browser)

    def leave(self, reason: str) -> None:
        """Drains the worker and ends it."""
        self._leave(reason)

    def abandon(self, reason: str) -> None:
        """Ends the worker without the loop."""
        self._abandon(reason)

    def stacks(self) -> str:
        """The stacks of every thread and task."""
        return self._loop.stacks()
