"""Opens and closes what slots hold: successors, rotated pages and contexts, and the remains of ended slots.

All of it runs in separate tasks, so no lane waits for a close and no lane's cancellation interrupts one. `rotation`
decides when something is due, a slot knows which changes it may go through, and the pool knows which slots there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pagemill.browser.clock import Clock
from pagemill.browser.generations import Generations, MeasureGroup
from pagemill.browser.open_state import Generation, OpenContext, OpenPage
from pagemill.browser.opener import Opener
from pagemill.browser.opening_times import OpeningTimes
from pagemill.browser.rotation import RotationLevel, Wear, with_jitter
from pagemill.browser.slot import Slot, Successor
from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import Platform
from pagemill.config.settings import PoolSettings
from pagemill.errors import PageLost
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_RENDERER_EXIT_S = 0.3
"""How long to wait for a closed page's renderer to exit. After that, its memory counts as not freed."""

_TOLD = ("idle", "platform", "resize", "pressure")
"""Reasons that are logged as a rotation of the slot's context. All others are logged by what caused the slot's end."""

_SETTLE_S = 0.1
"""Seconds of rest before closing a page that was left in the middle of something. In the first milliseconds of a
navigation Chromium changes processes. A close that comes then is lost, and Playwright waits for it for ever (1.65:
`goto` cancelled after 5 to 15 ms, then `close`)."""


class SlotRotation:
    """Works on the slots of one pool."""

    def __init__(
        self,
        opener: Opener,
        settings: PoolSettings,
        clock: Clock,
        generations: Generations,
        measure: MeasureGroup,
        proxies: Proxies,
    ) -> None:
        self._proxies = proxies
        self._opener = opener
        self._settings = settings
        self._clock = clock
        self._generations = generations
        self._measure = measure
        self.opening_times = OpeningTimes()

    def collect_if_due(self, slot: Slot) -> None:
        """Now and then makes a page that stays in use collect its garbage: in the background if nobody waits for the
        page, else when its next document has come."""
        every, page = self._settings.page_gc_uses, slot.page
        if every and page is not None and page.wear.uses % every == 0:
            collection = self._opener.collect_garbage(page.handle, at_next_document=slot.is_wanted)
            self._generations.in_background(collection)

    def rotate(self, slot: Slot, level: RotationLevel, reason: str) -> None:
        """Takes a page, or a context with its page, out of a slot and closes it in the background."""
        context, page = slot.take_out(level)
        self._generations.in_background(self._close(slot, context, page, level, reason))

    async def furnish(self, slot: Slot) -> None:
        """Gives a slot the page that it lacks. Cancelling this does not cancel the opening.

        Raises:
            PageLost: it cannot be opened.
        """
        if slot.page is None:
            successor = slot.successor or self.open(
                slot, RotationLevel.CONTEXT if slot.context is None else RotationLevel.PAGE
            )
            await asyncio.shield(successor.task)
            slot.furnish()

    def open(self, slot: Slot, level: RotationLevel) -> Successor:
        """Starts to open a slot's next page or context. The successor's task fails with PageLost only."""
        kept = slot.context if level is RotationLevel.PAGE else None
        task = asyncio.get_running_loop().create_task(self._opened(slot.generation, slot.platform, kept))
        # Waiting callers see its error. Without any, reading it here avoids asyncio's warning.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        successor = Successor(task, level)
        slot.expect(successor)
        return successor

    async def _opened(
        self, generation: Generation, platform: Platform, kept: OpenContext | None
    ) -> tuple[OpenContext, OpenPage]:
        begun_s, context = self._clock.now_s(), kept
        if context is None:
            proxy = self._proxies.take(platform.visitor)
            handle = await self._opener.open_context(generation.handle, platform, proxy)
            context = OpenContext(handle, self._wear(self._settings.context_max_age_s))
        try:
            page = await self._opener.open_page(context.handle, platform)
        except PageLost:
            if kept is None:
                await self._opener.close_context(context.handle)
            raise
        self.opening_times.note(self._clock.now_s() - begun_s)
        return context, OpenPage(page, self._wear(self._settings.page_max_age_s))

    async def _close(self, slot: Slot, context: OpenContext, page: OpenPage, level: RotationLevel, reason: str) -> None:
        """Closes a page, or a context with its pages, and logs the rotation with the memory that it freed."""
        generation = slot.generation
        if generation.lost:
            return
        if page.wear.bad:
            await self._clock.sleep(_SETTLE_S)
        before = self._measure(generation.handle.group)
        closed = level is RotationLevel.PAGE and await self._opener.close_page(page.handle)
        if not closed:
            context.wear.bad = "close"
            closed = await self._opener.close_context(context.handle)
        if not closed and not generation.lost:
            log.warning(events.CLOSE_ESCALATED, level=level.name.lower(), pid=generation.handle.pid)
            self._generations.suspect(generation, "close")
        freed_mb = await self._freed_mb(generation, before)
        wear = page.wear if level is RotationLevel.PAGE else context.wear
        whose = {"platform": slot.platform.platform, "proxy": context.proxy_name}
        self._generations.log_rotation(level, reason, wear, freed_mb, **whose)

    async def _freed_mb(self, generation: Generation, before: Mapping[int, float]) -> float:
        """The memory of the processes that have ended since; each one is counted for one rotation only."""
        if not before:
            return 0.0
        deadline = self._clock.now_s() + _RENDERER_EXIT_S
        while True:
            gone = before.keys() - self._measure(generation.handle.group).keys() - generation.gone
            if gone or self._clock.now_s() >= deadline:
                generation.gone |= gone
                return float(sum(before[pid] for pid in gone))
            await self._clock.sleep(_RENDERER_EXIT_S / 6)

    def close_page(self, slot: Slot) -> None:
        """Closes an idle slot's page, and its successor, in the background. The context stays.

        This is not logged as a rotation, because the page was not worn.
        """
        generation, context = slot.generation, slot.context
        pages = [] if slot.page is None else [slot.take_out(RotationLevel.PAGE)]
        successor = slot.take_successor()
        if successor is not None and successor.is_open:
            pages.append(successor.task.result())

        async def close() -> None:
            for whose, page in pages:
                if generation.lost:
                    return
                if whose is not context:
                    await self._opener.close_context(whose.handle)
                elif not await self._opener.close_page(page.handle):
                    whose.wear.bad = "close"

        self._generations.in_background(close())

    def drop(self, slot: Slot, reason: str) -> None:
        """Ends a slot: closes what it holds in the background, then leaves its generation."""
        generation = slot.generation
        context, successor = slot.end()

        async def leave() -> None:
            try:
                both = [context, await self._outcome(successor)]
                for each in {id(each): each for each in both if each is not None}.values():
                    if not generation.lost:
                        await self._opener.close_context(each.handle)
            finally:
                self._generations.leave(generation)
            if reason in _TOLD and context is not None:
                whose = {"platform": slot.platform.platform, "proxy": context.proxy_name}
                self._generations.log_rotation(RotationLevel.CONTEXT, reason, context.wear, 0.0, **whose)

        self._generations.in_background(leave())

    async def _outcome(self, successor: Successor | None) -> OpenContext | None:
        """The context of a successor that nobody will use, once it is open; `None` without one."""
        if successor is None:
            return None
        try:
            return (await successor.task)[0]
        except PageLost:
            return None

    def _wear(self, max_age_s: float) -> Wear:
        return Wear(self._clock.now_s(), with_jitter(max_age_s, self._clock.random))
