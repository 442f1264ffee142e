"""Connections of workers and of the API to Redis and the database, as Prometheus is told them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from pagemill.broker.connection import open_redis, redis_connection_counts
from pagemill.fleet.snapshot import publish
from pagemill.model import ConnectionCounts
from pagemill.results.database import reading
from pagemill.results.store import ResultStore
from tests.e2e.workplace import Workplace, eventually
from tests.redis.control_room.api_world import a_worker, api_running

pytestmark = pytest.mark.redis

_LABELS = ("worker", "service", "state")


def told(text: str, prefix: str) -> dict[tuple[str, ...], float]:
    """The values of those series, by the end of the name and their labels."""
    return {
        (sample.name.removeprefix(prefix), *(sample.labels[name] for name in _LABELS if name in sample.labels)): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(prefix)
    }


def test_redis_connections_are_counted_while_they_are_used(redis_server: str, tmp_path: Path) -> None:
    """None before the first command; one that was used waits for the next."""
    with open_redis(redis_server, tmp_path) as client:
        most = client.connection_pool.max_connections
        assert redis_connection_counts(client) == ConnectionCounts(0, 0, most)
        with client.pubsub() as listening:  # type: ignore[no-untyped-call]
            listening.subscribe("somewhere")
            client.ping()
            assert redis_connection_counts(client) == ConnectionCounts(1, 1, most)


def test_database_connections_are_counted_while_they_are_used(tmp_path: Path) -> None:
    """Also those that are opened beyond the ones that are kept, and no more than there may be."""
    with ResultStore(f"sqlite:///{tmp_path}/r.db") as store:
        assert store.connections() == ConnectionCounts(0, 1, 15)
        with ExitStack() as users:
            for _ in range(15):
                users.enter_context(reading(store.engine))
            assert store.connections() == ConnectionCounts(15, 0, 15)
        assert store.connections() == ConnectionCounts(0, 5, 15)


def test_prometheus_is_told_those_of_workers_and_of_the_api(
    redis_server: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """One pair of gauges each, and what their limit is."""
    counts = {"redis": ConnectionCounts(3, 2, 200), "database": ConnectionCounts(1, 4, 15)}
    publish(redis_client, replace(a_worker("w1"), connections=counts))
    with api_running(redis_server, tmp_path) as world:
        text = world.planner.get("/metrics").text

    assert told(text, "pagemill_worker_connections") == {
        ("", "w1", "redis", "in_use"): 3,
        ("", "w1", "redis", "idle"): 2,
        ("_most", "w1", "redis"): 200,
        ("", "w1", "database", "in_use"): 1,
        ("", "w1", "database", "idle"): 4,
        ("_most", "w1", "database"): 15,
    }
    own = told(text, "pagemill_api_connections")
    assert own["", "redis", "in_use"] + own["", "redis", "idle"] >= 1
    assert own["", "database", "in_use"] + own["", "database", "idle"] >= 1
    assert own["_most", "database"] == 15


@pytest.mark.browser
def test_a_real_worker_tells_its_own(tmp_path: Path) -> None:
    """Its command channel listens all the time, so one is always in use."""
    place = Workplace(tmp_path / "work")
    with place.redis() as client, place.worker(), api_running(address(client), tmp_path) as world:

        def counts() -> dict[tuple[str, ...], float]:
            found = told(world.planner.get("/metrics").text, "pagemill_worker_connections")
            return {(key[0], *key[2:]): value for key, value in found.items()}

        eventually(lambda: bool(counts()), 60, "the worker", place.log.read_text)
        found = counts()
    assert found["", "redis", "in_use"] >= 1
    assert found["", "database", "in_use"] + found["", "database", "idle"] >= 1
    assert found["_most", "redis"] == 200
    assert found["_most", "database"] == 15


def address(client: redis.Redis) -> str:
    return f"unix://{client.connection_pool.connection_kwargs['path']}"
