"""pagemill as process 1 of its container: a worker gets every orphan, and leaves no zombie."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.fleet import process_orders
from pagemill.fleet.actions import RESTART
from pagemill.fleet.orders import give
from pagemill.fleet.processes import read_processes
from tests.e2e.namespaces import AS_FIRST, first_of, need, zombies_below
from tests.e2e.workplace import Workplace, assert_each_right_once, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture(autouse=True)
def _possible() -> None:
    need(*AS_FIRST)


@contextmanager
def contained(place: Workplace, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`pagemill ARGUMENTS` as process 1; the process is that of `unshare`, which ends with its exit code."""
    command = [*AS_FIRST, sys.executable, "-m", "pagemill", *arguments]
    with place.log.open("ab") as log:
        process = subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize("driver", ["none", "playwright"])
@pytest.mark.parametrize("processes", [(), ("--processes", "1")], ids=["alone", "supervised"])
def test_no_zombie_is_left_however_many_browsers_come_and_go(
    place: Workplace, shop: StorefrontProcess, driver: str, processes: tuple[str, ...]
) -> None:
    """Chromium leaves orphans with every browser that ends, and the kernel gives them to process 1."""
    place.settings(browser={"driver": driver}, pool={"browser_max_uses": 10})
    rows = list(generate("demo-hydrated", shop.base_url, 40))
    with place.redis():
        run = place.enqueue("demo-hydrated", rows)
        with contained(place, "worker", *processes) as worker:
            place.wait_for(run, 40)
            assert len(place.events("Browser Launched")) >= 3
            first = first_of(worker.pid)
            eventually(lambda: not zombies_below(first), 10, "an end of zombies", lambda: zombies_below(first))
            first.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
    assert_each_right_once(rows, place.results(run))
    assert len(place.events("Worker Stopped")) == 1


def test_a_signal_drains_and_the_exit_code_comes_out(place: Workplace) -> None:
    """As if nothing stood in between; the first process itself is a small one and knows no secret."""
    place.environment_changes["PAGEMILL_API_SECRET"] = "s" * 40
    with contained(place, "worker") as worker:
        eventually(lambda: bool(place.events("Worker Started")), 30, "a worker")
        first = first_of(worker.pid)
        assert b"PAGEMILL_API_SECRET" not in Path(f"/proc/{first.pid}/environ").read_bytes()
        assert first.memory_info().rss < 25_000_000
        first.send_signal(signal.SIGINT)
        assert worker.wait(60) == 0
    assert len(place.events("Worker Stopped")) == 1


def test_an_error_keeps_its_exit_code(place: Workplace) -> None:
    """69 for a service that is out of reach, with its one line."""
    place.environment_changes["PAGEMILL_REDIS_URL"] = "redis://127.0.0.1:1"
    with contained(place, "status") as command:
        assert command.wait(30) == 69
    assert "does not answer" in place.log.read_text()


def test_a_scheduler_that_starts_afresh_does_not_end_its_container(place: Workplace) -> None:
    """It is the child of process 1 before and afterwards, with all of its environment; then a stop ends both."""
    place.environment_changes["PAGEMILL_API_SECRET"] = "s" * 40
    with place.redis() as redis, contained(place, "scheduler") as container:
        eventually(lambda: len(read_processes(redis)) == 1, 60, "a report", place.log.read_text)
        (before,) = read_processes(redis)
        (child,) = first_of(container.pid).children()
        assert give(redis, [before.name], RESTART, 20, process_orders.leave)[0].done
        eventually(lambda: [each.name for each in read_processes(redis)] not in ([], [before.name]), 60, "a fresh one")
        (after,) = read_processes(redis)
        assert (after.pid, after.host) == (before.pid, before.host)
        assert first_of(container.pid).children() == [child]
        assert b"PAGEMILL_API_SECRET" in Path(f"/proc/{child.pid}/environ").read_bytes()
        first_of(container.pid).send_signal(signal.SIGTERM)
        assert container.wait(30) == 0


def test_a_killed_worker_ends_its_container(place: Workplace) -> None:
    """With 137, so that a restart policy brings a fresh one; nothing stays behind."""
    with contained(place, "worker") as worker:
        eventually(lambda: bool(place.events("Worker Started")), 30, "a worker")
        (pagemill,) = (p for p in first_of(worker.pid).children() if "worker" in p.cmdline())
        pagemill.kill()
        assert worker.wait(30) == 128 + signal.SIGKILL
        assert not psutil.pid_exists(pagemill.pid)
