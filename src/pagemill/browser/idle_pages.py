"""Pages that nobody leases: which one is leased next, which one goes for another, and which have not been needed.

Slots go in and out; what stands in them is opened and closed elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from pagemill.browser.clock import Clock, Timer
from pagemill.browser.slot import Slot
from pagemill.config.platform import Platform


class IdlePages:
    """The idle slots of all platforms, the least recently used first."""

    def __init__(self, idle_s: float, clock: Clock, on_unused: Callable[[Slot], None]) -> None:
        """`on_unused` is given each slot that was not leased for `idle_s`; it is out by then."""
        self._idle_s = idle_s
        self._clock = clock
        self._on_unused = on_unused
        self._slots: dict[Slot, float] = {}
        """Since when each is idle."""
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    @property
    def pages(self) -> int:
        """How many of them have a page, or get one. From any thread."""
        return sum(not slot.lacks_a_page for slot in list(self._slots))

    def put(self, slot: Slot) -> None:
        """Takes in a slot whose lease has ended just now."""
        self._slots[slot] = self._clock.now_s()
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

    def platforms(self) -> set[str]:
        """Whose they are."""
        return {slot.platform.platform for slot in self._slots}

    def give_way(self, at_work: Iterable[Slot], is_served: Callable[[str], bool]) -> Slot:
        """The slot that goes for another one: of a platform that is not served, else of the one that has most pages; of
        these the least recently used."""
        count = Counter(slot.platform.platform for slot in (*self._slots, *at_work))

        def spared_best(slot: Slot) -> tuple[bool, int]:
            return not is_served(slot.platform.platform), count[slot.platform.platform]

        return self._without(max(self._slots, key=spared_best))

    def take_all(self, which: Callable[[Slot], object] = lambda _slot: True) -> list[Slot]:
        """Those, all at once."""
        return [self._without(slot) for slot in [*self._slots] if which(slot)]

    def close(self) -> list[Slot]:
        """Gives out all that there are, and looks after nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self.take_all()

    def _of(self, platform: Platform) -> list[Slot]:
        return [slot for slot in self._slots if slot.platform is platform or slot.platform == platform]

    def _without(self, slot: Slot) -> Slot:
        del self._slots[slot]
        return slot

    def _set_timer(self) -> None:
        """Has the oldest one looked at when it will have been idle for long enough; it may be leased until then."""
        if self._timer is None and self._slots:
            since_s = next(iter(self._slots.values()))
            due_in_s = max(0.0, since_s + self._idle_s - self._clock.now_s())
            self._timer = self._clock.call_later(due_in_s, self._look)

    def _look(self) -> None:
        self._timer = None
        now_s = self._clock.now_s()
        for slot in self.take_all(lambda slot: self._slots[slot] + self._idle_s <= now_s):
            self._on_unused(slot)
        self._set_timer()
