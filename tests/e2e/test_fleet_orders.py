"""Orders to a real worker in the middle of its work, and what it tells of itself meanwhile."""

from __future__ import annotations

import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.fleet.actions import CLEANUP, COLLECT, CONFIGURE, OPTIMIZE, RESTART
from pagemill.fleet.orders import give
from pagemill.fleet.overrides import override_guard
from pagemill.fleet.snapshot import WorkerSnapshot, read_fleet
from pagemill.fleet.view import FleetView
from tests.e2e.workplace import Workplace, assert_each_right_once, assert_none_visited_twice, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def _has_told(worker: WorkerSnapshot) -> bool:
    tally = worker.tally.get("demo-hydrated")
    return worker.sample is not None and tally is not None and tally.products >= 20


def test_a_worker_tells_of_itself_and_follows_orders(place: Workplace, shop: StorefrontProcess) -> None:
    """Cleaning, other settings, a fresh process: no product is lost, doubled or visited twice."""
    place.platform("demo-hydrated", workflow={"rate_limit": {"wait_time_ms": 450}})
    rows = list(generate("demo-hydrated", shop.base_url, 80))
    run = place.enqueue("demo-hydrated", rows, batch_size=40)
    with place.redis() as redis, place.worker("--processes", "1", "--burst") as supervisor:
        place.wait_for(run, 20)
        eventually(lambda: any(map(_has_told, read_fleet(redis))), 30, "a sample and 20 products")
        (worker,) = read_fleet(redis)
        assert worker.at_work is not None
        assert (worker.at_work.run, worker.at_work.products) == (run, 40)
        assert worker.sample is not None
        assert {"python", "browser", "renderers"} <= worker.sample.pss_mb.keys()
        assert worker.limits is not None
        assert worker.allocated_mb >= worker.peak_pss_mb > 0
        assert sum(worker.collector.pauses) > 0

        (cleaned,) = give(redis, [worker.name], CLEANUP)
        assert cleaned.done
        assert cleaned.result["seconds"] >= 0
        assert all(answer.done for answer in give(redis, [worker.name], COLLECT))
        assert all(answer.done for answer in give(redis, [worker.name], OPTIMIZE, kind="all"))
        (refused,) = give(redis, [worker.name], OPTIMIZE, kind="everything")
        assert "all, cache, memory, cleanup" in refused.error

        version = override_guard(redis, {"warning_percent": 66.0, "sample_interval_s": 0.5})
        (configured,) = give(redis, [worker.name], CONFIGURE)
        assert configured.result == {"version": version}
        view = FleetView(redis, ["demo-hydrated"])

        def is_in_force() -> bool:
            view.forget()
            return any(each.guard["warning_percent"] == 66.0 for each in view.picture().alive)

        eventually(is_in_force, 10, "the changed settings in the snapshot")
        assert [point.worker for point in view.history(3600)][-1] == worker.name

        assert all(answer.done for answer in give(redis, [worker.name], RESTART))
        eventually(lambda: [each.name for each in read_fleet(redis)] not in ([], [worker.name]), 60, "a fresh worker")
        assert supervisor.wait(120) == 0
        told = {event.event for event in view.events()}
        assert {"Worker Started", "Order", "Settings Changed", "Context Rotation", "Worker Worn Out"} <= told
        assert read_fleet(redis) == []
    assert_each_right_once(rows, place.results(run))
    assert_none_visited_twice(shop, place.results(run))
    place.assert_nothing_left()
