"""BrowserPool: leases pages to lanes, and rotates them behind the lanes' backs.

All state changes happen first and without awaiting; I/O follows in tasks of its own that no lane's cancellation
reaches. Who may begin a visit is the waiting line's, which page it gets is that of the slots.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pagemill.browser.clock import Clock
from pagemill.browser.generations import Generations, MeasureGroup
from pagemill.browser.lease import Lease
from pagemill.browser.opener import Opener
from pagemill.browser.pool_stats import Counters, PoolStats
from pagemill.browser.rotation import RotationLevel
from pagemill.browser.slot import Slot
from pagemill.browser.slot_rotation import SlotRotation
from pagemill.browser.slots import Slots
from pagemill.browser.upkeep import Upkeep
from pagemill.browser.visitor.proxies import Proxies
from pagemill.browser.waiting_line import Ticket, WaitingLine
from pagemill.config.platform import Platform
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable, PageLost
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_FURNISH_TRIES = 3


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
        self._clock = clock or Clock()
        self._counters = Counters()
        self._generations = Generations(
            opener, settings, self._clock, self._counters, measure, lambda: self._slots.end_outdated()
        )
        self._slot_rotation = SlotRotation(opener, settings, self._clock, self._generations, measure, self.proxies)
        self._upkeep = Upkeep(settings, page_max_mb, self._clock, self._generations, self._slot_rotation)
        self._line = WaitingLine(size, self._closes_keep_up, lambda platform: self._slots.has_page(platform))
        self._slots = Slots(settings, self._clock, self._generations, self._slot_rotation, self._line)
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

    def prepare(self, platform: Platform) -> None:
        """Says that a visit of this platform begins within moments: where there is room, it will find a page."""
        serving = self._generations.serving
        if serving is not None and not self._closed and not self._upkeep.saves_memory and not self._line.waiting:
            self._slots.prepare(platform, serving)

    async def acquire(self, platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None) -> Slot:
        """For `Lease`: waits for a free place and furnishes it."""
        ticket = self._line.join(platform.platform)
        try:
            if not ticket.has_place:
                self._counters.waits += 1
                await ticket.called(stop)
            if self._closed:
                raise BrowserUnavailable("the pool is closed")
            slot = await self._furnished(platform, ticket, fresh=fresh)
        except BaseException:
            self._leave(ticket)
            raise
        slot.lease()
        self._counters.leases += 1
        self._upkeep.before_use(slot, self._line.places, others_wait=self._line.is_waited_for(platform.platform))
        return slot

    async def _furnished(self, platform: Platform, ticket: Ticket, *, fresh: bool) -> Slot:
        """A slot at work for that ticket, with a page."""
        for _ in range(_FURNISH_TRIES):
            slot = self._slots.take(platform, await self._generations.current(), ticket, fresh=fresh)
            try:
                await self._slot_rotation.furnish(slot)
                used = fresh and not slot.is_unused
                if used or self._has_a_better_proxy(slot):
                    self._slot_rotation.rotate(slot, RotationLevel.CONTEXT, "fresh" if used else "proxy")
                    await self._slot_rotation.furnish(slot)
            except PageLost as error:
                self._generations.suspect(slot.generation, "open")
                log.warning(events.LAUNCH_FAILED, error=str(error))
                self._slots.end(slot, "open")
                continue
            except BaseException:
                self._slots.give_back(slot)
                raise
            if not slot.generation.lost and not slot.is_condemned:
                return slot
            self._slots.end(slot, "lost")
        raise BrowserUnavailable("no page could be opened on several browsers in a row")

    def _has_a_better_proxy(self, slot: Slot) -> bool:
        """Whether its context's proxy rests while another one does not."""
        if slot.context is None or not slot.context.proxy_name:
            return False
        return self.proxies.rests(slot.context.proxy_name) and self.proxies.any_awake(slot.platform.visitor.proxies)

    def release(self, slot: Slot, *, bad: str, suspicious: bool, light: bool = False, bad_context: str = "") -> None:
        """For `Lease`: counts the use, and rotates what is due. Never awaits."""
        ticket = self._slots.at_work[slot]
        light = light and slot.platform.visitor.session == "keep"
        try:
            slot.release(self._clock.now_s(), failed=suspicious, light=light, bad=bad, bad_context=bad_context)
            if not suspicious:
                self._generations.worked()
            if not self._closed:
                self._upkeep.after_use(slot, self._line.places, light=light, page_is_needed=self._is_page_needed(slot))
            self._slots.give_back(slot)
        finally:
            self._leave(ticket)

    def _leave(self, ticket: Ticket) -> None:
        self._line.leave(ticket)
        if not self._line.held:
            self._is_quiet.set()

    def proxy_failed(self, slot: Slot, reason: str) -> bool:
        """For `Lease`: has the proxy of a slot's context rest, and the context go; whether another one can be taken."""
        assert slot.context is not None
        self.proxies.failed(slot.context.proxy_name, reason)
        slot.condemn("proxy")
        return self.proxies.any_awake(slot.platform.visitor.proxies)

    def _is_page_needed(self, slot: Slot) -> bool:
        """Whether a page should be ready for the platform's next visit: visits come without a pause, it has no other
        page, and the place that its visit is about to leave is not somebody else's."""
        return (
            slot.is_wanted and self._line.free >= self._line.waiting and not self._slots.idle.has_ready(slot.platform)
        )

    def _closes_keep_up(self) -> bool:
        """Whether what was used is closed as fast as new things are opened."""
        return self._generations.closing <= 2 * self._line.places + 2

    def resize(self, size: int) -> None:
        """Sets how many visits may be at work at once; pages above that end when they are given back.

        With 0 no visit begins until it is raised again.
        """
        self._line.resize(size)
        self._slots.trim()
        self._line.admit()

    def rotate_idle(self) -> None:
        """Closes the pages that nobody uses, with their contexts; new ones are opened when they are needed."""
        self._slots.end_idle("pressure")

    def rotate_contexts(self) -> None:
        """Replaces every context when its lease ends, and those that nobody uses now."""
        for slot in self._slots.at_work:
            if slot.is_leased:
                slot.condemn("pressure")
        self.rotate_idle()

    def retire_browser(self) -> None:
        """Replaces browser and driver; the old ones end with their last lease."""
        if (serving := self._generations.serving) is not None:
            self._generations.retire(serving, RotationLevel.DRIVER, "pressure")

    def save_memory(self, *, on: bool) -> None:
        """Whether a successor is opened only when what it replaces has gone: slower, and nothing is held twice."""
        self._upkeep.saves_memory = on

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        """Tells how large drivers (by process id) and browsers without their pages (by process group) are now."""
        if (serving := self._generations.serving) is not None:
            serving.wear.size_mb = sizes_mb.get(serving.handle.group, 0.0)
            serving.driver.wear.size_mb = sizes_mb.get(serving.driver.handle.pid, 0.0)

    async def measure_pages(self) -> list[float]:
        """Asks every open page for its JavaScript heap, in MB; pages that do not answer within seconds are left out."""
        pages = [slot.page for slot in (*self._slots.idle, *self._slots.at_work) if slot.page is not None]
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
        """The pool now. From any thread."""
        held = self._line.held
        return PoolStats(
            size=self._line.places,
            places=self._line.places,
            leased=sum(held.values()),
            leased_by=held,
            waiting=self._line.waiting,
            idle=self._slots.idle.pages,
            closing=self._generations.closing,
            leases=self._counters.leases,
            waits=self._counters.waits,
            launches=self._counters.launches,
            rotations=self._counters.by_level(),
            reasons=self._counters.by_reason(),
            proxies=self.proxies.states(),
        )

    async def close(self) -> None:
        """Closes every page, browser and driver, politely or not; leases must have ended. Safe to call twice."""
        self._closed = True
        self._line.close()
        self._slots.close()
        await self._generations.close()
