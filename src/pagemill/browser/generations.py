"""The browser in use, its successor, and the old ones that are being closed.

Owns launching with back-off, and the rotation of browsers and drivers. Knows nothing of lanes or leases: a slot joins a
generation and leaves it. A generation ends when it is retired and the last slot has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pagemill.browser.clock import Clock
from pagemill.browser.open_state import DriverState, Generation
from pagemill.browser.opener import Opener
from pagemill.browser.pool_stats import Counters
from pagemill.browser.rotation import RotationLevel, Wear, with_jitter
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_LAUNCH_TRIES = 5
_SILENCES = 2
"""After this many unanswered questions in a row, a browser is killed."""

ROTATION_EVENTS = {
    RotationLevel.PAGE: events.PAGE_ROTATION,
    RotationLevel.CONTEXT: events.CONTEXT_ROTATION,
    RotationLevel.BROWSER: events.BROWSER_ROTATION,
    RotationLevel.DRIVER: events.DRIVER_ROTATION,
}

MeasureGroup = Callable[[int], Mapping[int, float]]
"""Takes a process group id; returns the private memory of each of its processes, in MB."""


class Generations:
    """Gives out the serving generation, and launches one if there is none."""

    def __init__(
        self,
        opener: Opener,
        settings: PoolSettings,
        clock: Clock,
        counters: Counters,
        measure: MeasureGroup,
        on_change: Callable[[], None],
    ) -> None:
        """`on_change` is called when another generation serves, when none does, and when a close has ended."""
        self._opener = opener
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._measure = measure
        self._on_change = on_change
        self._current: Generation | None = None
        self._driver: DriverState | None = None
        self._launching: asyncio.Task[None] | None = None
        self._outgoing: tuple[Generation, RotationLevel, str] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._missed_beats = 0
        self._closed = False

    @property
    def serving(self) -> Generation | None:
        """The generation that new slots join, if there is one."""
        return self._current

    @property
    def closing(self) -> int:
        """How many background closes are running."""
        return len(self._background)

    async def current(self) -> Generation:
        """The serving generation. All callers wait for the same launch; cancelling one of them does not disturb it.

        Raises:
            BrowserUnavailable: several launches in a row failed, or the pool was closed meanwhile.
        """
        while self._current is None:
            if self._closed:
                raise BrowserUnavailable("the pool is closed")
            await asyncio.shield(self._launch_task())
        return self._current

    def worked(self) -> None:
        """Notes that a use ended well, so the next launch need not back off."""
        self._failures = 0

    def prepare(self, generation: Generation, level: RotationLevel, reason: str) -> None:
        """Launches the successor of the serving generation, which serves until the successor is ready."""
        if generation is not self._current or self._launching is not None or self._closed:
            return
        if level is RotationLevel.DRIVER:
            self._driver = None
        self._outgoing = (generation, level, reason)
        self._launch_task()

    def retire(self, generation: Generation, level: RotationLevel, reason: str) -> None:
        """Takes the generation out of service. It is closed when its last slot has left."""
        if generation.retired:
            return
        generation.retired, generation.level = reason, level
        if level is RotationLevel.DRIVER:
            generation.driver.retired = reason
            if self._driver is generation.driver:
                self._driver = None
        if self._current is generation:
            self._current = None
        self._on_change()
        self._end_if_empty(generation)

    def suspect(self, generation: Generation, reason: str) -> None:
        """Retires a generation that does not work. Later launches back off."""
        if not generation.retired:
            self._failures += 1
            self.retire(generation, RotationLevel.DRIVER, reason)

    async def check_pulse(self) -> None:
        """Asks the serving browser whether it answers. After several silences, browser and driver are killed."""
        generation = self._current
        if generation is None:
            return
        if await self._opener.answers(generation.handle) or generation.retired:
            self._missed_beats = 0
            return
        self._missed_beats += 1
        if self._missed_beats >= _SILENCES:
            self._missed_beats = 0
            log.error(events.UNRESPONSIVE, what="browser", pid=generation.handle.pid, reason="no answer")
            self.suspect(generation, "unresponsive")
            # A visit that waits for it fails at once, instead of at its own deadline.
            self._opener.kill(generation.handle, generation.driver.handle)

    def join(self, generation: Generation) -> None:
        """Counts a slot that uses the generation."""
        generation.slots += 1

    def leave(self, generation: Generation) -> None:
        """Counts a slot that no longer uses the generation."""
        generation.slots -= 1
        self._end_if_empty(generation)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs clean-up work that ends within deadlines. Only `close` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error(events.UNEXPECTED, exc_info=task.exception())
        self._on_change()

    async def close(self) -> None:
        """Closes everything; all slots must have left. Takes no longer than the deadlines of the single closes."""
        self._closed = True
        if self._launching is not None:
            await asyncio.wait([self._launching])
        if self._current is not None:
            self.retire(self._current, RotationLevel.DRIVER, "close")
        while self._background:
            await asyncio.wait(self._background)
        if self._driver is not None:
            driver, self._driver = self._driver, None
            await self._opener.stop_driver(driver.handle)

    def _launch_task(self) -> asyncio.Task[None]:
        if self._launching is None:
            self._launching = asyncio.get_running_loop().create_task(self._launch(), name="launch")
            # Waiting callers see its error. Without any, reading it here avoids asyncio's warning.
            self._launching.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._launching

    async def _launch(self) -> None:
        # The state changes here and not in a callback of the task: the callback would run one turn of the loop later,
        # and a caller in that turn would find neither a launch under way nor its outcome.
        try:
            generation = await self._launch_patiently()
            if not generation.retired:  # it may be lost already
                self._current = generation
                if self._outgoing is not None:
                    self.retire(*self._outgoing)
        finally:
            self._launching = None
            self._outgoing = None
            self._on_change()

    async def _launch_patiently(self) -> Generation:
        for attempt in range(_LAUNCH_TRIES):
            await self._back_off()
            try:
                return await self._launch_once()
            except BrowserUnavailable as error:
                self._failures += 1
                log.error(events.LAUNCH_FAILED, error=str(error), attempt=attempt + 1)
                if attempt + 1 == _LAUNCH_TRIES or self._closed:
                    raise
        raise AssertionError("unreachable")

    async def _back_off(self) -> None:
        if self._failures and not self._closed:
            longest = self._settings.relaunch_backoff_max_s
            await self._clock.sleep(min(longest, self._settings.relaunch_backoff_s * 2 ** (self._failures - 1)))

    async def _launch_once(self) -> Generation:
        driver = self._driver
        if driver is None:
            driver = await self._start_driver()
            self._driver = driver
        fresh: list[Generation] = []

        def on_lost() -> None:
            for generation in fresh:
                self._lost(generation)

        driver.browsers += 1  # counted while launching, so that nobody stops the driver meanwhile
        try:
            handle = await self._opener.launch(driver.handle, on_lost)
        except BaseException:
            driver.browsers -= 1
            driver.retired = driver.retired or "launch"
            if self._driver is driver:
                self._driver = None
            self._stop_if_idle(driver)
            raise
        generation = Generation(driver, handle, self._wear(self._settings.browser_max_age_s))
        fresh.append(generation)
        self._counters.launches += 1
        log.info(events.BROWSER_LAUNCHED, pid=handle.pid, driver_pid=driver.handle.pid)
        return generation

    async def _start_driver(self) -> DriverState:
        started: list[DriverState] = []

        def on_lost() -> None:
            for driver in started:
                self._driver_lost(driver)

        handle = await self._opener.start_driver(on_lost)
        started.append(DriverState(handle, self._wear(self._settings.driver_max_age_s)))
        return started[0]

    def _wear(self, max_age_s: float) -> Wear:
        return Wear(self._clock.now_s(), with_jitter(max_age_s, self._clock.random))

    def _lost(self, generation: Generation, level: RotationLevel = RotationLevel.BROWSER) -> None:
        if generation.lost or generation.closing:
            return
        generation.lost = True
        log.error(events.BROWSER_LOST, pid=generation.handle.pid, uses=generation.wear.uses)
        self._failures += 1
        self.retire(generation, level, "lost")

    def _driver_lost(self, driver: DriverState) -> None:
        """Its browsers cannot be reached any more. Chromium ends by itself when its pipe closes."""
        log.error(events.DRIVER_LOST, pid=driver.handle.pid, uses=driver.wear.uses)
        if self._driver is driver:
            self._driver = None
        if self._current is not None and self._current.driver is driver:
            self._lost(self._current, RotationLevel.DRIVER)

    def _end_if_empty(self, generation: Generation) -> None:
        if generation.retired and generation.slots == 0 and not generation.closing:
            generation.closing = True
            self.in_background(self._end(generation))

    async def _end(self, generation: Generation) -> None:
        freed_mb = sum(self._measure(generation.handle.group).values())
        await self._opener.close_browser(generation.handle)
        self.log_rotation(RotationLevel.BROWSER, generation.retired, generation.wear, freed_mb)
        driver = generation.driver
        driver.browsers -= 1
        self._stop_if_idle(driver)

    def _stop_if_idle(self, driver: DriverState) -> None:
        if driver is not self._driver and driver.browsers == 0:
            self.in_background(self._stop(driver))

    async def _stop(self, driver: DriverState) -> None:
        freed_mb = driver.wear.size_mb
        await self._opener.stop_driver(driver.handle)
        if driver.handle.native is not None:
            self.log_rotation(RotationLevel.DRIVER, driver.retired or "launch", driver.wear, freed_mb)

    def log_rotation(
        self, level: RotationLevel, reason: str, wear: Wear, freed_mb: float, *, platform: str = "", proxy: str = ""
    ) -> None:
        """Counts and logs one rotation; the end of a pool does not count. Pages and contexts have a platform, and
        contexts may have the name of a proxy."""
        if reason == "close":
            return
        self._counters.count_rotation(level, reason)
        log.info(
            ROTATION_EVENTS[level],
            **({"platform": platform} if platform else {}),
            reason=reason,
            uses=wear.uses,
            age_s=round(self._clock.now_s() - wear.born_s, 1),
            freed_mb=round(freed_mb, 1),
            **({"proxy": proxy} if proxy else {}),
        )
