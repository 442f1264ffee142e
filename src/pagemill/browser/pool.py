"""BrowserPool: leases pages to lanes, and rotates them in the background.

All state changes happen first and without awaiting. I/O follows in separate tasks, which the cancellation of a lane
does not reach. The waiting line decides who may begin a visit; the slots decide which page it gets.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pagemill.browser.clock import Clock
from pagemill.browser.generations import Generations, MeasureGroup
from pagemill.browser.idle_pages import makes_pauses
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
    """Lets at most `size` visits of all platforms together work at once, each with a page of its own."""

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
            size: how many visits may be at work at once; these are the pool's places.
            clock: time and chance.
            measure: private memory of each process of a process group, in MB; for `freed_mb` in the log.
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
        """Used around a batch: visits of this platform are to come, so a place is left for it."""
        self._line.serve(platform.platform)
        try:
            yield
        finally:
            self._line.serve_no_more(platform.platform)

    def lease(self, platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None) -> Lease:
        """`async with pool.lease(platform) as lease:` waits for a free place and gives `lease.page`.

        With `fresh`, nothing was visited in the page's context before; a used context is replaced if necessary. An
        exception that leaves the block, cancellation included, retires the page.

        Raises:
            BrowserUnavailable: on entering, if no browser can be had.
            TurnDenied: on entering, if `stop` is set before a place is free.
        """
        return Lease(self, platform, fresh=fresh, stop=stop)

    @property
    def opening_s(self) -> float:
        """How many seconds before a visit `prepare` should be called, so that its page is open in time."""
        return self._slot_rotation.opening_times.expected_s

    def prepare(self, platform: Platform) -> None:
        """Announces a visit of this platform within moments. If there is room, a page is opened for it."""
        serving = self._generations.serving
        if serving is not None and not self._closed and not self._upkeep.saves_memory and not self._line.waiting:
            self._slots.prepare(platform, serving)

    async def acquire(self, platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None) -> Slot:
        """For `Lease`: waits for a free place and gets a slot with a page for it."""
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
        """A slot with a page, at work for that ticket."""
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
        """Whether the proxy of the slot's context rests while another one does not."""
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
        """For `Lease`: lets the context's proxy rest, and retires the context. Returns whether another proxy serves."""
        assert slot.context is not None
        self.proxies.failed(slot.context.proxy_name, reason)
        slot.condemn("proxy")
        return self.proxies.any_awake(slot.platform.visitor.proxies)

    def _is_page_needed(self, slot: Slot) -> bool:
        """Whether a page should be ready for the platform's next visit. That is so if visits come without a pause or
        the platform's pages stay open in pauses, it has no other page ready, and nobody else waits for the place."""
        is_kept = slot.is_wanted or not makes_pauses(slot.platform)
        return is_kept and self._line.free >= self._line.waiting and not self._slots.idle.has_ready(slot.platform)

    def _closes_keep_up(self) -> bool:
        """Whether old pages and contexts are closed as fast as new ones are opened."""
        return self._generations.closing <= 2 * self._line.places + 2

    def resize(self, size: int) -> None:
        """Sets how many visits may be at work at once. Pages beyond that are closed when they are given back.

        With 0, no visit begins until the size is raised again.
        """
        self._line.resize(size)
        self._slots.trim()
        self._line.admit()

    def rotate_idle(self) -> None:
        """Closes the unused pages with their contexts. New ones are opened when they are needed."""
        self._slots.end_idle("pressure")

    def rotate_contexts(self) -> None:
        """Replaces every context: unused ones now, leased ones when their lease ends."""
        for slot in self._slots.at_work:
            if slot.is_leased:
                slot.condemn("pressure")
        self.rotate_idle()

    def retire_browser(self) -> None:
        """Replaces browser and driver. The old ones end with their last lease."""
        if (serving := self._generations.serving) is not None:
            self._generations.retire(serving, RotationLevel.DRIVER, "pressure")

    def save_memory(self, *, on: bool) -> None:
        """Sets whether a successor is opened only after the old one is closed. That is slower, but never holds both."""
        self._upkeep.saves_memory = on

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        """Notes the present sizes of drivers (by process id) and of browsers without their pages (by process group)."""
        if (serving := self._generations.serving) is not None:
            serving.wear.size_mb = sizes_mb.get(serving.handle.group, 0.0)
            serving.driver.wear.size_mb = sizes_mb.get(serving.driver.handle.pid, 0.0)

    async def measure_pages(self) -> list[float]:
        """Asks every open page for its JavaScript heap, in MB. Pages that do not answer within seconds are left out."""
        pages = [slot.page for slot in (*self._slots.idle, *self._slots.at_work) if slot.page is not None]
        heaps_mb = await asyncio.gather(*(self._opener.heap_mb(page.handle) for page in pages))
        for page, heap_mb in zip(pages, heaps_mb, strict=True):
            page.wear.size_mb = heap_mb or 0.0
        return [heap_mb for heap_mb in heaps_mb if heap_mb is not None]

    async def check_pulse(self) -> None:
        """Asks the browser whether it answers. One that stays silent is killed and replaced."""
        await self._generations.check_pulse()

    async def drain(self) -> None:
        """Waits until no page is leased."""
        while self._line.held:
            self._is_quiet.clear()
            await self._is_quiet.wait()

    def stats(self) -> PoolStats:
        """The pool's numbers at this moment. May be called from any thread."""
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
        """Closes every page, browser and driver, by SIGKILL if needed; leases must have ended. Safe to call twice."""
        self._closed = True
        self._line.close()
        self._slots.close()
        await self._generations.close()
