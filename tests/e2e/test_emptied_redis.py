"""Redis is emptied in the middle of a run: every product has its one result all the same, and it is told."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

import psutil
import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.telemetry import events
from tests.e2e.workplace import Workplace, assert_each_right_once, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

SHOP = "demo-hydrated"
PRODUCTS = 160
WIPES = 3


@pytest.mark.parametrize("how", ["flushed", "killed, with its files removed"])
def test_a_run_outlives_a_redis_that_is_emptied(place: Workplace, shop: StorefrontProcess, how: str) -> None:
    """Three times at random moments, under two workers."""
    chance = random.Random(7)
    place.platform(SHOP, workflow={"rate_limit": {"wait_time_ms": "200-400"}, "concurrency": {"default": 2}})
    rows = list(generate(SHOP, shop.base_url, PRODUCTS))
    run = place.enqueue(SHOP, rows, batch_size=10)
    with place.worker("--processes", "2") as supervisor:
        for number in range(WIPES):
            place.wait_for(run, 10 + number * 40 + chance.randrange(20), timeout_s=120)
            _empty(place, how)
        place.wait_for(run, PRODUCTS, timeout_s=200)
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    results = place.results(run)
    assert_each_right_once(rows, results)
    assert place.events(events.BATCHES_PUT_BACK)
    place.assert_nothing_left()


def _empty(place: Workplace, how: str) -> None:
    with place.redis() as redis:
        if how == "flushed":
            redis.flushall()
            return
        server = int(redis.info("server")["process_id"])
        os.kill(server, signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(server), 10, "the end of Redis")
    for entry in (place.folder / "data" / "redis").iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif not entry.name.endswith((".lock", ".sock")):
            entry.unlink(missing_ok=True)
    time.sleep(0.5)
    place.run("status")  # starts the embedded server again
