"""Which idle page is leased next, which one goes for another, and when one has not been needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from pagemill.browser.idle_pages import PAUSE_S, IdlePages
from pagemill.browser.slot import Slot
from pagemill.config.platform import Platform, RateLimit, Workflow
from tests.unit.browser.test_pool import QuickClock, shop


@dataclass(eq=False)
class Stand:
    """A slot as far as it matters here."""

    platform: Platform
    is_unused: bool = False
    is_opening: bool = False
    lacks_a_page: bool = False
    is_condemned: bool = False
    context_uses: int = 1

    @property
    def is_ready(self) -> bool:
        return not self.lacks_a_page and not self.is_opening


def slot(name: str = "one", *, context_uses: int = 1, **states: bool) -> Slot:
    return cast(Slot, Stand(shop(name), context_uses=context_uses, **states))


class Room:
    """Idle pages with a clock, and what was not needed."""

    def __init__(self, idle_s: float = 30.0, kept: int = 100) -> None:
        self.clock = QuickClock()
        self.closed: list[Slot] = []
        self.unneeded: list[Slot] = []
        self.pages = IdlePages(kept, idle_s, self.clock, self.close_page, self.unneeded.append)

    def close_page(self, slot: Slot) -> None:
        """As the pool does."""
        self.closed.append(slot)
        cast(Stand, slot).lacks_a_page = True

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
    there, coming = room.put(slot(), slot(is_opening=True))
    assert room.pages.has_ready(shop("one"))
    assert room.pages.take(shop("one")) is there
    assert not room.pages.has_ready(shop("one"))
    assert room.pages.take(shop("one")) is coming


def test_whoever_wants_an_unused_context_gets_no_other() -> None:
    """Not even where there is a page."""
    room = Room()
    unused, used = room.put(slot(is_unused=True), slot())
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
    assert not any(timer.is_set for timer in room.clock.timers)


@pytest.mark.parametrize("since_s", [1000.1 + number / 7 for number in range(30)])
def test_a_page_that_is_due_is_told_once_however_its_time_is_rounded(since_s: float) -> None:
    """A timer that came too early for the comparison would be set for the same moment again and again."""
    room = Room(idle_s=30)
    room.clock.time_s = since_s
    room.put(slot(), each_s=0)
    looks = 0
    while any(timer.is_set for timer in room.clock.timers) and looks < 5:
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
    gone = []
    while (page := room.pages.page_to_give_way(leased, lambda name: name in served)) is not None:
        room.close_page(page)
        gone.append(pages.index(page))
    assert gone == goes


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
    assert sum(timer.is_set for timer in room.clock.timers) <= 1


def test_it_says_which_there_are() -> None:
    """The least recently used one first."""
    room = Room()
    pages = room.put(slot(), slot("two"))
    assert list(room.pages) == pages


def test_pages_that_make_a_pause_are_closed_but_for_those_used_last() -> None:
    """Their contexts stay until `idle_s`."""
    room = Room(kept=2)
    first, second, third, _fourth = room.put(
        *(slot(name) for name in ("one", "two", "three", "four")), each_s=PAUSE_S / 5
    )
    assert room.closed == []
    room.clock.advance(PAUSE_S)
    assert room.closed == [first, second]
    assert (len(room.pages), room.pages.pages) == (4, 2)
    room.put(slot("five"))
    assert room.closed == [first, second, third]
    room.clock.advance(30)
    assert len(room.unneeded) == 5


def test_pages_of_lanes_that_hardly_wait_stay() -> None:
    """One that nobody leases for a moment is only late: the machine is busy."""
    room = Room(kept=0)
    brisk = shop("brisk").model_copy(update={"workflow": Workflow(rate_limit=RateLimit(wait_time_ms="0-50"))})
    room.put(*(cast(Slot, Stand(brisk)) for _ in range(3)))
    assert room.closed == []
    room.clock.advance(30)
    assert len(room.unneeded) == 3


def test_a_page_that_is_used_again_within_the_pause_stays() -> None:
    """So lanes that never wait never open one."""
    room = Room(kept=0)
    page = slot()
    for _ in range(50):
        room.put(page, each_s=PAUSE_S / 2)
        assert room.pages.take(shop("one")) is page
    assert room.closed == []


def test_a_page_that_is_being_opened_is_looked_at_again() -> None:
    """It is closed when it is open; until then its context cannot go."""
    room = Room(kept=0)
    [page] = room.put(slot(is_opening=True), each_s=0)
    room.clock.advance(3 * PAUSE_S)
    assert room.closed == []
    cast(Stand, page).is_opening = False
    room.clock.advance(2 * PAUSE_S)
    assert room.closed == [page]


def test_a_visit_that_was_announced_is_waited_for_longer() -> None:
    """Its page was opened a moment before it comes."""
    room = Room(kept=0)
    page = slot()
    room.pages.put(page, after_s=0.5)
    room.clock.advance(0.5)
    assert room.closed == []
    room.clock.advance(2 * PAUSE_S)
    assert room.closed == [page]


def test_pages_are_kept_for_visits_that_come() -> None:
    """Those that would be leased next, though they make a pause already; then they go as others do."""
    room = Room(kept=0)
    [first, second] = room.put(slot(), slot(), each_s=0)
    assert room.pages.keep(shop("one"), 1, 0.5)
    room.clock.advance(0.5)
    assert room.closed == [first]
    assert room.pages.take(shop("one")) is second
    room.pages.put(second)
    room.clock.advance(2 * PAUSE_S)
    assert room.closed == [first, second]


def test_it_is_told_when_there_are_too_few_to_keep() -> None:
    """One that is being opened counts, one without a page and one of another platform do not."""
    room = Room()
    room.put(slot(), slot(is_opening=True), slot(lacks_a_page=True), slot("two"))
    assert [room.pages.keep(shop("one"), count, 0.5) for count in (1, 2, 3)] == [True, True, False]


def test_the_context_that_was_used_most_is_the_one_to_keep() -> None:
    """It has what the shop knows its visitor by."""
    room = Room()
    young, elder, other = room.put(slot(context_uses=2), slot(context_uses=9), slot("two"))
    assert [room.pages.has_elder(each) for each in (young, elder, other)] == [True, False, False]
    for each in (young, elder):
        room.close_page(each)
    assert room.pages.take_bare(shop("one")) is elder
    assert room.pages.take_bare(shop("two")) is None
