"""Which slots there are: at work or idle, and no more of them than places as long as any is idle. Never awaits."""

from __future__ import annotations

from collections.abc import Callable

from pagemill.browser.changeover import Changeover
from pagemill.browser.clock import Clock
from pagemill.browser.generations import Generations
from pagemill.browser.idle_pages import IdlePages
from pagemill.browser.opened import Generation
from pagemill.browser.slot import Slot
from pagemill.browser.waiting_line import Ticket, WaitingLine
from pagemill.config.platform import Platform


class Slots:
    """All slots of a pool, each with the ticket that it is at work for, or idle."""

    def __init__(
        self, idle_s: float, clock: Clock, generations: Generations, changeover: Changeover, line: WaitingLine
    ) -> None:
        """`line` is told when a page has become free for somebody else."""
        self.at_work: dict[Slot, Ticket] = {}
        """Those that are leased, or are being furnished for it."""
        self.idle = IdlePages(idle_s, clock, self._end_unused)
        self._generations = generations
        self._changeover = changeover
        self._line = line
        self._closed = False

    def has_page(self, platform: str) -> bool:
        """Whether a platform that has a page at work gets another one without closing one that is needed elsewhere: it
        would be opened again at once, and its own come back soon."""
        return (
            len(self.idle) + len(self.at_work) < self._line.places
            or platform in (idle := self.idle.platforms())
            or not all(map(self._line.is_served, idle))
        )

    def take(self, platform: Platform, generation: Generation, ticket: Ticket, *, fresh: bool) -> Slot:
        """Puts a slot to work: an idle one of the platform, or a new one, for which another one may have to go.

        With `fresh` it is one whose context nothing was visited in, if there is room for that.
        """
        slot = self.idle.take(platform, unused=fresh)
        if slot is None and fresh and len(self.idle) + len(self.at_work) >= self._line.places:
            slot = self.idle.take(platform)
        if slot is None:
            self._make_room(1, "platform")
            self._generations.join(generation)
            slot = Slot(platform, generation)
        self.at_work[slot] = ticket
        return slot

    def give_back(self, slot: Slot) -> None:
        """Puts a slot that was at work where the next lease finds it, or ends it: it is outdated, empty or too many."""
        if slot.generation.retired or self._closed or slot.is_empty:
            self.end(slot, "close" if self._closed else slot.generation.retired)
        else:
            del self.at_work[slot]
            self.idle.put(slot)
            self.trim()

    def end(self, slot: Slot, reason: str) -> None:
        """Ends a slot that was at work."""
        del self.at_work[slot]
        self._changeover.drop(slot, reason)

    def trim(self) -> None:
        """Ends idle slots while there are more slots than places."""
        self._make_room(0, "resize")

    def end_idle(self, reason: str) -> None:
        """Ends all that are idle."""
        self._end_those(self.idle.take_all(), lambda _slot: reason)

    def end_outdated(self) -> None:
        """Ends the idle ones of browsers that serve no longer."""
        self._end_those(self.idle.take_all(lambda slot: slot.generation.retired), lambda slot: slot.generation.retired)

    def close(self) -> None:
        """Ends all that are idle, and from now on those that are given back."""
        self._closed = True
        self._end_those(self.idle.close(), lambda _slot: "close")

    def _end_unused(self, slot: Slot) -> None:
        self._end_those([slot], lambda _slot: "idle")

    def _end_those(self, slots: list[Slot], reason: Callable[[Slot], str]) -> None:
        for slot in slots:
            self._changeover.drop(slot, reason(slot))
        self._line.admit()

    def _make_room(self, more: int, reason: str) -> None:
        while self.idle and len(self.idle) + len(self.at_work) + more > self._line.places:
            self._changeover.drop(self.idle.give_way(self.at_work, self._line.is_served), reason)
