"""Which idle page is leased next, which one goes for another, and when one has not been needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from pagemill.browser.idle_pages import IdlePages
from pagemill.browser.slot import Slot
from pagemill.config.platform import Platform
from tests.unit.browser.test_pool import QuickClock, shop


@dataclass(eq=False)
class Stand:
    """A slot as far as it matters here."""

    platform: Platform
    is_ready: bool
    is_unused: bool


def slot(name: str = "one", *, ready: bool = True, unused: bool = False) -> Slot:
    return cast(Slot, Stand(shop(name), ready, unused))


class Room:
    """Idle pages with a clock, and what was not needed."""

    def __init__(self, idle_s: float = 30.0) -> None:
        self.clock = QuickClock()
        self.unneeded: list[Slot] = []
        self.pages = IdlePages(idle_s, self.clock, self.unneeded.append)

    def put(self, *slots: Slot, each_s: float = 1.0) -> list[Slot]:
        """One after the other, with time between them."""
        for each in slots:
            self.pages.put(each)
            self.clock.advance(each_s)
        return list(slots)


def test_the_most_recently_used_page_is_leased_first() -> None:
    """So the others grow old."""
    room = Room()
    first, second, _other = room.put(slot(), slot(), slot("two"))
    assert [room.pages.take(shop("one")) for _ in range(3)] == [second, first, None]
    assert len(room.pages) == 1


def test_a_page_that_is_there_comes_before_one_that_is_not() -> None:
    """However long ago it was used."""
    room = Room()
    there, coming = room.put(slot(), slot(ready=False))
    assert room.pages.has_ready(shop("one"))
    assert room.pages.take(shop("one")) is there
    assert not room.pages.has_ready(shop("one"))
    assert room.pages.take(shop("one")) is coming


def test_whoever_wants_an_unused_context_gets_no_other() -> None:
    """Not even where there is a page."""
    room = Room()
    unused, used = room.put(slot(unused=True), slot())
    assert [room.pages.take(shop("one"), unused=True) for _ in range(2)] == [unused, None]
    assert room.pages.take(shop("one")) is used


def test_a_platform_with_other_settings_is_another_one() -> None:
    """Its contexts were opened for other rules."""
    room = Room()
    room.put(slot())
    assert room.pages.take(shop("one", page=3)) is None


def test_what_is_not_leased_for_a_while_is_told() -> None:
    """Each at its own time; a page that was leased meanwhile begins anew."""
    room = Room(idle_s=30)
    first, second, third = room.put(slot(), slot(), slot("two"))
    room.clock.advance(26)  # 29 s after the first was put there
    assert room.unneeded == []
    assert room.pages.take(shop("one")) is second
    room.pages.put(second)
    room.clock.advance(1.5)
    assert room.unneeded == [first]
    room.clock.advance(2)
    assert room.unneeded == [first, third]
    room.clock.advance(60)
    assert room.unneeded == [first, third, second]
    assert len(room.pages) == 0
    assert not room.clock.timers


@pytest.mark.parametrize("since_s", [1000.1 + number / 7 for number in range(30)])
def test_a_page_that_is_due_is_told_once_however_its_time_is_rounded(since_s: float) -> None:
    """A timer that came too early for the comparison would be set for the same moment again and again."""
    room = Room(idle_s=30)
    room.clock.time_s = since_s
    room.put(slot(), each_s=0)
    looks = 0
    while room.clock.timers and looks < 5:
        looks += 1
        room.clock.advance_to_next()
    assert (len(room.unneeded), looks <= 2) == (1, True)


@pytest.mark.parametrize(
    ("idle", "at_work", "served", "goes"),
    [
        (["one", "two", "one", "two"], [], ["one", "two"], [0, 1, 2, 3]),  # the least recently used
        (["one", "two", "two"], [], ["one", "two"], [1, 0, 2]),  # of the shop that has most
        (["one", "two"], ["two"], ["one", "two"], [1, 0]),  # also where that is at work
        (["one", "two", "two", "three"], [], ["one", "two"], [3, 1, 0, 2]),  # for which nothing is to come
        (["one", "two", "two"], [], [], [1, 0, 2]),
    ],
)
def test_which_page_goes_for_another(idle: list[str], at_work: list[str], served: list[str], goes: list[int]) -> None:
    """So the only page of a served shop stays while another one has two."""
    room = Room()
    pages = room.put(*map(slot, idle))
    leased = [slot(name) for name in at_work]
    assert [pages.index(room.pages.give_way(leased, lambda name: name in served)) for _ in pages] == goes


def test_closing_gives_out_everything_and_looks_after_nothing() -> None:
    """No call is left on the loop."""
    room = Room()
    pages = room.put(slot(), slot("two"))
    assert room.pages.close() == pages
    room.clock.advance(100)
    assert room.unneeded == []
    assert not any(timer.is_set for timer in room.clock.timers)


def test_one_timer_serves_all() -> None:
    """However often pages come and go."""
    room = Room()
    for _ in range(50):
        room.put(slot(), each_s=0.1)
        room.pages.take(shop("one"))
    assert len(room.clock.timers) == 1


def test_it_says_which_there_are() -> None:
    """The least recently used one first."""
    room = Room()
    pages = room.put(slot(), slot("two"))
    assert list(room.pages) == pages
