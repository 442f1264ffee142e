"""BrowserPool: leases pages to lanes, and rotates them behind the lanes' backs.

All state changes happen first and without awaiting; I/O follows in tasks of its own that no lane's cancellation
reaches. Who may begin a visit is the waiting line's.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pagemill.browser.changeover import Changeover
from pagemill.browser.clock import Clock, SystemClock
from pagemill.browser.generations import Generations, MeasureGroup
from pagemill.browser.lease import Lease
from pagemill.browser.opener import Opener
from pagemill.browser.rotation import Level, Limits, decide
from pagemill.browser.slot import Counters, Generation, PoolStats, Slot
from pagemill.browser.visitor.proxies import Proxies
from pagemill.browser.waiting_line import Ticket, WaitingLine
from pagemill.config.platform import Platform, Rotation
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable, PageLost
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_FURNISH_TRIES = 3
_BIG_PAGES = 2
"""How many of its pages may be replaced for their size before the context goes with the page."""


class BrowserPool:
    """At most `size` visits at work in all platforms together, each with a page of its own."""

    def __init__(
        self,
        opener: Opener,
        settings: PoolSettings,
        size: int,
        *,
        clock: Clock | None = None,
        measure: MeasureGroup = lambda _group: {},
        page_max_mb: float = math.inf,
        proxies: Proxies | None = None,
    ) -> None:
        """
        Args:
            opener: opens and closes the real things.
            settings: limits and deadlines.
            size: how many visits may be at work at once: its places.
            clock: time and chance.
            measure: private memory by process of a process group, for the log's `freed_mb`.
            page_max_mb: JavaScript heap of a page above which it is replaced.
            proxies: those that platforms' visitors name.
        """
        self.proxies = proxies or Proxies()
        self._opener = opener
        self._page_max_mb = page_max_mb
        self._settings = settings
        self._clock = clock or SystemClock()
        self._counters = Counters()
        self._generations = Generations(opener, settings, self._clock, self._counters, measure, self._drop_outdated)
        self._changeover = Changeover(opener, settings, self._clock, self._generations, measure, self.proxies)
        self._line = WaitingLine(size, self._closes_keep_up)
        self._idle: deque[Slot] = deque()
        self._at_work: dict[Slot, Ticket] = {}
        self._is_quiet = asyncio.Event()
        self._closed = False

    async def open(self) -> None:
        """Launches the first browser.

        Raises:
            BrowserUnavailable: it cannot be launched.
        """
        await self._generations.current()

    @contextmanager
    def serving(self, platform: Platform) -> Iterator[None]:
        """Around a batch: visits of this platform are to come. Places are left for each platform that is served."""
        self._line.serve(platform.platform)
        try:
            yield
        finally:
            self._line.serve_no_more(platform.platform)

    def lease(self, platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None) -> Lease:
        """`async with pool.lease(platform) as lease:` waits for a free place and gives `lease.page`.

        With `fresh` the page stands in a context that nothing has been visited in: one that stands ready, or the place
        of a used one, which is closed. An exception that leaves the block, cancellation included, retires the page.

        Raises:
            BrowserUnavailable: on entering, when no browser can be had.
            TurnDenied: on entering, when there is no free place and `stop` is set before there is one.
        """
        return Lease(self, platform, fresh=fresh, stop=stop)

    def resize(self, size: int) -> None:
        """Sets how many visits may be at work at once; pages above that end when they are given back.

        With 0 no visit begins until it is raised again.
        """
        self._line.resize(size)
        self._trim()

    def rotate_idle(self) -> None:
        """Closes the pages that nobody uses, with their contexts; new ones are opened when they are needed."""
        while self._idle:
            self._changeover.drop(self._idle.popleft(), "pressure")

    def rotate_contexts(self) -> None:
        """Replaces every context when its lease ends, and those that nobody uses now."""
        for slot in self._at_work:
            if slot.context is not None:
                slot.context.wear.bad = slot.context.wear.bad or "pressure"
        self.rotate_idle()

    def retire_browser(self) -> None:
        """Replaces browser and driver; the old ones end with their last lease."""
        if (serving := self._generations.serving) is not None:
            self._generations.retire(serving, Level.DRIVER, "pressure")

    def save_memory(self, *, on: bool) -> None:
        """Whether a successor is opened only when what it replaces has gone: slower, and nothing is held twice."""
        self._changeover.saves_memory = on

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        """Tells how large drivers (by process id) and browsers without their pages (by process group) are now."""
        if (serving := self._generations.serving) is not None:
            serving.wear.size_mb = sizes_mb.get(serving.handle.group, 0.0)
            serving.driver.wear.size_mb = sizes_mb.get(serving.driver.handle.pid, 0.0)

    async def measure_pages(self) -> list[float]:
        """Asks every open page for its JavaScript heap, in MB; pages that do not answer within seconds are left out."""
        pages = [slot.page for slot in (*self._idle, *self._at_work) if slot.page is not None]
        heaps_mb = await asyncio.gather(*(self._opener.heap_mb(page.handle) for page in pages))
        for page, heap_mb in zip(pages, heaps_mb, strict=True):
            page.wear.size_mb = heap_mb or 0.0
        return [heap_mb for heap_mb in heaps_mb if heap_mb is not None]

    async def check_pulse(self) -> None:
        """Asks the browser whether it answers; one that stays silent is killed and replaced."""
        await self._generations.check_pulse()

    async def drain(self) -> None:
        """Waits until no page is leased."""
        while self._line.held:
            self._is_quiet.clear()
            await self._is_quiet.wait()

    def stats(self) -> PoolStats:
        """The pool now."""
        rotations = {level.name.lower(): 0 for level in Level}
        reasons = {}
        for (level, reason), count in self._counters.rotations.items():
            rotations[level.name.lower()] += count
            reasons[f"{level.name.lower()} {reason}"] = count
        return PoolStats(
            size=self._line.places,
            places=self._line.places,
            leased=self._line.held.total(),
            leased_by=dict(self._line.held),
            waiting=self._line.waiting,
            idle=len(self._idle),
            closing=self._generations.closing,
            leases=self._counters.leases,
            waits=self._counters.waits,
            launches=self._counters.launches,
            rotations=rotations,
            reasons=reasons,
            proxies=self.proxies.states(),
        )

    async def close(self) -> None:
        """Closes every page, browser and driver, politely or not; leases must have ended. Safe to call twice."""
        self._closed = True
        self._line.close()
        while self._idle:
            self._changeover.drop(self._idle.popleft(), "close")
        await self._generations.close()

    async def acquire(self, platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None) -> Slot:
        """For `Lease`: waits for a free place and furnishes it."""
        ticket = self._line.join(platform.platform)
        try:
            if not ticket.has_place:
                self._counters.waits += 1
                await ticket.called(stop)
            if self._closed:
                raise BrowserUnavailable("the pool is closed")
            slot = await self._furnished(platform, fresh=fresh)
        except BaseException:
            self._leave(ticket)
            raise
        self._counters.leases += 1
        self._at_work[slot] = ticket
        self._changeover.stand_by(slot, self._limits(platform))
        return slot

    def _leave(self, ticket: Ticket) -> None:
        self._line.leave(ticket)
        if not self._line.held:
            self._is_quiet.set()

    def _closes_keep_up(self) -> bool:
        """Whether what was used is closed as fast as new things are opened."""
        return self._generations.closing <= 2 * self._line.places + 2

    async def _furnished(self, platform: Platform, *, fresh: bool) -> Slot:
        for _ in range(_FURNISH_TRIES):
            generation = await self._generations.current()
            slot = self._take_idle(platform, fresh=fresh) or self._new_slot(platform, generation)
            try:
                await self._furnish(slot)
                used = fresh and not slot.is_unused
                if used or self._has_a_better_proxy(slot):
                    self._changeover.rotate(slot, Level.CONTEXT, "fresh" if used else "proxy")
                    await self._furnish(slot)
            except asyncio.CancelledError:
                self._give_back(slot)
                raise
            except PageLost as error:
                slot.successor = None
                self._generations.suspect(slot.generation, "open")
                log.warning(events.LAUNCH_FAILED, error=str(error))
                self._changeover.drop(slot, "open")
                continue
            if slot.generation.lost or (slot.context is not None and slot.context.wear.bad):
                self._changeover.drop(slot, "lost")
                continue
            return slot
        raise BrowserUnavailable("no page could be opened on several browsers in a row")

    def _has_a_better_proxy(self, slot: Slot) -> bool:
        """Whether its context's proxy rests while another one does not."""
        if slot.context is None or not slot.context.proxy_name:
            return False
        return self.proxies.rests(slot.context.proxy_name) and self.proxies.any_awake(slot.platform.visitor.proxies)

    async def _furnish(self, slot: Slot) -> None:
        """Brings the page that a slot lacks."""
        if slot.page is None:
            missing = Level.CONTEXT if slot.context is None else Level.PAGE
            successor = slot.successor or self._changeover.open(slot, missing)
            slot.context, slot.page = await asyncio.shield(successor.task)
            slot.successor = None

    def _take_idle(self, platform: Platform, *, fresh: bool) -> Slot | None:
        own = [slot for slot in self._idle if slot.platform == platform]
        if own:
            best = min(own, key=lambda slot: (fresh and not slot.is_unused, slot.page is None))
            self._idle.remove(best)
            return best
        if self._idle and len(self._idle) + self._line.held.total() > self._line.places:
            self._changeover.drop(self._idle.popleft(), "platform")
        return None

    def _new_slot(self, platform: Platform, generation: Generation) -> Slot:
        self._generations.join(generation)
        return Slot(platform, generation)

    def proxy_failed(self, slot: Slot, reason: str) -> bool:
        """For `Lease`: has the proxy of a slot's context rest, and the context go; whether another one can be taken."""
        assert slot.context is not None
        self.proxies.failed(slot.context.proxy_name, reason)
        slot.context.wear.bad = "proxy"
        return self.proxies.any_awake(slot.platform.visitor.proxies)

    def release(self, slot: Slot, *, bad: str, suspicious: bool, light: bool = False, bad_context: str = "") -> None:
        """For `Lease`: counts the use, and rotates what is due. Never awaits."""
        self._leave(self._at_work.pop(slot))
        light = light and slot.platform.visitor.session == "keep"
        wears = slot.wears()
        for wear in wears.values():
            wear.use(failed=suspicious, light=light)
        if bad:
            wears[Level.PAGE].bad = bad
        if bad_context:
            wears[Level.CONTEXT].bad = wears[Level.CONTEXT].bad or bad_context
        if not suspicious:
            self._generations.worked()
        generation = slot.generation
        limits, now_s = self._limits(slot.platform), self._clock.now_s()
        if not generation.retired:
            upper = decide({level: wear for level, wear in wears.items() if level >= Level.BROWSER}, limits, now_s)
            if upper is not None and upper.reason == "errors":
                self._generations.suspect(generation, upper.reason)
            elif upper is not None and self._changeover.saves_memory:
                self._generations.retire(generation, upper.level, upper.reason)
            elif upper is not None:
                self._generations.prepare(generation, upper.level, upper.reason)
        if generation.retired or self._closed:
            self._changeover.drop(slot, "close" if self._closed else generation.retired)
        else:
            lower = decide({level: wears[level] for level in (Level.PAGE, Level.CONTEXT)}, limits, now_s)
            if lower is not None:
                assert slot.context is not None
                slot.context.big_pages += lower.reason == "size"
                level = Level.CONTEXT if slot.context.big_pages >= _BIG_PAGES else lower.level
                self._changeover.rotate(slot, level, lower.reason)
            elif not light:
                self._changeover.collect_if_due(slot)
            self._give_back(slot)
            self._trim()

    def _limits(self, platform: Platform) -> dict[Level, Limits]:
        settings = self._settings
        # Having Chromium clear a context costs about the same, some 10 ms of a visit, and leaves window names,
        # passwords and connections behind.
        rotation = platform.rotation if platform.visitor.session == "keep" else Rotation(page=1, context=1)
        assert rotation.page != "auto" and rotation.context != "auto", "auto is resolved before the pool"
        browser_mb, driver_mb = settings.browser_max_mb, settings.driver_max_mb
        in_a_row = settings.max_errors * max(1, self._line.places)
        return {
            Level.PAGE: Limits(rotation.page, settings.max_errors, self._page_max_mb),
            Level.CONTEXT: Limits(rotation.context, settings.max_errors),
            Level.BROWSER: Limits(settings.browser_max_uses, in_a_row, browser_mb),
            Level.DRIVER: Limits(settings.driver_max_uses, in_a_row, driver_mb),
        }

    def _give_back(self, slot: Slot) -> None:
        """Puts an unleased slot where the next lease finds it, or ends it when it is outdated or one too many."""
        if slot.generation.retired or self._closed:
            self._changeover.drop(slot, "close" if self._closed else slot.generation.retired)
        else:
            self._idle.append(slot)

    def _trim(self) -> None:
        while self._idle and len(self._idle) + len(self._at_work) > self._line.places:
            self._changeover.drop(self._idle.popleft(), "resize")

    def _drop_outdated(self) -> None:
        for slot in [slot for slot in self._idle if slot.generation.retired]:
            self._idle.remove(slot)
            self._changeover.drop(slot, slot.generation.retired)
        self._line.admit()
