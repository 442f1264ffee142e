"""All slots, at work or idle. Keeps the number of pages within the number of places. Never awaits."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from pagemill.browser.clock import Clock
from pagemill.browser.generations import Generations
from pagemill.browser.idle_pages import IdlePages
from pagemill.browser.open_state import Generation
from pagemill.browser.opening_times import MOST_S
from pagemill.browser.rotation import RotationLevel
from pagemill.browser.slot import Slot
from pagemill.browser.slot_rotation import SlotRotation
from pagemill.browser.waiting_line import Ticket, WaitingLine
from pagemill.config.platform import Platform
from pagemill.config.settings import PoolSettings

COMES_WITHIN_S = 2 * MOST_S
"""How long an announced visit counts as coming. It is announced up to `MOST_S` before its turn."""
_CONTEXTS_PER_PLACE = 4
"""How many slots there may be for each place. A slot without a page is a context of about 2 MB."""


class Slots:
    """All slots of a pool: those at work with their ticket, and the idle ones."""

    def __init__(
        self,
        settings: PoolSettings,
        clock: Clock,
        generations: Generations,
        slot_rotation: SlotRotation,
        line: WaitingLine,
    ) -> None:
        """`line` is notified when a page has become free for another platform."""
        self.at_work: dict[Slot, Ticket] = {}
        """Slots that are leased, or get a page for a lease."""
        self.idle = IdlePages(settings.idle_pages, settings.idle_s, clock, self._close_page, self._end_unused)
        self._coming: defaultdict[str, deque[float]] = defaultdict(deque)
        """When visits were announced that have not come yet, by platform."""
        self._clock = clock
        self._generations = generations
        self._slot_rotation = slot_rotation
        self._line = line
        self._closed = False

    def has_page(self, platform: str) -> bool:
        """Whether a platform that has a page at work can get another one without closing a page that a served platform
        needs: that would have to be opened again at once, while the platform's own page comes back soon."""
        return (
            self._pages < self._line.places
            or platform in (idle := self.idle.platforms())
            or not all(map(self._line.is_served, idle))
        )

    @property
    def _pages(self) -> int:
        return self.idle.pages + len(self.at_work)

    def take(self, platform: Platform, generation: Generation, ticket: Ticket, *, fresh: bool) -> Slot:
        """Puts a slot to work: an idle one of the platform, or a new one, for which another page may be closed.

        With `fresh`, nothing was visited in its context before, if there is room for that.
        """
        if coming := self._coming[platform.platform]:
            coming.popleft()
        slot = self.idle.take(platform, unused=fresh)
        if slot is None and fresh and len(self.idle) + len(self.at_work) >= self._line.places:
            slot = self.idle.take(platform)
        if slot is None:
            self._generations.join(generation)
            slot = Slot(platform, generation)
        self.at_work[slot] = ticket
        self.trim()
        return slot

    def prepare(self, platform: Platform, generation: Generation) -> None:
        """Notes that a visit of that platform comes within moments. Keeps a page open for it, or opens one if there is
        room."""
        coming = self._coming[platform.platform]
        coming.append(self._clock.now_s())
        while coming[0] < coming[-1] - COMES_WITHIN_S:
            coming.popleft()
        if self.idle.keep(platform, len(coming), COMES_WITHIN_S) or self._pages >= self._line.places:
            return
        slot = self.idle.take_bare(platform)
        if slot is None:
            self._generations.join(generation)
            slot = Slot(platform, generation)
        self._slot_rotation.open(slot, RotationLevel.CONTEXT if slot.context is None else RotationLevel.PAGE)
        self.idle.put(slot, after_s=COMES_WITHIN_S)

    def give_back(self, slot: Slot) -> None:
        """Makes a slot that was at work idle, or ends it if it is empty, its browser retired or the pool closed."""
        if slot.generation.retired or self._closed or slot.is_empty:
            self.end(slot, "close" if self._closed else slot.generation.retired)
        else:
            del self.at_work[slot]
            self.idle.put(slot)
            self.trim()

    def end(self, slot: Slot, reason: str) -> None:
        """Ends a slot that was at work."""
        del self.at_work[slot]
        self._slot_rotation.drop(slot, reason)

    def trim(self) -> None:
        """Closes idle pages while there are more pages than places, and ends idle slots while there are too many."""
        while self._pages > self._line.places:
            if (slot := self.idle.page_to_give_way(self.at_work, self._line.is_served)) is None:
                break
            self._close_page(slot)
        while self.idle and len(self.idle) + len(self.at_work) > _CONTEXTS_PER_PLACE * self._line.places:
            self._slot_rotation.drop(self.idle.take_oldest(), "resize")

    def _close_page(self, slot: Slot) -> None:
        """Closes the page of an idle slot. Its context stays, with its cookies, unless another idle context of the
        platform was used as much: one for each platform is enough."""
        if self.idle.has_elder(slot):
            self._end_those(self.idle.take_all(lambda each: each is slot), lambda _slot: "idle")
        else:
            self._slot_rotation.close_page(slot)
            self._line.admit()

    def end_idle(self, reason: str) -> None:
        """Ends all idle slots."""
        self._end_those(self.idle.take_all(), lambda _slot: reason)

    def end_outdated(self) -> None:
        """Ends the idle slots of retired browsers."""
        self._end_those(self.idle.take_all(lambda slot: slot.generation.retired), lambda slot: slot.generation.retired)

    def close(self) -> None:
        """Ends all idle slots. From now on, slots that are given back end as well."""
        self._closed = True
        self._end_those(self.idle.close(), lambda _slot: "close")

    def _end_unused(self, slot: Slot) -> None:
        self._end_those([slot], lambda _slot: "idle")

    def _end_those(self, slots: list[Slot], reason: Callable[[Slot], str]) -> None:
        for slot in slots:
            self._slot_rotation.drop(slot, reason(slot))
        self._line.admit()
