"""The contexts that are not leased, most of them with a page. Chooses which is leased next and whose page is closed.

It only holds slots; the pages and contexts in them are opened and closed elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from pagemill.browser.clock import Clock
from pagemill.browser.slot import Slot
from pagemill.config.platform import Platform

PAUSE_S = 0.02
"""Seconds after which an unleased page counts as making a pause, if its platform's lanes wait long between visits.
Anybody who waits for it gets it sooner."""
_LONG_WAIT_MS = 1000


def makes_pauses(platform: Platform) -> bool:
    """Whether lanes wait so long between visits that it is cheaper to close the page and open another one. If not, an
    unleased page is needed again in a moment."""
    limit = platform.workflow.rate_limit
    return limit.enabled and limit.wait_time_ms.low_ms >= _LONG_WAIT_MS


class IdlePages:
    """The idle slots of all platforms, the least recently used first.

    A page is a process of 25 to 40 MB, a context takes about 2 MB. So pages are closed early, while contexts stay until
    `idle_s`, with their cookies and storage.
    """

    def __init__(
        self,
        kept: int,
        idle_s: float,
        clock: Clock,
        on_pause: Callable[[Slot], None],
        on_unused: Callable[[Slot], None],
    ) -> None:
        """
        Args:
            kept: how many pages stay open although they make a pause: the most recently used ones.
            idle_s: how long a slot stays without a lease.
            clock: time.
            on_pause: closes the page of a slot; the slot stays.
            on_unused: called with each slot that was not leased for `idle_s`; it is no longer held then.
        """
        self._kept = kept
        self._idle_s = idle_s
        self._clock = clock
        self._on_pause = on_pause
        self._on_unused = on_unused
        self._slots: dict[Slot, float] = {}
        """The time since which each slot is idle."""
        self._call_off: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    @property
    def pages(self) -> int:
        """How many slots have a page or are getting one. May be called from any thread."""
        return sum(not slot.lacks_a_page for slot in list(self._slots))

    def put(self, slot: Slot, *, after_s: float = 0.0) -> None:
        """Adds a slot whose lease has just ended; its pause begins `after_s` seconds later."""
        self._slots[slot] = self._clock.now_s() + after_s
        self._set_timer()

    def take(self, platform: Platform, *, unused: bool = False) -> Slot | None:
        """The platform's most recently used slot, so that its others age; slots with a page come first.

        With `unused`, only a slot whose context nothing was visited in.
        """
        own = [slot for slot in self._of(platform) if slot.is_unused or not unused]
        return self._without(max(reversed(own), key=lambda slot: slot.is_ready)) if own else None

    def has_ready(self, platform: Platform) -> bool:
        """Whether the platform's next lease finds an open page."""
        return any(slot.is_ready for slot in self._of(platform))

    def keep(self, platform: Platform, count: int, for_s: float) -> bool:
        """Keeps as many pages of the platform, those that would be taken next, for that long. Returns whether there are
        so many; those that are being opened count."""
        pages = sorted((slot for slot in self._of(platform) if not slot.lacks_a_page), key=lambda slot: slot.is_ready)
        until_s = self._clock.now_s() + for_s
        for slot in pages[-count:]:
            del self._slots[slot]
            self._slots[slot] = until_s
        self._set_timer()
        return len(pages) >= count

    def take_bare(self, platform: Platform) -> Slot | None:
        """The platform's slot without a page whose context was used most and may be used again, if there is one."""
        bare = (slot for slot in self._of(platform) if slot.lacks_a_page and not slot.is_condemned)
        slot = max(bare, key=lambda slot: slot.context_uses, default=None)
        return None if slot is None else self._without(slot)

    def has_elder(self, slot: Slot) -> bool:
        """Whether another slot of that platform has a context that was used at least as much."""
        others = (each for each in self._of(slot.platform) if each is not slot)
        return any(each.context_uses >= slot.context_uses for each in others)

    def platforms(self) -> set[str]:
        """The platforms that have a page here."""
        return {slot.platform.platform for slot in self._with_page()}

    def page_to_give_way(self, at_work: Iterable[Slot], is_served: Callable[[str], bool]) -> Slot | None:
        """The slot whose page is closed to make room: of a platform that is not served, else of the one with the most
        pages; of these, the least recently used. `None` if no page is open."""
        pages = self._with_page()
        count = Counter(slot.platform.platform for slot in (*pages, *at_work))

        def spared_best(slot: Slot) -> tuple[bool, int]:
            return not is_served(slot.platform.platform), count[slot.platform.platform]

        return max((slot for slot in pages if not slot.is_opening), key=spared_best, default=None)

    def take_oldest(self) -> Slot:
        """Removes and returns the least recently used slot."""
        return self._without(next(iter(self._slots)))

    def take_all(self, which: Callable[[Slot], object] = lambda _slot: True) -> list[Slot]:
        """Removes and returns all slots for which `which` is true."""
        return [self._without(slot) for slot in [*self._slots] if which(slot)]

    def close(self) -> list[Slot]:
        """Removes and returns all slots, and stops the timer."""
        self._stop_timer()
        return self.take_all()

    def _of(self, platform: Platform) -> list[Slot]:
        return [slot for slot in self._slots if slot.platform is platform or slot.platform == platform]

    def _with_page(self) -> list[Slot]:
        return [slot for slot in self._slots if not slot.lacks_a_page]

    def _without(self, slot: Slot) -> Slot:
        del self._slots[slot]
        return slot

    def _due_s(self, slot: Slot) -> float:
        """When the slot's page is to be closed. A page that is still being opened is checked again later."""
        pause_s = self._slots[slot] + PAUSE_S
        return max(pause_s, self._clock.now_s() + PAUSE_S) if slot.is_opening else pause_s

    def _too_many(self) -> list[Slot]:
        """The slots whose page is closed once it makes a pause."""
        pages = [slot for slot in self._with_page() if makes_pauses(slot.platform)]
        return pages[: max(0, len(pages) - self._kept)]

    def _set_timer(self) -> None:
        """Schedules the next check for the time when the first slot is due; it may be leased before that."""
        self._stop_timer()
        due_s = [self._slots[slot] + self._idle_s for slot in [*self._slots][:1]]
        due_s += map(self._due_s, self._too_many())
        if due_s:
            self._call_off = self._clock.call_later(max(0.0, min(due_s) - self._clock.now_s()), self._look)

    def _stop_timer(self) -> None:
        if self._call_off is not None:
            self._call_off()
            self._call_off = None

    def _look(self) -> None:
        now_s = self._clock.now_s()
        for slot in self.take_all(lambda slot: self._slots[slot] + self._idle_s <= now_s):
            self._on_unused(slot)
        for slot in self._too_many():
            if slot in self._slots and self._due_s(slot) <= now_s:
                self._on_pause(slot)
        self._set_timer()
