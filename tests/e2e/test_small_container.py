"""A worker in a container that is too small for what it was asked to do: it does less at once, and all of it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.telemetry import events
from tests.e2e.small_container import contained_worker, reason_against
from tests.e2e.workplace import Workplace, assert_each_right_once

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(150)]

PLATFORM = "demo-hydrated"
LANES = 4
MEMORY_MB = 700
LEAK_KB = 1000
"""Without a guard, 240 such products on four lanes cost nine OOM kills here."""
WAIT_S = 120


@pytest.fixture(scope="module", autouse=True)
def _containers_can_be_made() -> None:
    """Without them these tests skip; where `CI` is set and we are root they fail."""
    reason = reason_against()
    if reason and os.environ.get("CI") and os.geteuid() == 0:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


def leaky_rows(shop: StorefrontProcess, count: int, leak_kb: int) -> list[CatalogueRow]:
    """Small pages that leak: memory is what is tested, not the time of rendering."""
    return list(generate(PLATFORM, shop.base_url, count, leak_kb=leak_kb, weight="light"))


def set_up(place: Workplace, **settings: dict[str, Any]) -> None:
    """Asks for more lanes than the container carries."""
    place.platform(PLATFORM, workflow={"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": LANES}})
    place.settings(**settings)


def fewest_lanes(place: Workplace) -> int:
    """The fewest lanes that were admitted at any time, by the budget or by the guard."""
    started = [record["lanes"] for record in place.events(events.WORKER_STARTED)]
    changed = [record["lanes"] for record in place.events(events.LANES_CHANGED)]
    return int(min(started + changed))


def test_700_mb_carry_leaky_products(place: Workplace, shop: StorefrontProcess) -> None:
    """Fewer lanes than asked for, no OOM kill, the working set below the limit, each product's right result once."""
    set_up(place)
    rows = leaky_rows(shop, 300, LEAK_KB)
    run = place.enqueue(PLATFORM, rows)
    with contained_worker(place, "--burst", memory_mb=MEMORY_MB, shm_mb=1024) as worker:
        code = worker.wait(WAIT_S)
        print(worker.facts())
        assert worker.group.oom_kills == 0, worker.facts()
        assert code == 0
        assert worker.peak_working_set_mb < MEMORY_MB, worker.facts()
    assert_each_right_once(rows, place.results(run))
    assert fewest_lanes(place) < LANES
    place.assert_nothing_left()


@pytest.mark.parametrize("dev_shm", [True, "auto"])
def test_a_dev_shm_of_128_mb_loses_nothing(place: Workplace, shop: StorefrontProcess, dev_shm: bool | str) -> None:
    """Docker gives 64 MB unless asked: Chromium forced into a small /dev/shm, and kept out of it, does all the same."""
    set_up(place, browser={"dev_shm": dev_shm})
    rows = leaky_rows(shop, 200, 600)
    run = place.enqueue(PLATFORM, rows)
    with contained_worker(place, "--burst", memory_mb=MEMORY_MB, shm_mb=128) as worker:
        code = worker.wait(WAIT_S)
        print(worker.facts())
        assert worker.group.oom_kills == 0, worker.facts()
        assert code == 0
        assert worker.peak_working_set_mb < MEMORY_MB, worker.facts()
    assert_each_right_once(rows, place.results(run))
    # Chromium 156 takes its shared memory from memfd_create and leaves /dev/shm empty; older ones fill it.
    assert max(record["shm_percent"] for record in place.events(events.MEMORY)) < 95
    if dev_shm is True:
        assert fewest_lanes(place) == 1
    place.assert_nothing_left()
