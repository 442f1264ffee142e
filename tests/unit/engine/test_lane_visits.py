"""An attempt goes in steps, with a page and without; and a verdict may need a second visit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.engine.lane import Lane
from pagemill.errors import DeadlineExceeded, PageLost, VisitFailed, VisitGoesOn
from pagemill.model import PageReading, Verdict
from pagemill.pacing.visit_answer import Welcome
from pagemill.telemetry import events
from tests.unit.engine.stand_ins import GOOD, Behaviour, Bench, shop

GONE = PageReading(404, "https://shop.test/p1", {})
CHANGED = replace(GOOD, facts={"name": "Coat", "in_stock": True})


async def work_off(bench: Bench, products: int = 1) -> None:
    """One lane works a state off."""
    await Lane(0, bench.state(products), bench.stations).run()


def confirming(script: list[Behaviour], attempts: int = 3, **keys: Any) -> Bench:
    """A platform of which what is gone, changed or sold out needs a second visit."""
    rules = {"confirm": ["gone", "changed", "sold_out"], "retry": {"attempts": attempts, "backoff_ms": 0}, **keys}
    return Bench({"p1": script}, shop(**rules))


async def test_what_needs_no_page_leases_none() -> None:
    """A request takes no place in the browser."""
    bench = Bench()
    bench.strategy.without_page = {"p1"}
    await work_off(bench, 2)
    assert [result.verdict for result in bench.shelf.waiting] == [Verdict.OK, Verdict.OK]
    assert bench.pool.ended == [""]


async def test_every_step_takes_a_seat_with_a_page_or_without() -> None:
    """One visit at a time means one request, too; and the wait between two steps holds no seat."""
    goes_on = VisitGoesOn("more is wanted", None, light=True)
    platform = shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": 1, "fleet": 1}})
    bench = Bench({"p1": [goes_on, GOOD], "p2": [VisitFailed("net"), GOOD]}, platform)
    bench.strategy.without_page = {"p1"}
    await work_off(bench, 2)
    assert bench.pace.seats == [f"{what} {seat}" for seat in range(4) for what in ("ask", "keep", "leave")]


@pytest.mark.parametrize("bad", [VisitFailed("net"), DeadlineExceeded("waiting for an answer over HTTP", 5)])
async def test_a_request_that_fails_is_tried_again(bad: Exception) -> None:
    """As a visit of a page is."""
    bench = Bench({"p1": [bad, GOOD]})
    bench.strategy.without_page = {"p1"}
    await work_off(bench)
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.OK, 2)]


async def test_each_result_says_where_its_visit_ended() -> None:
    """Also one that failed for that very reason; not one whose visit never came to an address."""
    moved = replace(GOOD, url="https://shop.test/p1?from=app", asked="https://shop.test/p1")
    home = replace(GOOD, url="https://shop.test/", asked="https://shop.test/p2")
    bench = Bench({"p1": [moved], "p2": [home] * 3, "p3": [VisitFailed("net")] * 3})
    await work_off(bench, 3)
    assert [(result.final_url, result.verdict) for result in bench.shelf.waiting] == [
        ("https://shop.test/p1?from=app", Verdict.OK),
        ("https://shop.test/", Verdict.FAILED),
        ("", Verdict.FAILED),
    ]
    assert bench.shelf.waiting[1].reason == "the visit ended elsewhere: https://shop.test/"


async def test_a_step_that_ran_into_its_time_is_told_and_slows_the_pace() -> None:
    """Though another step has brought what was wanted."""
    late = DeadlineExceeded("loading the page", 30)
    bench = Bench({"p1": [VisitGoesOn("timeout", "so far", light=False, failure=late)]})
    with capture_logs() as lines:
        await work_off(bench)
    assert [line["what"] for line in lines if line["event"] == events.TIMEOUT] == ["loading the page"]
    [result] = bench.shelf.waiting
    assert (result.verdict, result.attempts) == (Verdict.OK, 1)
    assert [answer.welcome for answer, _probe in bench.pace.reports] == [Welcome.TROUBLE]


async def test_a_step_that_was_led_away_ends_the_visit() -> None:
    """Whatever another source would say of a product whose page leaves the shop."""
    bench = Bench({"p1": [VisitGoesOn("net", "so far", light=False, failure=VisitFailed("net::ERR_ABORTED"))]})
    bench.strategy.refusals["p1"] = "evil.test is not one of the platform's hosts"
    await work_off(bench)
    assert bench.visits() == {"p1": 1}
    assert bench.shelf.waiting[0].reason == "the page led away: evil.test is not one of the platform's hosts"


async def test_a_step_that_strayed_ends_the_visit_whatever_it_brought() -> None:
    """What it carries into the next step was read of somebody else's document."""
    bench = Bench({"p1": [VisitGoesOn("more", "so far", light=False)]})
    bench.strategy.strayed["p1"] = "host evil.test is not one of the platform's hosts"
    await work_off(bench)
    assert bench.visits() == {"p1": 1}
    assert bench.shelf.waiting[0].reason == "the page led away: host evil.test is not one of the platform's hosts"


async def test_steps_without_end_come_to_one() -> None:
    """A strategy of somebody's own may never be satisfied."""
    bench = Bench({"p1": [VisitGoesOn("more", None, light=True)] * 100}, shop(retry={"attempts": 1}))
    await work_off(bench)
    assert bench.shelf.waiting[0].reason == "the visit has more steps than its sources"


async def test_a_row_without_an_id_is_told_and_not_visited() -> None:
    """Trying again would not give it one."""
    bench = Bench(platform=shop(product={"id": r"/goods/(?P<id>\d+)"}))
    await work_off(bench)
    assert bench.visits() == {}
    [result] = bench.shelf.waiting
    assert (result.verdict, result.attempts) == (Verdict.FAILED, 1)
    assert "correct product.id in shop.yaml, or the row" in result.reason


async def test_a_row_whose_id_takes_too_long_to_find_is_told_and_not_visited() -> None:
    """The lane goes on with the next one."""
    slow = r"/p1(?P<id>\d*)(.*?,){25}P"
    bench = Bench(platform=shop(product={"id": slow}))
    state = bench.state(2)
    state.waiting[0] = replace(state.waiting[0], url="https://shop.test/p1" + ",".join("1" * 60))
    await Lane(0, state, bench.stations).run()
    assert bench.visits() == {}
    reasons = [result.reason for result in bench.shelf.waiting]
    assert reasons[0].startswith("product.id: the regular expression '/p1(?P<id>")
    assert "finds no id" in reasons[1]


async def test_the_address_that_is_visited_is_the_platforms() -> None:
    """And the result keeps the catalogue's."""
    seen: list[str] = []
    bench = Bench(platform=shop(product={"id": r"/p(?P<id>\d+)", "visit": "https://shop.test/m/{id}"}))
    strategy, read = bench.strategy, bench.strategy.read

    async def watched(page: object, visit: Any) -> PageReading:
        seen.append(visit.url)
        return await read(page, visit)

    strategy.read = watched  # type: ignore[method-assign]
    await work_off(bench)
    assert seen == ["https://shop.test/m/1"]
    assert bench.shelf.waiting[0].url == "https://shop.test/p1"


async def test_a_verdict_that_is_confirmed_counts() -> None:
    """The second visit is one in a fresh context, and the result tells of both."""
    bench = confirming([GONE, GONE])
    await work_off(bench)
    assert bench.pool.fresh == [False, True]
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.GONE, 2)]


async def test_a_verdict_that_was_a_moments_own_does_not_count() -> None:
    """Two visits say otherwise."""
    bench = confirming([GONE, GOOD, GOOD])
    await work_off(bench)
    assert bench.pool.fresh == [False, True, True]
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.OK, 3)]


async def test_visits_that_never_agree_are_failed() -> None:
    """After as many attempts as there are."""
    bench = confirming([GONE, GOOD, GONE])
    await work_off(bench)
    [result] = bench.shelf.waiting
    assert (result.verdict, result.attempts) == (Verdict.FAILED, 3)
    assert result.reason == "visits do not agree; the last one said gone: HTTP 404"


async def test_a_failure_between_two_visits_that_agree_does_not_spoil_them() -> None:
    """It has said nothing of the product."""
    bench = confirming([GONE, PageLost("crashed"), GONE])
    await work_off(bench)
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.GONE, 3)]


async def test_a_verdict_that_came_too_late_to_be_confirmed_is_failed() -> None:
    """The reason does not speak of visits that disagree: there was one."""
    bench = confirming([VisitFailed("net"), VisitFailed("net"), GONE])
    await work_off(bench)
    [result] = bench.shelf.waiting
    assert (result.verdict, result.reason) == (Verdict.FAILED, "not confirmed by a second visit: gone: HTTP 404")


async def test_ok_needs_no_second_visit() -> None:
    """Most products cost what they always did."""
    bench = confirming([GOOD])
    await work_off(bench)
    assert bench.visits() == {"p1": 1}
