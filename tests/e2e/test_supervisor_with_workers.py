"""Real workers under the supervisor: stopped, killed, interrupted, orphaned; every product has one right result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.intake.batch_job import open_queue
from tests.e2e.workplace import Workplace, assert_each_right_once, assert_none_visited_twice, browser_pids, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PRODUCTS = 100


def children(place: Workplace) -> list[int]:
    """Process ids of the workers that have been spawned, the first first."""
    return [event["pid"] for event in place.events("Worker Spawned")]


def wait_for_event(place: Workplace, name: str, count: int, timeout_s: float = 60) -> None:
    """Until so many such lines are in the log."""
    eventually(lambda: len(place.events(name)) >= count, timeout_s, f"{count} times {name}", place.log.read_text)


def test_a_stopped_worker_is_continued_and_nothing_is_lost(place: Workplace, shop: StorefrontProcess) -> None:
    """Nobody is replaced, no batch changes hands, no page is visited twice."""
    place.settings(queue={"heartbeat_interval_s": 1, "heartbeat_ttl_s": 45})
    rows = list(generate("demo-hydrated", shop.base_url, PRODUCTS))
    run = place.enqueue("demo-hydrated", rows, batch_size=PRODUCTS // 2)
    with place.worker("--processes", "2", "--burst") as supervisor:
        place.wait_for(run, 20)
        os.kill(children(place)[0], signal.SIGSTOP)
        assert supervisor.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    assert [event["step"] for event in place.events("Worker Stuck")] == ["continue"]
    assert [event["exit_code"] for event in place.events("Worker Ended")] == [0, 0]
    assert place.events("Batch Returned") == []
    assert_none_visited_twice(shop, place.results(run))
    place.assert_nothing_left()


def test_a_killed_worker_is_replaced_within_seconds(place: Workplace, shop: StorefrontProcess) -> None:
    """Its browser is swept away and its batch resumed; the other worker goes on meanwhile."""
    rows = list(generate("demo-hydrated", shop.base_url, PRODUCTS))
    run = place.enqueue("demo-hydrated", rows, batch_size=PRODUCTS // 2)
    with place.worker("--processes", "2") as supervisor:
        wait_for_event(place, "Worker Started", 2)
        place.wait_for(run, 20)
        os.kill(children(place)[0], signal.SIGKILL)
        killed_s = time.monotonic()
        wait_for_event(place, "Worker Spawned", 3)
        assert time.monotonic() - killed_s < 8
        place.wait_for(run, PRODUCTS)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(30) == 0
    assert_each_right_once(rows, place.results(run))
    assert place.events("Worker Ended")[0]["exit_code"] == -9
    assert len(place.events("Orphans Swept")) == 1
    place.assert_nothing_left()


def test_a_burst_resumes_the_batch_of_a_killed_worker(place: Workplace, shop: StorefrontProcess) -> None:
    """The only process dies with the last batch in hand, and the queues look empty."""
    rows = list(generate("demo-hydrated", shop.base_url, 60))
    run = place.enqueue("demo-hydrated", rows, batch_size=60)
    with place.worker("--processes", "1", "--burst") as supervisor:
        place.wait_for(run, 20)
        os.kill(children(place)[0], signal.SIGKILL)
        assert supervisor.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    assert [event["exit_code"] for event in place.events("Worker Ended")] == [-9, 0]
    place.assert_nothing_left()


@contextmanager
def at_a_terminal(place: Workplace, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that leads a process group of its own, as a shell starts it."""
    command = [sys.executable, "-m", "pagemill", "worker", *arguments]
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=place.folder, env=place.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_one_ctrl_c_drains_once(place: Workplace, shop: StorefrontProcess) -> None:
    """It reaches the whole process group; the visits at work end all the same, and the rest goes back unharmed."""
    rows = list(generate("demo-hydrated", shop.base_url, PRODUCTS))
    run = place.enqueue("demo-hydrated", rows, batch_size=PRODUCTS // 2)
    with at_a_terminal(place, "--processes", "2") as supervisor:
        wait_for_event(place, "Worker Started", 2)
        place.wait_for(run, 20)
        os.killpg(supervisor.pid, signal.SIGINT)
        assert supervisor.wait(30) == 0
    done_before = len(place.results(run))
    assert 20 <= done_before < PRODUCTS
    assert len(place.events("Worker Draining")) == 2
    assert "Traceback" not in place.log.read_text()
    with place.redis() as redis:
        queue = open_queue(redis, "demo-hydrated")
        assert [job.retries_left for job in queue.jobs] == [5, 5]
        assert queue.started_job_registry.count == 0
    assert_none_visited_twice(shop, place.results(run))
    place.assert_nothing_left()


def test_one_ctrl_c_during_the_start_closes_what_is_open(place: Workplace, shop: StorefrontProcess) -> None:
    """No traceback, no browser left, and it counts as a good end."""
    with at_a_terminal(place, "--processes", "2") as supervisor:
        wait_for_event(place, "Worker Spawned", 2)
        eventually(lambda: any(map(browser_pids, children(place))), 60, "the first browser", place.log.read_text)
        os.killpg(supervisor.pid, signal.SIGINT)
        assert supervisor.wait(30) == 0
    assert "Traceback" not in place.log.read_text()
    assert {event["exit_code"] for event in place.events("Worker Ended")} <= {0, -signal.SIGTERM}
    place.assert_nothing_left()


def test_workers_do_not_outlive_their_supervisor(place: Workplace, shop: StorefrontProcess) -> None:
    """They drain by themselves, and put back what they hold."""
    rows = list(generate("demo-hydrated", shop.base_url, PRODUCTS))
    run = place.enqueue("demo-hydrated", rows, batch_size=PRODUCTS // 2)
    with place.worker("--processes", "2") as supervisor:
        wait_for_event(place, "Worker Started", 2)
        place.wait_for(run, 20)
        supervisor.kill()
        supervisor.wait()
        eventually(lambda: not any(map(psutil.pid_exists, children(place))), 30, "the end of the workers")
    with place.redis() as redis:
        assert [job.retries_left for job in open_queue(redis, "demo-hydrated").jobs] == [5, 5]
    assert len(place.events("Worker Draining")) == 2
    place.assert_nothing_left()


def test_workers_that_cannot_start_end_the_command_with_69(place: Workplace) -> None:
    """One line says why each of them ended, the last one what to do; no traceback."""
    place.environment_changes = {"PAGEMILL_CHROMIUM": "/nowhere/chromium"}
    place.settings(supervisor={"max_crashes": 2, "respawn_backoff_s": 0.1})
    with place.worker("--processes", "1") as supervisor:
        assert supervisor.wait(60) == 69
    text = place.log.read_text()
    assert "Traceback" not in text
    plain = [line for line in text.splitlines() if line.startswith("pagemill: ")]
    assert len(plain) == 3
    assert all(line.startswith("pagemill: PAGEMILL_CHROMIUM=/nowhere/chromium is not a program") for line in plain[:2])
    assert plain[2].startswith("pagemill: worker processes ended 2 times in a row, the last one with exit code 69: ")
    (loop,) = place.events("Crash Loop")
    assert loop["crashes"] == 2
    place.assert_nothing_left()
