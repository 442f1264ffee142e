"""Who gets the next place: the order, what each platform leaves the others, and that no place is ever lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from pagemill.browser.waiting_line import Ticket, WaitingLine
from pagemill.errors import TurnDenied

SHOPS = ["one", "two", "three", "four"]


def joined(line: WaitingLine, *platforms: str) -> list[Ticket]:
    """Tickets in that order."""
    return [line.join(platform) for platform in platforms]


def with_places(tickets: list[Ticket]) -> list[int]:
    """The numbers of those that have one."""
    return [number for number, ticket in enumerate(tickets) if ticket.has_place]


def test_places_go_to_those_who_came_first() -> None:
    """A place that becomes free goes to the oldest ticket, and whoever comes then stands behind all."""
    line = WaitingLine(2)
    tickets = joined(line, "one", "one", "one", "one")
    assert with_places(tickets) == [0, 1]
    line.leave(tickets[1])
    tickets.append(line.join("one"))
    assert with_places(tickets) == [0, 2]
    line.leave(tickets[0])
    line.leave(tickets[2])
    assert with_places(tickets) == [3, 4]


@pytest.mark.parametrize("leaving", [0, 1, 2])
def test_a_ticket_given_back_lets_the_next_one_in(leaving: int) -> None:
    """Whether it had its place or waited for it."""
    line = WaitingLine(1)
    tickets = joined(line, "one", "two", "three")
    line.leave(tickets[leaving])
    assert line.waiting == 1
    assert with_places(tickets) == [1 if leaving == 0 else 0]


def test_no_places_hold_everybody_back_until_there_are_some_again() -> None:
    """Those that are at work keep theirs."""
    line = WaitingLine(2)
    tickets = joined(line, "one", "two")
    line.resize(0)
    line.leave(tickets[0])
    tickets.append(line.join("one"))
    assert with_places(tickets) == [1]
    line.resize(1)
    assert with_places(tickets) == [1]
    line.resize(2)
    assert with_places(tickets) == [1, 2]


def test_whoever_is_held_back_goes_on_when_that_is_over() -> None:
    """The line asks each time."""
    held_back = True
    line = WaitingLine(1, lambda: not held_back)
    ticket = line.join("one")
    assert not ticket.has_place
    held_back = False
    line.admit()
    assert ticket.has_place


def test_a_shop_leaves_each_other_served_one_a_place() -> None:
    """Whoever asks first; a shop that is not served is left nothing, and takes what is free."""
    line = WaitingLine(4)
    for platform in ("one", "two", "three"):
        line.serve(platform)
    hanging = joined(line, *["one"] * 4)
    assert with_places(hanging) == [0, 1]
    others = joined(line, "two", "three", "two")
    assert with_places(others) == [0, 1]
    line.serve_no_more("three")
    line.leave(others[1])
    assert with_places(hanging) == [0, 1, 2]


def test_a_shop_without_another_page_waits_for_its_own() -> None:
    """It has a place already; whoever has none gets one, page or no page."""
    pages = {"one"}
    line = WaitingLine(4, has_page=lambda platform: platform in pages)
    tickets = joined(line, "two", "two", "one", "one", "two")
    assert with_places(tickets) == [0, 2, 3]
    line.leave(tickets[0])
    assert with_places(tickets) == [1, 2, 3]
    pages.add("two")
    line.admit()
    assert with_places(tickets) == [1, 2, 3, 4]


def test_one_shop_alone_takes_every_place() -> None:
    """What nobody else is served with need not be kept."""
    line = WaitingLine(4)
    line.serve("one")
    assert with_places(joined(line, *["one"] * 5)) == [0, 1, 2, 3]


def test_a_shop_that_is_served_later_gets_the_next_place() -> None:
    """Nobody is sent away for it, but nobody else of those who have several comes before it."""
    line = WaitingLine(2)
    line.serve("one")
    first = joined(line, "one", "one", "one")
    line.serve("two")
    second = line.join("two")
    assert not second.has_place
    line.leave(first[0])
    assert second.has_place


def test_with_fewer_places_than_shops_each_gets_one_in_turn() -> None:
    """One place and three shops: they come in the order in which they asked."""
    line = WaitingLine(1)
    for platform in ("one", "two", "three"):
        line.serve(platform)
    tickets = joined(line, "one", "one", "two", "three")
    order: list[str] = []
    while (now := with_places(tickets)) and len(order) < 12:
        order.append(tickets[now[0]].platform)
        line.leave(tickets[now[0]])
        del tickets[now[0]]
        tickets.append(line.join(order[-1]))
    assert order == ["one", "one", "two", "three"] * 3


def test_serving_twice_holds_until_both_are_over() -> None:
    """Two batches of one shop may overlap for a moment."""
    line = WaitingLine(2)
    line.serve("two")
    line.serve("two")
    line.serve_no_more("two")
    assert with_places(joined(line, "one", "one")) == [0]
    line.serve_no_more("two")
    assert line.waiting == 0


async def test_whoever_must_stop_is_told_at_once() -> None:
    """Before its place comes, and even where it comes in the same moment."""
    line = WaitingLine(1)
    first, second = joined(line, "one", "one")
    stop = asyncio.Event()
    waiting = asyncio.create_task(second.called(stop))
    await asyncio.sleep(0)
    stop.set()
    line.leave(first)
    with pytest.raises(TurnDenied):
        await waiting
    line.leave(second)
    assert line.free == 1


async def test_closing_calls_those_who_wait_and_those_who_come() -> None:
    """Without a place."""
    line = WaitingLine(1)
    _first, second = joined(line, "one", "one")
    line.close()
    await second.called()
    assert not second.has_place
    late = line.join("one")
    await late.called()
    assert not late.has_place


@given(
    places=st.integers(len(SHOPS), 8),
    steps=st.lists(st.tuples(st.sampled_from(SHOPS), st.booleans()), min_size=1, max_size=60),
)
def test_whoever_has_no_place_gets_one_at_once(places: int, steps: list[tuple[str, bool]]) -> None:
    """While there are as many places as served shops: however many visits the others have begun and never end."""
    line = WaitingLine(places)
    for platform in SHOPS:
        line.serve(platform)
    ending: list[Ticket] = []
    for platform, ends in steps:
        had_none = platform not in line.held
        ticket = line.join(platform)
        assert ticket.has_place or not had_none
        ending += [ticket] if ends else []
        if not ends and ending:
            line.leave(ending.pop())
    assert sum(line.held.values()) <= places


class Line(RuleBasedStateMachine):
    """Tickets come and go, shops are served and no more, places are added and taken away."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.line = WaitingLine(3)
        self.out: list[Ticket] = []
        """Those not given back, in the order in which they joined."""
        self.served: list[str] = []

    @rule(target=tickets, platform=st.sampled_from(SHOPS))
    def join(self, platform: str) -> Ticket:
        self.out.append(self.line.join(platform))
        return self.out[-1]

    @rule(ticket=consumes(tickets))
    def leave(self, ticket: Ticket) -> None:
        self.out.remove(ticket)
        self.line.leave(ticket)

    @rule(places=st.integers(0, 6))
    def resize(self, places: int) -> None:
        self.line.resize(places)

    @rule(platform=st.sampled_from(SHOPS))
    def serve(self, platform: str) -> None:
        self.served.append(platform)
        self.line.serve(platform)

    @precondition(lambda self: self.served)
    @rule(data=st.data())
    def serve_no_more(self, data: Any) -> None:
        platform = data.draw(st.sampled_from(self.served))
        self.served.remove(platform)
        self.line.serve_no_more(platform)

    @invariant()
    def the_account_balances(self) -> None:
        """Each ticket has a place or waits, and no place is counted that no ticket has."""
        holding = [ticket.platform for ticket in self.out if ticket.has_place]
        assert self.line.held == Counter(holding)
        assert self.line.waiting == len(self.out) - len(holding)
        assert self.line.free == self.line.places - len(holding)

    @invariant()
    def nobody_waits_who_may_go(self) -> None:
        """A free place stays free only because every shop that waits has one, and others are owed what is left."""
        held = self.line.held
        for ticket in self.out:
            if not ticket.has_place and self.line.free > 0:
                assert ticket.platform in held
                owed = {other for other in self.served if other != ticket.platform and other not in held}
                assert self.line.free <= len(owed)

    @invariant()
    def of_one_shop_the_first_goes_first(self) -> None:
        """No ticket overtakes another one of its platform."""
        for platform in SHOPS:
            places = [ticket.has_place for ticket in self.out if ticket.platform == platform]
            assert places == sorted(places, reverse=True)


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
