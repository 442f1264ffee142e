"""One lane: what becomes of a product in one or several attempts, and when a lane stops."""

from __future__ import annotations

import asyncio
import errno
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from pagemill.engine.job_state import JobState
from pagemill.engine.lane import Lane
from pagemill.errors import (
    BrowserLost,
    BrowserUnavailable,
    DatabaseUnavailable,
    DeadlineExceeded,
    PageLost,
    ProxyFailed,
    VisitFailed,
    VisitGoesOn,
    VisitRefused,
    WorkerWornOut,
)
from pagemill.model import PageReading, Verdict
from pagemill.pacing.fleet_pace import PaceReply
from pagemill.pacing.turns import Turns
from pagemill.pacing.visit_answer import VisitAnswer, Welcome
from pagemill.telemetry import events
from tests.unit.engine.skipping_loop import run_skipping
from tests.unit.engine.stand_ins import GOOD, NOT_READY, Behaviour, Bench, hang, shop, until
from tests.unit.pacing.stand_in_pace import StandInPace, go


async def work_off(bench: Bench, products: int = 1) -> JobState:
    """One lane works the state off."""
    state = bench.state(products)
    await Lane(0, state, bench.stations).run()
    return state


def loop_time_s() -> float:
    """Now, on the clock of the loop."""
    return asyncio.get_running_loop().time()


async def test_products_are_judged_one_after_another() -> None:
    """Each is visited once, on a page leased for it alone, and its result is complete."""
    bench = Bench({"p2": [PageReading(404, "https://shop.test/", {})]})
    state = await work_off(bench, 3)
    assert bench.strategy.visits == ["p1", "p2", "p3"]
    assert bench.pool.most == 1
    assert bench.pool.leased == 0
    assert state.done == 3
    good, gone, _ = bench.shelf.waiting
    assert (good.run, good.batch, good.product_id, good.platform) == ("run", "b1", "p1", "shop")
    assert (good.url, good.worker, good.attempts) == ("https://shop.test/p1", "w1", 1)
    assert (good.verdict, good.reason, good.facts) == (Verdict.OK, "", GOOD.facts)
    assert good.started_at <= good.finished_at
    assert good.started_at.tzinfo is not None
    assert (gone.verdict, gone.reason) == (Verdict.GONE, "HTTP 404")


@pytest.mark.parametrize(
    "bad",
    [VisitFailed("net::ERR_FAILED"), PageLost("crashed"), DeadlineExceeded("loading the page", 30), NOT_READY],
    ids=lambda bad: type(bad).__name__,
)
async def test_what_may_pass_is_tried_again(bad: Behaviour) -> None:
    """An error that may pass, or content that did not appear; the attempts are counted."""
    bench = Bench({"p1": [bad, bad]})
    await work_off(bench)
    assert bench.visits() == {"p1": 3}
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [(Verdict.OK, 3)]


async def test_browsers_that_go_away_cost_no_attempt_but_only_some() -> None:
    """Three may go under a product, most likely for another one's fault; whoever meets more has a part in it."""
    lost: list[Behaviour] = [BrowserLost("closed")] * 6
    bench = Bench({"p1": [*lost[:3], PageLost("crashed"), PageLost("crashed")], "p2": lost})
    await work_off(bench, 2)
    assert bench.visits() == {"p1": 6, "p2": 6}
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [
        (Verdict.OK, 6),
        (Verdict.FAILED, 6),
    ]


async def test_a_proxy_that_fails_costs_no_attempt_while_others_are_left() -> None:
    """Three times at most; one that no other can stand in for does."""
    rests, none_left = (
        ProxyFailed("proxy A cannot be reached", others=True),
        ProxyFailed("no proxy works", others=False),
    )
    bench = Bench({"p1": [rests] * 3 + [VisitFailed("no")] * 2, "p2": [none_left] * 3, "p3": [rests] * 6})
    await work_off(bench, 3)
    told = {result.product_id: (result.verdict, result.attempts, result.reason) for result in bench.shelf.waiting}
    assert told == {
        "p1": (Verdict.OK, 6, ""),
        "p2": (Verdict.FAILED, 3, "no proxy works"),
        "p3": (Verdict.FAILED, 6, "proxy A cannot be reached"),
    }


async def test_the_next_step_of_a_visit_is_no_attempt() -> None:
    """It is told what the step before has found out; what fails then fails as ever, and is tried from the beginning."""
    open_question = VisitGoesOn("the answer is not whole", "so far", light=True)
    bench = Bench({"p1": [open_question, GOOD], "p2": [open_question, *[VisitFailed("no")] * 3]})
    await work_off(bench, 2)
    assert bench.visits() == {"p1": 2, "p2": 4}
    assert bench.strategy.so_far == [None, "so far", None, "so far", None, None]
    assert [(result.verdict, result.attempts) for result in bench.shelf.waiting] == [
        (Verdict.OK, 1),
        (Verdict.FAILED, 3),
    ]


async def test_light_readings_wear_pages_lightly() -> None:
    """The lease is told."""
    bench = Bench({"p1": [replace(GOOD, light=True)]})
    await work_off(bench, 2)
    assert bench.pool.light == [True, False]


async def test_the_last_attempt_decides() -> None:
    """A product that fails as often as the platform allows is failed, with the last cause."""
    bench = Bench({"p1": [VisitFailed("first"), VisitFailed("second"), VisitFailed("third"), GOOD]})
    await work_off(bench, 2)
    assert bench.visits() == {"p1": 3, "p2": 1}
    failed, good = bench.shelf.waiting
    assert (failed.verdict, failed.reason, failed.attempts) == (Verdict.FAILED, "third", 3)
    assert failed.facts == {}
    assert good.verdict is Verdict.OK


async def test_a_verdict_is_not_tried_again() -> None:
    """Gone is an answer, however little it pleases."""
    bench = Bench({"p1": [PageReading(404, "https://shop.test/", {})]})
    await work_off(bench)
    assert bench.visits() == {"p1": 1}
    assert bench.pool.retired == []


def test_pauses_between_attempts_double() -> None:
    """The platform's pause before the second attempt, twice as much before the third, and so on."""
    bench = Bench(platform=shop(retry={"attempts": 4, "backoff_ms": 1000}))
    times_s: list[float] = []

    async def fail() -> PageReading:
        times_s.append(loop_time_s())
        raise VisitFailed("net::ERR_FAILED")

    bench.strategy.script({"p1": [fail] * 4})
    run_skipping(work_off(bench))
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(times_s)]
    assert gaps_s == pytest.approx([1, 2, 4], abs=0.1)


def test_another_attempt_waits_for_the_lanes_turn_as_well() -> None:
    """A retry is a visit: the shop sees no more of them than the pace allows."""
    platform = shop(
        workflow={"rate_limit": {"wait_time_ms": "3000-3000"}, "concurrency": {"default": 1}},
        retry={"attempts": 3, "backoff_ms": 500},
    )
    times_s: list[float] = []

    async def scene() -> None:
        bench = Bench(platform=platform, turns=Turns(StandInPace(), now_s=loop_time_s))

        async def fail() -> PageReading:
            times_s.append(loop_time_s())
            raise VisitFailed("net::ERR_FAILED")

        bench.strategy.script({"p1": [fail] * 3})
        await work_off(bench)

        assert bench.pool.prepared == ["shop", "shop"]  # a page for each visit that was waited for
        ahead_s = [begun_s - told_s for begun_s, told_s in zip(times_s[1:], bench.pool.prepared_s, strict=True)]
        assert ahead_s == pytest.approx([bench.pool.opening_s] * 2, abs=0.05)

    run_skipping(scene())
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(times_s)]
    assert gaps_s == pytest.approx([3, 3], abs=0.1)


async def test_a_refusal_is_final() -> None:
    """A place that the platform does not list stays one, however often it is asked for."""
    bench = Bench({"p1": [VisitRefused("download")]})
    await work_off(bench)
    assert bench.visits() == {"p1": 1}
    assert [(result.verdict, result.reason) for result in bench.shelf.waiting] == [(Verdict.FAILED, "download")]


@pytest.mark.parametrize(
    "seen", [VisitFailed("net::ERR_ABORTED"), DeadlineExceeded("loading the page", 30), NOT_READY, PageLost("gone")]
)
async def test_what_the_firewall_refused_is_the_reason_whatever_the_page_said(seen: Behaviour) -> None:
    """To the page a refused navigation looks like a network error, an endless load or an empty document."""
    bench = Bench({"p1": [seen]})
    bench.strategy.refusals["p1"] = "evil.test is not one of the platform's hosts"
    await work_off(bench)
    assert bench.visits() == {"p1": 1}
    [result] = bench.shelf.waiting
    assert result.verdict is Verdict.FAILED
    assert result.reason == "the page led away: evil.test is not one of the platform's hosts"


async def test_nothing_of_another_hosts_document_is_believed() -> None:
    """The page has shown one that no navigation led to: what was read is right in every way, and nobody's."""
    bench = Bench({"p1": [GOOD, GOOD]})
    bench.strategy.strayed["p1"] = "host evil.test is not one of the platform's hosts"
    await work_off(bench)
    [result] = bench.shelf.waiting
    assert (result.verdict, result.facts) == (Verdict.FAILED, {})
    assert result.reason == "the page led away: host evil.test is not one of the platform's hosts"
    assert bench.pool.ended == ["VisitRefused"]


async def test_a_good_page_that_had_something_refused_is_good() -> None:
    """What was refused, such as a late redirect, does not spoil what was read before."""
    bench = Bench()
    bench.strategy.refusals["p1"] = "evil.test is not one of the platform's hosts"
    await work_off(bench)
    assert [result.verdict for result in bench.shelf.waiting] == [Verdict.OK]


async def test_a_page_that_brought_nothing_good_is_not_used_again() -> None:
    """Whether it failed by an error or by what it showed; a page that did its work is."""
    bench = Bench({"p1": [VisitFailed("net::ERR_FAILED"), NOT_READY, GOOD]})
    await work_off(bench)
    assert bench.pool.ended == ["VisitFailed", "failed", ""]


async def test_an_error_nobody_thought_of_costs_one_product() -> None:
    """It is logged with its traceback; trying again would not help, and the lane goes on."""
    bench = Bench({"p1": [ZeroDivisionError("by zero")]})
    with capture_logs() as lines:
        await work_off(bench, 2)
    assert bench.visits() == {"p1": 1, "p2": 1}
    failed, good = bench.shelf.waiting
    assert (failed.verdict, failed.reason) == (Verdict.FAILED, "ZeroDivisionError: by zero")
    assert good.verdict is Verdict.OK
    [line] = [line for line in lines if line["event"] == events.UNEXPECTED]
    assert (line["product"], line["exc_info"]) == ("p1", True)


async def test_every_product_has_its_line_and_every_time_out_the_word() -> None:
    """People grep for both."""
    bench = Bench({"p1": [DeadlineExceeded("loading the page", 30)], "p2": [VisitFailed("net::ERR_FAILED")] * 3})
    with capture_logs() as lines:
        await work_off(bench, 2)
    items = [line for line in lines if line["event"] == events.ITEM]
    assert [(line["product"], line["verdict"], line["reason"], line["attempts"]) for line in items] == [
        ("p1", "ok", "", 2),
        ("p2", "failed", "net::ERR_FAILED", 3),
    ]
    time_outs = [line for line in lines if "timeout" in str(line)]
    assert [(line["event"], line["product"], line["seconds"]) for line in time_outs] == [("timeout", "p1", 30)]


def test_a_strategy_that_does_not_come_back_is_cut_off() -> None:
    """A little after its own deadline, whatever it hangs in; the page is not used again."""
    bench = Bench({"p1": [hang]}, platform=shop(navigation={"timeout_ms": 30_000}, retry={"attempts": 1}))

    async def scene() -> float:
        begun_s = loop_time_s()
        await work_off(bench)
        return loop_time_s() - begun_s

    assert run_skipping(scene()) == pytest.approx(35, abs=0.5)
    assert [result.reason for result in bench.shelf.waiting] == ["timeout: visit took longer than 35 s"]
    assert bench.pool.ended == ["DeadlineExceeded"]


class Camera:
    """Keeps which products evidence was kept of, and how many leases were out then."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.taken: list[tuple[str, str]] = []
        self.leased: list[int] = []

    async def capture(self, _page: object, name_parts: Sequence[str], _world: object) -> None:
        run, product = name_parts
        self.taken.append((run, product))
        self.leased.append(self._bench.pool.leased)


@pytest.mark.parametrize(
    ("script", "kept"),
    [
        ([VisitFailed("x")] * 3, True),
        ([NOT_READY] * 3, True),
        ([DeadlineExceeded("x", 1)] * 3, False),
        ([NOT_READY, VisitFailed("x"), GOOD], False),
        ([PageReading(404, "https://shop.test/", {})], False),
    ],
)
async def test_evidence_is_kept_of_the_last_failure_only(script: list[Behaviour], kept: bool) -> None:
    """While the page is still leased; what a retry mends needs no picture, what does not answer has none to give."""
    bench = Bench({"p1": script})
    camera = Camera(bench)
    bench.stations = replace(bench.stations, artifacts=cast(Any, camera))
    await work_off(bench)
    assert camera.taken == ([("run", "p1")] if kept else [])
    assert camera.leased == ([1] if kept else [])


async def test_without_a_browser_the_lane_ends_and_judges_nothing() -> None:
    """No product is to blame: it has no result, so whoever takes the batch next visits it."""
    bench = Bench()
    bench.pool.errors = [BrowserUnavailable("no Chromium")]
    state = bench.state(3)
    with pytest.raises(BrowserUnavailable):
        await Lane(0, state, bench.stations).run()
    assert bench.shelf.waiting == []
    assert state.done == 0


async def test_without_descriptors_the_lane_ends_and_judges_nothing() -> None:
    """The process is worn out; of the product that says nothing."""
    bench = Bench()

    async def fail() -> PageReading:
        raise OSError(errno.EMFILE, "Too many open files")

    bench.strategy.script({"p1": [fail]})
    state = bench.state(3)
    with pytest.raises(WorkerWornOut, match="descriptors are used up"):
        await Lane(0, state, bench.stations).run()
    assert (bench.shelf.waiting, state.done) == ([], 0)


async def test_where_a_product_may_end_the_worker_each_result_is_stored_before_the_next() -> None:
    """It would go with the worker, and its product would be given up although it was visited."""
    bench = Bench()
    state = bench.state(3)
    stored: list[int] = []

    async def store() -> None:
        stored.append(len(bench.shelf.waiting))

    state.store = store
    await Lane(0, state, bench.stations).run()
    assert stored == [1, 2, 3]


async def test_a_result_that_cannot_be_handed_on_ends_the_lane() -> None:
    """Going on would only make more results that nobody takes."""
    bench = Bench()

    def refuse(_result: object) -> None:
        raise DatabaseUnavailable("away")

    bench.stations = replace(bench.stations, deliver=refuse)
    with pytest.raises(DatabaseUnavailable):
        await work_off(bench, 3)
    assert bench.strategy.visits == ["p1"]


def held(release: asyncio.Event) -> Callable[[], Awaitable[PageReading]]:
    """A visit that ends when it is told to."""

    async def visit() -> PageReading:
        await release.wait()
        return GOOD

    return visit


async def test_a_stop_lets_the_present_item_end() -> None:
    """What has begun is finished and delivered; nothing else is begun."""
    release = asyncio.Event()
    bench = Bench({"p1": [held(release)]})
    state = bench.state(3)
    lane = asyncio.create_task(Lane(0, state, bench.stations).run())
    await until(lambda: bench.pool.leased == 1)
    state.stop.set()
    await asyncio.sleep(0)
    assert not lane.done()
    release.set()
    await lane
    assert [result.product_id for result in bench.shelf.waiting] == ["p1"]
    assert [product.id for product in state.waiting] == ["p2", "p3"]


async def test_a_stop_during_the_wait_for_a_turn_puts_the_product_back() -> None:
    """At once, and in its old place."""
    platform = shop(workflow={"rate_limit": {"wait_time_ms": "60000"}})
    bench = Bench(platform=platform)
    state = bench.state(3)
    lane = asyncio.create_task(Lane(0, state, bench.stations).run())
    await until(lambda: len(bench.shelf.waiting) == 1)
    await asyncio.sleep(0)
    assert [product.id for product in state.waiting] == ["p3"]
    state.stop.set()
    await asyncio.wait_for(lane, 1)
    assert [product.id for product in state.waiting] == ["p2", "p3"]
    assert bench.visits() == {"p1": 1}


async def test_a_stop_during_a_back_off_puts_the_product_back() -> None:
    """A product that failed so far is not judged: its attempts are not used up."""
    bench = Bench({"p1": [VisitFailed("x")] * 3}, platform=shop(retry={"attempts": 3, "backoff_ms": 60_000}))
    state = bench.state(2)
    lane = asyncio.create_task(Lane(0, state, bench.stations).run())
    await until(lambda: len(bench.pool.ended) == 1)
    await asyncio.sleep(0)
    assert not lane.done()
    state.stop.set()
    await asyncio.wait_for(lane, 1)
    assert bench.shelf.waiting == []
    assert [product.id for product in state.waiting] == ["p1", "p2"]


@pytest.mark.parametrize("turns_of_the_loop", range(1, 8))
async def test_cancellation_at_any_moment_ends_the_lease_and_passes_through(turns_of_the_loop: int) -> None:
    """Waiting, leasing, visiting: no lease stays, and no half-made result is delivered."""
    bench = Bench({"p1": [hang]})
    lane = asyncio.create_task(work_off(bench))
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    lane.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lane
    assert bench.pool.leased == 0
    assert bench.shelf.waiting == []


REFUSED = PageReading(429, "https://shop.test/", {}, ready=False)


@pytest.mark.parametrize(
    ("behaviour", "reported"),
    [
        (GOOD, [VisitAnswer(Welcome.GOOD, 200)]),
        (PageReading(404, "https://shop.test/", {}), [VisitAnswer(Welcome.GOOD, 404)]),
        (REFUSED, [VisitAnswer(Welcome.BLOCKED, 429)]),
        (replace(REFUSED, retry_after="10"), [VisitAnswer(Welcome.BLOCKED, 429, "10")]),
        (PageReading(503, "https://shop.test/", {}, ready=False), [VisitAnswer(Welcome.TROUBLE, 503)]),
        (DeadlineExceeded("loading the page", 30), [VisitAnswer(Welcome.TROUBLE)]),
        (PageLost("crashed"), []),
        (VisitRefused("elsewhere"), []),
    ],
    ids=str,
)
async def test_how_the_shop_took_a_visit_is_told(behaviour: Behaviour, reported: list[VisitAnswer]) -> None:
    """Blocks, time-outs and the shop's own failures count; what the browser did wrong says nothing of the shop."""
    bench = Bench({"p1": [behaviour]}, platform=shop(retry={"attempts": 1, "backoff_ms": 0}))
    bench.pace.turns = [go(clean=False)]
    await work_off(bench)
    assert [answer for answer, _probe in bench.pace.reports] == reported


async def test_the_header_of_a_navigation_is_told_too() -> None:
    """Where the strategy itself has not seen it, the lease has."""
    bench = Bench({"p1": [REFUSED]})
    bench.pool.retry_after = "7"
    await work_off(bench)
    assert [answer.retry_after for answer, _probe in bench.pace.reports] == ["7"]


async def test_a_platform_that_is_left_alone_lets_its_batch_go() -> None:
    """The product goes back in its place without a verdict, and no lane takes another."""
    bench = Bench({"p2": [REFUSED]})
    bench.pace.turns = [go(), go(), PaceReply("paused", 600.0, 1.0, clean=True)]
    state = await work_off(bench, 5)
    assert [product.id for product in state.waiting] == ["p2", "p3", "p4", "p5"]
    assert not state.has_work
    assert [result.verdict for result in bench.shelf.waiting] == [Verdict.OK]


async def test_a_turn_that_is_lost_while_a_page_was_waited_for_ends_the_lease_unharmed() -> None:
    """The product is not judged."""
    pace = StandInPace(go(), PaceReply("open", 600.0, 1.0, clean=False))
    limited = shop(workflow={"rate_limit": {"max_per_minute": 60, "wait_time_ms": 0}})
    bench = Bench(platform=limited)
    turns = Turns(pace, now_s=lambda: 100.0 * bench.pool.leased)
    bench.stations = replace(bench.stations, turns=turns)
    state = await work_off(bench, 2)
    assert [product.id for product in state.waiting] == ["p1", "p2"]
    assert bench.pool.ended == ["TurnDenied"]
    assert bench.shelf.waiting == []
