"""BrowserPool: leases pages to lanes, and rotates them behind the lanes' backs.

All state changes happen first and without awaiting; I/O follows in tasks of its own that no lane's cancellation
reaches. A waiter is only woken, never handed anything, so a waiter that is cancelled takes nothing with it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType

from playwright.async_api import Page

from pagemill.browser.generations import Clock, Generations, MeasureGroup, Opener
from pagemill.browser.launcher import PageHandle
from pagemill.browser.rotation import Level, Limits, Wear, decide, last_use, with_jitter
from pagemill.browser.slot import Counters, Generation, OpenContext, OpenPage, PoolStats, Slot, Successor
from pagemill.config.platform import Platform
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable, DeadlineExceeded, PageLost
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_FURNISH_TRIES = 3
_RENDERER_EXIT_S = 0.3
"""How long a closed page's renderer may take to exit before its memory counts as not freed."""


class SystemClock:
    """The real clock."""

    def now_s(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def random(self) -> float:
        """A number in [0, 1)."""
        return random.random()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


class Lease:
    """The right to use one page for one item."""

    def __init__(self, pool: BrowserPool, platform: Platform) -> None:
        self._pool = pool
        self._platform = platform
        self._slot: Slot | None = None
        self._bad = ""
        self._suspicious = False

    @property
    def page(self) -> Page:
        """The leased page; only between entering and leaving."""
        return self._handle().page

    @property
    def refusal(self) -> str | None:
        """Why the page's last navigation was refused by the platform's host rules; `None` when it was not."""
        return self._handle().firewall.refusal

    def mark_bad(self, reason: str) -> None:
        """Says that the page must not be used again; `reason` is one of a few fixed words."""
        self._bad = self._bad or reason

    async def __aenter__(self) -> Lease:
        self._slot = await self._pool._acquire(self._platform)
        self._handle().firewall.reset()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        slot, self._slot = self._slot, None
        assert slot is not None
        if error is not None:
            self.mark_bad(type(error).__name__)
            self._suspicious = isinstance(error, PageLost | DeadlineExceeded)
        self._pool._release(slot, bad=self._bad, suspicious=self._suspicious)

    def _handle(self) -> PageHandle:
        assert self._slot is not None and self._slot.page is not None, "the lease has ended"
        return self._slot.page.handle


class BrowserPool:
    """At most `size` pages at work, each leased to one item at a time."""

    def __init__(
        self,
        opener: Opener,
        settings: PoolSettings,
        size: int,
        *,
        clock: Clock | None = None,
        measure: MeasureGroup = lambda _group: {},
    ) -> None:
        """
        Args:
            opener: opens and closes the real things.
            settings: limits and deadlines.
            size: how many pages may be leased at once.
            clock: time and chance.
            measure: private memory by process of a process group, for the log's `freed_mb`.
        """
        self._opener = opener
        self._settings = settings
        self._size = size
        self._clock = clock or SystemClock()
        self._measure = measure
        self._counters = Counters()
        self._generations = Generations(opener, settings, self._clock, self._counters, measure, self._drop_outdated)
        self._idle: deque[Slot] = deque()
        self._leased = 0
        self._changed = asyncio.Event()
        self._closed = False

    async def open(self) -> None:
        """Launches the first browser.

        Raises:
            BrowserUnavailable: it cannot be launched.
        """
        await self._generations.current()

    def lease(self, platform: Platform) -> Lease:
        """`async with pool.lease(platform) as lease:` waits for a free place and gives `lease.page`.

        An exception that leaves the block, cancellation included, retires the page.

        Raises:
            BrowserUnavailable: on entering, when no browser can be had.
        """
        return Lease(self, platform)

    def resize(self, size: int) -> None:
        """Sets how many pages may be leased at once; pages above that end when they are given back."""
        self._size = max(1, size)
        self._trim()
        self._wake()

    async def drain(self) -> None:
        """Waits until no page is leased."""
        while self._leased:
            await self._changed.wait()

    def stats(self) -> PoolStats:
        """The pool now."""
        rotations = {level.name.lower(): 0 for level in Level}
        for (level, _reason), count in self._counters.rotations.items():
            rotations[level.name.lower()] += count
        return PoolStats(
            size=self._size,
            leased=self._leased,
            idle=len(self._idle),
            closing=self._generations.closing,
            leases=self._counters.leases,
            waits=self._counters.waits,
            launches=self._counters.launches,
            rotations=rotations,
        )

    async def close(self) -> None:
        """Closes every page, browser and driver, politely or not; leases must have ended. Safe to call twice."""
        self._closed = True
        self._wake()
        while self._idle:
            self._drop(self._idle.popleft(), "close")
        await self._generations.close()

    async def _acquire(self, platform: Platform) -> Slot:
        waited = False
        while self._leased >= self._size or self._generations.closing > 2 * self._size + 2:
            if self._closed:
                break
            self._counters.waits += not waited
            waited = True
            await self._changed.wait()
        if self._closed:
            raise BrowserUnavailable("the pool is closed")
        self._leased += 1
        try:
            slot = await self._furnished(platform)
        except BaseException:
            self._leased -= 1
            self._wake()
            raise
        self._counters.leases += 1
        self._stand_by(slot)
        return slot

    async def _furnished(self, platform: Platform) -> Slot:
        for _ in range(_FURNISH_TRIES):
            generation = await self._generations.current()
            slot = self._take_idle(platform) or self._new_slot(platform, generation)
            try:
                if slot.page is None:
                    successor = slot.successor or self._open(slot, Level.CONTEXT)
                    slot.context, slot.page = await asyncio.shield(successor.task)
                    slot.successor = None
            except asyncio.CancelledError:
                self._give_back(slot)
                raise
            except PageLost as error:
                slot.successor = None
                self._generations.suspect(slot.generation, "open")
                log.warning(events.LAUNCH_FAILED, error=str(error))
                self._drop(slot, "open")
                continue
            if slot.generation.lost or (slot.context is not None and slot.context.wear.bad):
                self._drop(slot, "lost")
                continue
            return slot
        raise BrowserUnavailable("no page could be opened on several browsers in a row")

    def _take_idle(self, platform: Platform) -> Slot | None:
        for ready in (True, False):
            for slot in self._idle:
                if slot.platform == platform and (slot.page is not None) is ready:
                    self._idle.remove(slot)
                    return slot
        if self._idle and self._leased + len(self._idle) > self._size:
            self._drop(self._idle.popleft(), "platform")
        return None

    def _new_slot(self, platform: Platform, generation: Generation) -> Slot:
        self._generations.join(generation)
        return Slot(platform, generation)

    def _release(self, slot: Slot, *, bad: str, suspicious: bool) -> None:
        self._leased -= 1
        wears = slot.wears()
        for wear in wears.values():
            wear.use(failed=suspicious)
        if bad:
            wears[Level.PAGE].bad = bad
        if not suspicious:
            self._generations.worked()
        generation = slot.generation
        limits, now_s = self._limits(slot.platform), self._clock.now_s()
        if not generation.retired:
            upper = decide({level: wears[level] for level in (Level.BROWSER, Level.DRIVER)}, limits, now_s)
            if upper is not None and upper.reason == "errors":
                self._generations.suspect(generation, upper.reason)
            elif upper is not None:
                self._generations.prepare(generation, upper.level, upper.reason)
        if generation.retired or self._closed:
            self._drop(slot, "close" if self._closed else generation.retired)
        else:
            lower = decide({level: wears[level] for level in (Level.PAGE, Level.CONTEXT)}, limits, now_s)
            if lower is not None:
                self._rotate(slot, lower.level, lower.reason)
            self._give_back(slot)
            self._trim()
        self._wake()

    def _limits(self, platform: Platform) -> dict[Level, Limits]:
        rotation, settings = platform.rotation, self._settings
        assert rotation.page != "auto" and rotation.context != "auto", "auto is resolved before the pool"
        return {
            Level.PAGE: Limits(rotation.page, settings.max_errors),
            Level.CONTEXT: Limits(rotation.context, settings.max_errors),
            Level.BROWSER: Limits(settings.browser_max_uses, settings.max_errors * max(1, self._size)),
            Level.DRIVER: Limits(settings.driver_max_uses, settings.max_errors * max(1, self._size)),
        }

    def _rotate(self, slot: Slot, level: Level, reason: str) -> None:
        context, page = slot.context, slot.page
        assert context is not None and page is not None
        slot.page = None
        if level is Level.CONTEXT:
            slot.context = None
        if slot.successor is not None and slot.successor.level < level:
            slot.successor = None  # it stands in the old context and is closed with it
        if slot.successor is None:
            self._open(slot, level)
        self._generations.in_background(self._close(slot.generation, context, page, level, reason))

    def _stand_by(self, slot: Slot) -> None:
        """Begins to open the successor when the page's last use begins."""
        wears, limits = slot.wears(), self._limits(slot.platform)
        if slot.successor is None and last_use(wears[Level.PAGE], limits[Level.PAGE]):
            new_context = last_use(wears[Level.CONTEXT], limits[Level.CONTEXT])
            self._open(slot, Level.CONTEXT if new_context else Level.PAGE)

    def _open(self, slot: Slot, level: Level) -> Successor:
        kept = slot.context if level is Level.PAGE else None
        task = asyncio.get_running_loop().create_task(self._opened(slot.generation, slot.platform, kept))
        # Whoever waits for it sees its error; when nobody does, there is nobody to tell.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        slot.successor = Successor(task, level)
        return slot.successor

    async def _opened(
        self, generation: Generation, platform: Platform, kept: OpenContext | None
    ) -> tuple[OpenContext, OpenPage]:
        context = kept
        if context is None:
            handle = await self._opener.open_context(generation.handle, platform)
            context = OpenContext(handle, self._wear(self._settings.context_max_age_s))
        try:
            page = await self._opener.open_page(context.handle, platform)
        except PageLost:
            if kept is None:
                await self._opener.close_context(context.handle)
            raise
        return context, OpenPage(page, self._wear(self._settings.page_max_age_s))

    async def _close(
        self, generation: Generation, context: OpenContext, page: OpenPage, level: Level, reason: str
    ) -> None:
        """Closes a page or a context with its pages, and logs the rotation with what it freed."""
        if generation.lost:
            return
        before = self._measure(generation.handle.group)
        closed = level is Level.PAGE and await self._opener.close_page(page.handle)
        if not closed:
            context.wear.bad = "close"
            closed = await self._opener.close_context(context.handle)
        if not closed and not generation.lost:
            log.warning(events.CLOSE_ESCALATED, level=level.name.lower(), pid=generation.handle.pid)
            self._generations.suspect(generation, "close")
        freed_mb = await self._freed_mb(generation, before)
        wear = page.wear if level is Level.PAGE else context.wear
        self._generations.log_rotation(level, reason, wear, freed_mb)

    async def _freed_mb(self, generation: Generation, before: Mapping[int, float]) -> float:
        """What the processes held that have ended since; each is counted for one rotation only."""
        if not before:
            return 0.0
        deadline = self._clock.now_s() + _RENDERER_EXIT_S
        while True:
            gone = before.keys() - self._measure(generation.handle.group).keys() - generation.gone
            if gone or self._clock.now_s() >= deadline:
                generation.gone |= gone
                return float(sum(before[pid] for pid in gone))
            await self._clock.sleep(_RENDERER_EXIT_S / 6)

    def _give_back(self, slot: Slot) -> None:
        """Puts an unleased slot where the next lease finds it, or ends it when it is outdated or one too many."""
        if slot.generation.retired or self._closed:
            self._drop(slot, "close" if self._closed else slot.generation.retired)
        else:
            self._idle.append(slot)

    def _trim(self) -> None:
        while len(self._idle) + self._leased > self._size and self._idle:
            self._drop(self._idle.popleft(), "resize")

    def _drop_outdated(self) -> None:
        for slot in [slot for slot in self._idle if slot.generation.retired]:
            self._idle.remove(slot)
            self._drop(slot, slot.generation.retired)
        self._wake()

    def _drop(self, slot: Slot, reason: str) -> None:
        """Ends a slot: what stands in it is closed in the background, then it leaves its generation."""

        async def leave() -> None:
            try:
                contexts = [slot.context, await self._outcome(slot.successor)]
                for context in {id(context): context for context in contexts if context is not None}.values():
                    if not slot.generation.lost:
                        await self._opener.close_context(context.handle)
            finally:
                self._generations.leave(slot.generation)
            if reason in ("platform", "resize") and slot.context is not None:
                self._generations.log_rotation(Level.CONTEXT, reason, slot.context.wear, 0.0)

        self._generations.in_background(leave())

    async def _outcome(self, successor: Successor | None) -> OpenContext | None:
        """The context of a successor that nobody will use, once it is open."""
        if successor is None:
            return None
        try:
            return (await successor.task)[0]
        except PageLost:
            return None

    def _wear(self, max_age_s: float) -> Wear:
        return Wear(self._clock.now_s(), with_jitter(max_age_s, self._clock.random))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
