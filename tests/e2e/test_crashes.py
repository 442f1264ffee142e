"""Whatever is killed in the middle of a run: every product has exactly one result, and it is the right one."""

from __future__ import annotations

import os
import signal
import time

import pytest
from rq.command import send_shutdown_command

from pagemill.browser.machine import find_chromium
from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.intake.batch_job import open_queue
from tests.e2e.workplace import (
    Workplace,
    assert_each_right_once,
    assert_none_visited_twice,
    browser_pids,
    driver_pids,
    eventually,
)

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_a_killed_browser_or_driver_costs_no_product(place: Workplace, shop: StorefrontProcess) -> None:
    """SIGKILL to each three times during the run; a new one is launched and the items are tried again."""
    place.settings(browser={"driver": "playwright"})
    rows = list(generate("demo-hydrated", shop.base_url, 140))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        for number, find in enumerate([browser_pids, driver_pids] * 3):
            place.wait_for(run, 10 + 18 * number)
            eventually(lambda find=find: bool(find(worker.pid)), 20, find.__name__)  # type: ignore[misc]
            for pid in find(worker.pid):
                os.kill(pid, signal.SIGKILL)
        assert worker.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    assert len(place.events("Browser Launched")) >= 7
    place.assert_nothing_left()


def test_a_killed_workers_batch_is_taken_over_and_resumed(place: Workplace, shop: StorefrontProcess) -> None:
    """Another worker finishes the batch, and visits again only what had no result."""
    rows = list(generate("demo-hydrated", shop.base_url, 60))
    run = place.enqueue("demo-hydrated", rows, batch_size=60)
    with place.worker() as first:
        place.wait_for(run, 20)
        first.kill()
        first.wait()
    done_before = {result.product_id for result in place.results(run)}
    assert 20 <= len(done_before) < 60
    with place.worker() as second:
        place.wait_for(run, 60)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0
    assert_each_right_once(rows, place.results(run))
    visits = {
        result.product_id: shop.hits(result.product_id).visits for result in place.results(run) if result.attempts == 1
    }
    assert {visits[product] for product in done_before & visits.keys()} == {1}
    assert all(1 <= count <= 2 for count in visits.values())
    assert place.events("Batch")[-1]["resumed"] == len(done_before)
    place.assert_nothing_left()


def test_a_warm_stop_drains_at_the_next_item(place: Workplace, shop: StorefrontProcess) -> None:
    """By either signal and by RQ's command, one after another on one batch: done items are kept, the rest goes back at
    once, nothing counts as failed, nothing is visited twice."""
    rows = list(generate("demo-hydrated", shop.base_url, 100))
    run = place.enqueue("demo-hydrated", rows, batch_size=100)
    done_before = 0
    for how in ("SIGTERM", "SIGINT", "command"):
        with place.redis() as redis, place.worker() as worker:
            place.wait_for(run, done_before + 10)
            if how == "command":
                send_shutdown_command(redis, place.events("Worker Started")[-1]["worker"])
            else:
                worker.send_signal(getattr(signal, how))
            assert worker.wait(15) == 0, how
            done = len(place.results(run))
            assert done_before + 10 <= done < 100, how
            queue = open_queue(redis, "demo-hydrated")
            assert len(queue) == 1, how
            assert queue.started_job_registry.count == 0, how
            assert queue.failed_job_registry.count == 0, how
            assert queue.jobs[0].retries_left == 5, how
        done_before = done
    with place.worker("--burst") as last:
        assert last.wait(60) == 0
    assert_each_right_once(rows, place.results(run))
    assert_none_visited_twice(shop, place.results(run))
    place.assert_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["its browser starts", "it has just said that it started"])
def test_a_stop_while_a_worker_starts_is_a_good_end(place: Workplace, number: signal.Signals, moment: str) -> None:
    """From when it opens something on, a signal closes all of it and ends with 0, as it does in mid-work."""
    with place.worker() as worker:
        if moment == "its browser starts":
            eventually(lambda: bool(browser_pids(worker.pid)), 30, "a browser", place.log.read_text)
        else:
            eventually(lambda: "Worker Started" in place.log.read_text(), 30, "a worker", place.log.read_text)
        worker.send_signal(number)
        assert worker.wait(30) == 0, place.log.read_text()
    place.assert_nothing_left()


def test_a_second_signal_stops_at_once(place: Workplace, shop: StorefrontProcess) -> None:
    """A page that hangs for a minute does not keep a worker that is told twice; the product is not lost."""
    place.platform("demo-hydrated", navigation={"timeout_ms": 60_000})
    rows = list(generate("demo-hydrated", shop.base_url, 4, faults=["hang"], fault_every=1))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker() as worker:
        eventually(lambda: shop.hits().faults.get("hang", 0) >= 4, 30, "the visits")
        worker.send_signal(signal.SIGTERM)
        time.sleep(1.5)  # RQ takes two signals within a second for one
        assert worker.poll() is None
        began_s = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
        assert time.monotonic() - began_s < 15
    assert place.results(run) == []
    with place.redis() as redis:
        assert len(open_queue(redis, "demo-hydrated")) == 1
    place.assert_nothing_left()


def test_a_jobs_time_out_cancels_the_batch_and_the_last_one_gives_up(place: Workplace, shop: StorefrontProcess) -> None:
    """RQ's time-out ends the batch; the retry resumes; after the last one each product still has one result."""
    place.platform("demo-hydrated", navigation={"timeout_ms": 120_000})
    place.settings(queue={"job_timeout_s": 10, "max_retries": 1})
    rows = list(generate("demo-hydrated", shop.base_url, 8, faults=["hang"], fault_every=2))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        assert worker.wait(90) == 0
    results = {result.product_id: result for result in place.results(run)}
    assert len(results) == 8
    assert_each_right_once(rows, list(results.values()))
    given_up = [result for result in results.values() if result.reason.startswith("batch given up")]
    assert len(given_up) == 4
    assert place.events("Batch Given Up")[0]["products"] == 4
    place.assert_nothing_left()


def test_a_batch_that_kills_every_worker_is_given_up(place: Workplace, shop: StorefrontProcess) -> None:
    """After its last retry the rest of the batch is judged failed, by a worker that outlives it."""
    place.settings(queue={"max_retries": 0})
    rows = list(generate("demo-hydrated", shop.base_url, 40))
    run = place.enqueue("demo-hydrated", rows, batch_size=40)
    with place.worker() as first:
        place.wait_for(run, 10)
        first.kill()
        first.wait()
    with place.worker() as second:
        place.wait_for(run, 40, timeout_s=90)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0
    results = place.results(run)
    assert len(results) == 40
    reasons = {result.reason for result in results if result.reason.startswith("batch given up")}
    assert reasons == {"batch given up: its workers died again and again"}
    place.assert_nothing_left()


def test_several_processes_share_the_work(place: Workplace, shop: StorefrontProcess) -> None:
    """Two workers under one supervisor write to one SQLite file; each product is visited once."""
    place.platform("demo-hydrated", workflow={"rate_limit": {"wait_time_ms": 400}})
    rows = list(generate("demo-hydrated", shop.base_url, 60))
    run = place.enqueue("demo-hydrated", rows, batch_size=5)
    with place.worker("--processes", "2", "--burst") as supervisor:
        assert supervisor.wait(120) == 0
    results = place.results(run)
    assert_each_right_once(rows, results)
    assert len({result.worker for result in results}) == 2
    place.assert_nothing_left()


def test_a_browser_that_cannot_start_any_more_harms_no_batch(place: Workplace, shop: StorefrontProcess) -> None:
    """The worker ends with exit code 69 and its batch is back, its retries untouched; a fit worker finishes it."""
    wrapper = place.folder / "chromium"
    wrapper.write_text(f'#!/bin/sh\nexec {find_chromium(None)} "$@"\n')
    wrapper.chmod(0o755)
    place.environment_changes = {"PAGEMILL_CHROMIUM": str(wrapper)}
    place.settings(pool={"relaunch_backoff_s": 0.05})
    rows = list(generate("demo-hydrated", shop.base_url, 50))
    run = place.enqueue("demo-hydrated", rows, batch_size=50)
    with place.worker() as worker:
        place.wait_for(run, 10)
        wrapper.write_text("#!/bin/sh\nexit 1\n")
        for pid in browser_pids(worker.pid):
            os.kill(pid, signal.SIGKILL)
        assert worker.wait(60) == 69
    with place.redis() as redis:
        assert open_queue(redis, "demo-hydrated").jobs[0].retries_left == 5
    place.environment_changes = {}
    with place.worker("--burst") as worker:
        assert worker.wait(60) == 0
    assert_each_right_once(rows, place.results(run))
    place.assert_nothing_left()
