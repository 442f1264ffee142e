"""The contexts that are not leased, most with a page: chooses which one is leased next and whose page is closed.

Slots go in and out; what stands in them is opened and closed elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from pagemill.browser.clock import Clock
from pagemill.browser.slot import Slot
from pagemill.config.platform import Platform

PAUSE_S = 0.02
"""A page that is not leased for so long makes a pause, if its platform's lanes wait long between their visits. Whoever
waits for it has it sooner."""
_LONG_WAIT_MS = 1000


def makes_pauses(platform: Platform) -> bool:
    """Whether lanes wait so long between two visits that closing a page and opening another one costs less than it
    holds meanwhile. Where they do not, a page that nobody leases for a moment is only late."""
    limit = platform.workflow.rate_limit
    return limit.enabled and limit.wait_time_ms.low_ms >= _LONG_WAIT_MS


class IdlePages:
    """The idle slots of all platforms, the least recently used first.

    A page is a process of 25 to 40 MB, a context about 2 MB: pages go early, and contexts, with cookies and storage,
    stay until `idle_s`.
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
            kept: so many pages stay though they make a pause, those that were used last.
            idle_s: how long a slot stays that is not leased.
            clock: time.
            on_pause: closes the page of a slot; the slot stays.
            on_unused: is given each slot that was not leased for `idle_s`; it is out by then.
        """
        self._kept = kept
        self._idle_s = idle_s
        self._clock = clock
        self._on_pause = on_pause
        self._on_unused = on_unused
        self._slots: dict[Slot, float] = {}
        """Since when each is idle."""
        self._call_off: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    @property
    def pages(self) -> int:
        """How many of them have a page, or get one. From any thread."""
        return sum(not slot.lacks_a_page for slot in list(self._slots))

    def put(self, slot: Slot, *, after_s: float = 0.0) -> None:
        """Takes in a slot whose lease has ended just now; its pause begins after so many seconds."""
        self._slots[slot] = self._clock.now_s() + after_s
        self._set_timer()

    def take(self, platform: Platform, *, unused: bool = False) -> Slot | None:
        """The platform's most recently used slot, so that its others grow old; one whose page is there comes first.

        With `unused` only one whose context nothing has been visited in.
        """
        own = [slot for slot in self._of(platform) if slot.is_unused or not unused]
        return self._without(max(reversed(own), key=lambda slot: slot.is_ready)) if own else None

    def has_ready(self, platform: Platform) -> bool:
        """Whether the platform's next lease finds a page."""
        return any(slot.is_ready for slot in self._of(platform))

    def pages_of(self, platform: Platform) -> int:
        """How many pages the platform has, or gets."""
        return sum(not slot.lacks_a_page for slot in self._of(platform))

    def take_bare(self, platform: Platform) -> Slot | None:
        """The slot of the platform without a page whose context was used most, if there is one that may be used."""
        bare = (slot for slot in self._of(platform) if slot.lacks_a_page and not slot.is_condemned)
        slot = max(bare, key=lambda slot: slot.context_uses, default=None)
        return None if slot is None else self._without(slot)

    def has_elder(self, slot: Slot) -> bool:
        """Whether there is another one of that platform whose context was used no less."""
        others = (each for each in self._of(slot.platform) if each is not slot)
        return any(each.context_uses >= slot.context_uses for each in others)

    def platforms(self) -> set[str]:
        """Whose pages they are."""
        return {slot.platform.platform for slot in self._with_page()}

    def page_to_give_way(self, at_work: Iterable[Slot], is_served: Callable[[str], bool]) -> Slot | None:
        """The slot whose page goes for another one: of a platform that is not served, else of the one that has most
        pages; of these the least recently used. `None` if there is none that is open."""
        pages = self._with_page()
        count = Counter(slot.platform.platform for slot in (*pages, *at_work))

        def spared_best(slot: Slot) -> tuple[bool, int]:
            return not is_served(slot.platform.platform), count[slot.platform.platform]

        return max((slot for slot in pages if not slot.is_opening), key=spared_best, default=None)

    def take_oldest(self) -> Slot:
        """The least recently used one."""
        return self._without(next(iter(self._slots)))

    def take_all(self, which: Callable[[Slot], object] = lambda _slot: True) -> list[Slot]:
        """Those, all at once."""
        return [self._without(slot) for slot in [*self._slots] if which(slot)]

    def close(self) -> list[Slot]:
        """Gives out all that there are, and looks after nothing any more."""
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
        """When its page goes; one that is being opened is looked at again."""
        pause_s = self._slots[slot] + PAUSE_S
        return max(pause_s, self._clock.now_s() + PAUSE_S) if slot.is_opening else pause_s

    def _too_many(self) -> list[Slot]:
        """Those whose page goes when it makes a pause."""
        pages = [slot for slot in self._with_page() if makes_pauses(slot.platform)]
        return pages[: max(0, len(pages) - self._kept)]

    def _set_timer(self) -> None:
        """Has the first one looked at when its time is over; it may be leased until then."""
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
