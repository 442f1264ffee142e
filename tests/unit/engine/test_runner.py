"""Batches: what is skipped, what is stored when, and that nothing is kept of a batch that has ended."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter

import pytest
from structlog.testing import capture_logs

from pagemill.engine.runner import BatchOutcome, Runner
from pagemill.errors import BrowserUnavailable, DatabaseUnavailable, DeadlineExceeded, UsageError, VisitFailed
from pagemill.model import PageReading
from pagemill.pacing.turns import Turns
from pagemill.telemetry import events
from tests.unit.engine.stand_ins import GOOD, Bench, batch, hang, shop
from tests.unit.pacing.stand_in_pace import StandInPace


def assert_nothing_is_kept(bench: Bench) -> None:
    """No state, no lease, no task but the test's own."""
    assert len(bench.runner.states) == 0
    assert bench.pool.leased == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_batch_is_done_when_its_results_are_stored() -> None:
    """The outcome comes after the flush: from then on a crash loses nothing."""
    bench = Bench()
    at_the_door, release = threading.Event(), threading.Event()

    def hold_up() -> None:
        at_the_door.set()
        release.wait(10)

    bench.shelf.flush_hook = hold_up
    running = asyncio.create_task(bench.runner.run(batch(6)))
    assert await asyncio.to_thread(at_the_door.wait, 10)
    assert len(bench.shelf.waiting) == 6
    assert not running.done()
    release.set()
    assert await running == BatchOutcome(done=6, resumed=0, remaining=0)
    assert bench.shelf.products() == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert_nothing_is_kept(bench)


@pytest.mark.parametrize(("lanes", "products", "at_once"), [(2, 6, 2), (4, 6, 4), (4, 3, 3), (1, 3, 1)])
async def test_a_batch_has_its_platforms_lanes(lanes: int, products: int, at_once: int) -> None:
    """As many as the platform says, and no more than there are products."""
    bench = Bench(platform=shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": lanes}}))
    await bench.runner.run(batch(products))
    assert bench.pool.most == at_once


async def test_a_machine_may_have_fewer_lanes_than_the_platform_says() -> None:
    """Whoever builds the runner decides."""
    bench = Bench()
    runner = Runner(
        {"shop": bench.platform}, bench.stations, bench.shelf.judged, bench.shelf, lanes=lambda _platform: 1
    )
    await runner.run(batch(6))
    assert bench.pool.most == 1


async def test_the_first_page_is_opened_while_the_database_is_asked() -> None:
    """One page, for the first visit; while all lanes wait for their next visit, none."""
    platform = shop(workflow={"rate_limit": {"wait_time_ms": 60_000}, "concurrency": {"default": 1}})
    bench = Bench(platform=platform, turns=Turns(StandInPace()))
    seen: list[list[str]] = []

    def judged(_run: str, products: list[str]) -> set[str]:
        seen.append([*bench.pool.prepared])
        bench.pool.prepared.clear()
        return set() if len(seen) == 1 else set(products)

    runner = Runner({"shop": platform}, bench.stations, judged, bench.shelf)
    for number in range(2):
        await runner.run(batch(1, id=f"b{number}"))
    assert seen == [["shop"], []]


async def test_a_batch_that_was_begun_elsewhere_is_resumed() -> None:
    """Products with a result are not visited again, and counted apart."""
    bench = Bench()
    assert await bench.runner.run(batch(3)) == BatchOutcome(done=3, resumed=0, remaining=0)
    assert await bench.runner.run(batch(5)) == BatchOutcome(done=2, resumed=3, remaining=0)
    assert await bench.runner.run(batch(5)) == BatchOutcome(done=0, resumed=5, remaining=0)
    assert bench.visits() == {f"p{number}": 1 for number in range(1, 6)}
    assert await bench.runner.run(batch(2, run="another")) == BatchOutcome(done=2, resumed=0, remaining=0)


async def test_a_batch_whose_products_all_have_results_is_finished_and_another_is_not() -> None:
    """Told once its results are stored; one that is drained is still wanted."""
    bench = Bench()
    finished: list[tuple[str, str]] = []
    runner = Runner(
        {"shop": bench.platform},
        bench.stations,
        bench.shelf.judged,
        bench.shelf,
        finished=lambda run, each: finished.append((run, each)),
    )
    await runner.run(batch(3))
    assert finished == [("run", "b1")]
    await runner.run(batch(3))
    assert finished == [("run", "b1")] * 2
    runner.drain()
    assert (await runner.run(batch(3, run="later"))).remaining == 3
    assert finished == [("run", "b1")] * 2


async def test_a_batch_of_a_cancelled_run_is_not_begun() -> None:
    """It ends where it was taken; its products are neither visited nor judged, and not forgotten."""
    bench = Bench()
    finished: list[str] = []
    runner = Runner(
        {"shop": bench.platform},
        bench.stations,
        bench.shelf.judged,
        bench.shelf,
        finished=lambda run, _batch: finished.append(run),
        is_cancelled=lambda run: run == "run",
    )
    assert await runner.run(batch(3)) == BatchOutcome(done=0, resumed=0, remaining=0)
    assert (bench.visits(), bench.shelf.products(), finished) == ({}, [], [])
    assert (await runner.run(batch(3, run="another"))).done == 3


async def test_asking_for_results_does_not_hold_the_loop_up() -> None:
    """The database is asked on another thread."""
    bench = Bench()
    asked_on: list[str] = []

    def judged(_run: str, _products: list[str]) -> set[str]:
        asked_on.append(threading.current_thread().name)
        return set()

    await Runner({"shop": bench.platform}, bench.stations, judged, bench.shelf).run(batch(1))
    assert asked_on != [threading.current_thread().name]
    assert len(asked_on) == 1


async def test_a_drain_ends_this_batch_and_all_later_ones() -> None:
    """Present items are finished and stored, the rest is remaining; a drained worker begins nothing any more."""
    release = asyncio.Event()

    async def held() -> PageReading:
        await release.wait()
        return GOOD

    bench = Bench({"p1": [held], "p2": [held]})
    running = asyncio.create_task(bench.runner.run(batch(6)))
    while bench.pool.leased < 2:
        await asyncio.sleep(0.001)  # the database is asked on a thread
    bench.runner.drain()
    release.set()
    assert await running == BatchOutcome(done=2, resumed=0, remaining=4)
    assert bench.shelf.products() == ["p1", "p2"]
    assert await bench.runner.run(batch(6)) == BatchOutcome(done=0, resumed=2, remaining=4)
    assert bench.visits() == {"p1": 1, "p2": 1}
    assert_nothing_is_kept(bench)


async def test_cancellation_stores_results_and_frees_everything() -> None:
    """What was judged by then is not judged again."""
    bench = Bench({"p3": [hang], "p4": [hang]})
    running = asyncio.create_task(bench.runner.run(batch(6)))
    while bench.visits().keys() != {"p1", "p2", "p3", "p4"}:
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.shelf.products() == ["p1", "p2"]
    assert_nothing_is_kept(bench)
    assert await bench.runner.run(batch(6)) == BatchOutcome(done=4, resumed=2, remaining=0)


async def test_a_cancelled_batch_does_not_wait_long_for_its_database() -> None:
    """Results get a last, short chance; when it fails the cancellation goes on, and the log says what happened."""
    bench = Bench({"p3": [hang], "p4": [hang]})
    bench.shelf.error = DeadlineExceeded("committing 2 results to the database", 5)
    running = asyncio.create_task(bench.runner.run(batch(6)))
    while bench.visits().keys() != {"p1", "p2", "p3", "p4"}:
        await asyncio.sleep(0.001)
    with capture_logs() as lines:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert bench.shelf.flushes == [5]
    assert [line["event"] for line in lines] == [events.RESULTS_DELAYED]
    assert_nothing_is_kept(bench)


async def test_without_a_browser_the_batch_ends_with_that_one_error() -> None:
    """The neighbour lane is stopped, results so far are stored, and the next try visits only the rest."""

    async def the_browser_goes() -> PageReading:
        while "p2" not in bench.strategy.visits:
            await asyncio.sleep(0)
        bench.pool.errors = [BrowserUnavailable("no Chromium")]
        return GOOD

    bench = Bench({"p1": [the_browser_goes], "p2": [hang]})
    with pytest.raises(BrowserUnavailable, match="no Chromium"):
        await bench.runner.run(batch(6))
    assert bench.shelf.products() == ["p1"]
    assert bench.pool.ended == ["", "CancelledError"]
    assert_nothing_is_kept(bench)
    assert await bench.runner.run(batch(6)) == BatchOutcome(done=5, resumed=1, remaining=0)


async def test_all_lanes_without_a_browser_end_with_one_error() -> None:
    """Not with a group of four that say the same."""
    bench = Bench(platform=shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": 4}}))
    bench.pool.errors = [BrowserUnavailable(f"number {number}") for number in range(4)]
    with pytest.raises(BrowserUnavailable):
        await bench.runner.run(batch(6))
    assert_nothing_is_kept(bench)


async def test_a_batch_whose_results_cannot_be_stored_is_not_done() -> None:
    """It fails, so that it is tried again; the results wait on."""
    bench = Bench()
    bench.shelf.error = DatabaseUnavailable("the database is away")
    with pytest.raises(DatabaseUnavailable):
        await bench.runner.run(batch(3))
    assert len(bench.shelf.waiting) == 3
    assert_nothing_is_kept(bench)


async def test_a_database_that_cannot_be_asked_fails_the_batch_before_any_visit() -> None:
    """Otherwise a resumed batch would visit everything again."""
    bench = Bench()

    def judged(_run: str, _products: list[str]) -> set[str]:
        raise DatabaseUnavailable("the database is away")

    runner = Runner({"shop": bench.platform}, bench.stations, judged, bench.shelf)
    with pytest.raises(DatabaseUnavailable):
        await runner.run(batch(3))
    assert bench.strategy.visits == []
    assert len(runner.states) == 0


async def test_a_batch_of_a_platform_that_is_not_here_says_what_to_add() -> None:
    """Its configuration may be missing on one machine of several."""
    with pytest.raises(UsageError, match=r"config/platforms/other\.yaml"):
        await Bench().runner.run(batch(platform="other"))


async def test_a_batch_has_one_line_with_its_counts() -> None:
    """After its results are stored."""
    bench = Bench()
    await bench.runner.run(batch(2))
    with capture_logs() as lines:
        await bench.runner.run(batch(3))
    [line] = [line for line in lines if line["event"] == events.BATCH]
    assert (line["run"], line["batch"], line["platform"]) == ("run", "b1", "shop")
    assert (line["done"], line["resumed"], line["remaining"]) == (1, 2, 0)


async def test_after_200_batches_of_every_outcome_nothing_is_kept() -> None:
    """Good, cancelled, without a browser or a database, at last drained: at random moments, on one runner."""
    chance = random.Random(7)
    outcomes: Counter[str] = Counter()
    bench = Bench()
    for number in range(200):
        ending = chance.choice(["good", "cancel", "no browser", "no database"]) if number < 160 else "drain"
        bench.strategy.script({"p2": [VisitFailed("x")], "p6": [hang] if ending == "cancel" else []})
        bench.shelf.error = DatabaseUnavailable("away") if ending == "no database" else None
        begin = len(bench.strategy.visits) + chance.randint(0, 5)
        running = asyncio.create_task(bench.runner.run(batch(6, run=f"r{number}")))
        while ending in ("cancel", "no browser") and len(bench.strategy.visits) < begin:
            await asyncio.sleep(0)
        if ending == "cancel":
            running.cancel()
        bench.pool.errors = [BrowserUnavailable("no Chromium")] if ending == "no browser" else []
        if number == 160:
            bench.runner.drain()
        [result] = await asyncio.gather(running, return_exceptions=True)
        outcomes["drained" if isinstance(result, BatchOutcome) and result.remaining else type(result).__name__] += 1
        assert_nothing_is_kept(bench)
    assert outcomes.keys() == {
        "BatchOutcome",
        "CancelledError",
        "BrowserUnavailable",
        "DatabaseUnavailable",
        "drained",
    }
    assert outcomes["drained"] == 40
    assert min(outcomes.values()) > 20
