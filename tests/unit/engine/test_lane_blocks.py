"""A lane and a shop that refuses: tried again as a stranger, told to the pace, and never without an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pagemill.engine.lane import Lane
from pagemill.errors import DeadlineExceeded, PageLost, VisitFailed, VisitRefused
from pagemill.model import PageReading, Verdict
from pagemill.pacing.fleet_pace import PaceReply
from pagemill.pacing.visit_answer import Welcome
from tests.unit.engine.stand_ins import GOOD, NOT_READY, Behaviour, Bench, shop
from tests.unit.pacing.stand_in_pace import go

FORBIDDEN = PageReading(403, "https://shop.test/", {}, ready=False)
TOO_MANY = PageReading(429, "https://shop.test/", {}, ready=False, retry_after="5")
CLOSED = PaceReply("paused", 600.0, 1.0, clean=False)


async def work_off(bench: Bench, products: int = 1) -> None:
    """One lane works a state off."""
    await Lane(0, bench.state(products), bench.stations).run()


async def test_a_block_is_tried_again_in_a_fresh_context() -> None:
    """The one that was blocked is retired, and the result says how many attempts it took."""
    bench = Bench({"p2": [FORBIDDEN, FORBIDDEN]})
    await work_off(bench, 3)
    assert bench.pool.fresh == [False, False, True, True, False]
    assert bench.pool.retired == ["blocked", "blocked"]
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [
        (Verdict.OK, 1),
        (Verdict.OK, 3),
        (Verdict.OK, 1),
    ]


async def test_what_stays_blocked_is_blocked() -> None:
    """After as many attempts as there are."""
    bench = Bench({"p1": [FORBIDDEN] * 3})
    await work_off(bench)
    [result] = bench.shelf.waiting
    assert (result.verdict, result.reason, result.attempts) == (Verdict.BLOCKED, "HTTP 403", 3)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (VisitFailed("net::ERR_FAILED"), "VisitFailed"),
        (DeadlineExceeded("loading the page", 30), "DeadlineExceeded"),
        (PageLost("crashed"), "PageLost"),
        (NOT_READY, "failed"),
        (FORBIDDEN, "blocked"),
    ],
    ids=str,
)
async def test_no_attempt_meets_what_the_one_before_it_left_behind(bad: Behaviour, why: str) -> None:
    """Whatever went wrong, its context is retired and the next attempt stands in a fresh one."""
    bench = Bench({"p1": [bad]})
    await work_off(bench)
    assert bench.pool.fresh == [False, True]
    assert bench.pool.retired == [why]


async def test_a_place_that_is_refused_costs_no_context() -> None:
    """That is the product's address, and nothing of the session's."""
    bench = Bench({"p1": [VisitRefused("elsewhere")]})
    await work_off(bench)
    assert bench.pool.retired == []


async def test_a_verdict_that_was_not_confirmed_costs_its_context() -> None:
    """A cookie of another product may have made the page say so: no other product is to be read by it."""
    changed = replace(GOOD, facts={"name": "Coat", "in_stock": True})
    bench = Bench({"p1": [changed]}, shop(confirm=["changed"]))
    state = bench.state()
    state.waiting[0] = replace(state.waiting[0], expected={"name": "Shirt"})
    await Lane(0, state, bench.stations).run()
    assert bench.pool.retired == ["unconfirmed", "unconfirmed"]
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.OK, 3)]


async def test_a_request_without_a_page_that_is_blocked_is_tried_again() -> None:
    """There is no context to retire; it keeps no cookies, so its block counts at once."""
    bench = Bench({"p1": [FORBIDDEN]})
    bench.strategy.without_page = {"p1"}
    bench.pace.turns = [go(clean=False)]
    await work_off(bench)
    assert bench.pool.fresh == []
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.OK, 2)]
    assert [answer.welcome for answer, _probe in bench.pace.reports] == [Welcome.BLOCKED, Welcome.GOOD]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ([GOOD, FORBIDDEN, GOOD], ["good", "good"]),
        ([GOOD, FORBIDDEN, FORBIDDEN, FORBIDDEN], ["good", "blocked"]),
        ([GOOD, TOO_MANY, GOOD], ["good", "challenged", "good"]),
        ([FORBIDDEN, FORBIDDEN, GOOD], ["blocked", "good"]),
    ],
)
async def test_a_session_that_is_blocked_says_nothing_of_the_pace(script: Sequence[Behaviour], told: list[str]) -> None:
    """Unless the shop asks for quiet; a stranger who is blocked counts, once for a product."""
    first, *second = script
    bench = Bench({"p1": [first], "p2": second} if first is GOOD else {"p1": script})
    bench.pace.turns = [go(clean=False)]
    await work_off(bench, 2 if first is GOOD else 1)
    assert [answer.welcome.value for answer, _probe in bench.pace.reports] == told


async def test_the_visit_that_tries_whether_the_breaker_may_close_is_a_strangers() -> None:
    """Otherwise an old session could keep it open; and each time that it is blocked counts."""
    probe = PaceReply("probe", 0.0, 1.0, clean=False)
    bench = Bench({"p1": [FORBIDDEN, FORBIDDEN]})
    bench.pace.turns = [probe, probe, probe]
    await work_off(bench)
    assert bench.pool.fresh == [True, True, True]
    assert [(answer.welcome.value, probing) for answer, probing in bench.pace.reports] == [
        ("blocked", True),
        ("blocked", True),
        ("good", True),
    ]


async def test_a_shop_that_wants_to_be_left_alone_each_time_gets_an_end() -> None:
    """The product goes back to the queue, and whoever takes it up again goes on with its attempts."""
    bench = Bench({"p1": [TOO_MANY] * 5})
    for _ in range(2):
        bench.pace.turns = [go(), CLOSED]
        state = bench.state()
        await Lane(0, state, bench.stations).run()
        assert [product.id for product in state.waiting] == ["p1"]
        assert bench.shelf.waiting == []
    bench.pace.turns = [go()]
    await work_off(bench)
    assert bench.pool.fresh == [False, True, True]
    [result] = bench.shelf.waiting
    assert (result.verdict, result.attempts) == (Verdict.BLOCKED, 3)
