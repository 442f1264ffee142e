"""What workers publish about themselves, and the fleet at one glance, in a real Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.job import JobStatus

from pagemill.errors import RedisUnavailable
from pagemill.fleet.queues import QueueState, queue_states
from pagemill.fleet.snapshot import KEPT_S, PREFIX, WorkerSnapshot, publish, read_fleet, read_workers, withdraw
from pagemill.fleet.view import FleetView
from pagemill.intake.batch_job import open_queue, open_queues

pytestmark = pytest.mark.redis

SNAPSHOT = WorkerSnapshot(
    name="machine-1",
    pid=4711,
    host="machine",
    platforms=("ably", "musinsa"),
    lanes=3,
    size=4,
    pss_mb=540.5,
    peak_pss_mb=612.0,
    leases=120,
    rotations={"page": 12, "context": 2},
)


def test_what_is_published_is_read_back(redis_client: redis.Redis) -> None:
    """All of it, for every worker, by name; a newer one takes the older one's place."""
    second = replace(SNAPSHOT, name="machine-2", lanes=0, rotations={})
    publish(redis_client, second)
    publish(redis_client, SNAPSHOT)
    assert read_fleet(redis_client) == [SNAPSHOT, second]
    publish(redis_client, replace(SNAPSHOT, leases=121))
    assert [worker.leases for worker in read_fleet(redis_client)] == [121, 120]


def test_a_worker_that_stops_publishing_is_dead_and_then_forgotten(redis_client: redis.Redis) -> None:
    """It can be seen for ten minutes; nobody has to clean up after it."""
    publish(redis_client, SNAPSHOT)
    [key] = redis_client.scan_iter(match=PREFIX + "*")
    redis_client.pexpire(key, KEPT_S * 1000 - 45_000)
    [dead] = read_workers(redis_client)
    assert not dead.is_alive
    assert dead.silent_s == pytest.approx(45, abs=5)
    assert read_fleet(redis_client) == []
    redis_client.pexpire(key, 1)
    while redis_client.exists(key):
        pass
    assert read_workers(redis_client) == []
    assert list(redis_client.scan_iter(match="*machine-1*")) == []
    assert redis_client.smembers("pagemill:names:worker") == set()


def test_a_worker_that_ends_well_withdraws(redis_client: redis.Redis) -> None:
    """Only itself, and once is enough."""
    publish(redis_client, SNAPSHOT)
    publish(redis_client, replace(SNAPSHOT, name="machine-2"))
    withdraw(redis_client, "machine-1")
    withdraw(redis_client, "machine-1")
    assert [worker.name for worker in read_fleet(redis_client)] == ["machine-2"]


def test_nobody_is_an_empty_fleet(redis_client: redis.Redis) -> None:
    """And what others keep in the same Redis is not taken for workers."""
    redis_client.set("pagemill:pace:shop", 1)
    redis_client.set("rq:worker:machine-1", 1)
    assert read_fleet(redis_client) == []


def test_a_worker_that_vanishes_while_being_read_is_left_out(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key expires between the listing and the reading."""
    publish(redis_client, SNAPSHOT)
    publish(redis_client, replace(SNAPSHOT, name="machine-2"))
    listed = redis_client.smembers("pagemill:names:worker")
    withdraw(redis_client, "machine-2")
    monkeypatch.setattr(redis_client, "smembers", lambda _key: listed)
    assert read_fleet(redis_client) == [SNAPSHOT]


def test_nobody_walks_over_all_keys_for_it_but_once_a_minute(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one for each batch; the walk finds workers of a pagemill that wrote no names."""
    walks = 0
    scan = redis_client.scan_iter

    def walk(**how: Any) -> Iterator[bytes]:
        nonlocal walks
        walks += 1
        return scan(**how)

    monkeypatch.setattr(redis_client, "scan_iter", walk)
    redis_client.set(PREFIX + "machine-2", json.dumps(asdict(SNAPSHOT) | {"name": "machine-2"}), ex=KEPT_S)
    publish(redis_client, SNAPSHOT)
    for _ in range(3):
        assert [worker.name for worker in read_fleet(redis_client)] == ["machine-1", "machine-2"]
    assert walks == 1
    assert 0 < redis_client.ttl("pagemill:names:worker:searched") <= 60


def test_a_redis_that_is_full_can_be_looked_at(redis_client: redis.Redis) -> None:
    """It takes nothing any more, and tells what it has."""
    publish(redis_client, SNAPSHOT)
    redis_client.config_set("maxmemory", "1")
    assert read_fleet(redis_client) == [SNAPSHOT]


def test_a_worker_of_a_newer_version_is_read_as_far_as_it_is_known(redis_client: redis.Redis) -> None:
    """A fleet is renewed one worker after another, and `status` has to show it meanwhile."""
    newer = asdict(SNAPSHOT) | {"name": "machine-2", "invented_later": 1}
    redis_client.set(PREFIX + "machine-2", json.dumps(newer), ex=KEPT_S)
    publish(redis_client, SNAPSHOT)
    assert read_fleet(redis_client) == [SNAPSHOT, replace(SNAPSHOT, name="machine-2")]


def test_queues_are_counted_in_batches(redis_client: redis.Redis) -> None:
    """Waiting, at work and failed; a platform without a queue has none of them."""
    queue = open_queue(redis_client, "musinsa")
    jobs = [queue.enqueue("pagemill.worker.job.run_batch", "run", f"b{number}", "musinsa", []) for number in range(4)]
    queue.remove(jobs[0])
    queue.failed_job_registry.add(jobs[0], ttl=60)
    queue.remove(jobs[1])
    redis_client.zadd(queue.started_job_registry.key, {f"{jobs[1].id}:execution": 2**40})
    assert queue_states(redis_client, ["ably", "musinsa"]) == [
        QueueState("ably", waiting=0, at_work=0, failed=0),
        QueueState("musinsa", waiting=2, at_work=1, failed=1),
    ]


def test_a_platforms_queues_are_counted_together(redis_client: redis.Redis) -> None:
    """Whatever their priority."""
    for number, queue in enumerate(open_queues(redis_client, "musinsa")):
        for batch in range(number + 1):
            queue.enqueue("pagemill.worker.job.run_batch", "run", f"b{number}{batch}", "musinsa", [])
        redis_client.zadd(queue.started_job_registry.key, {f"s{number}:execution": 2**40})
        redis_client.zadd(queue.failed_job_registry.key, {f"f{number}": 2**40})
    assert queue_states(redis_client, ["musinsa"]) == [QueueState("musinsa", waiting=6, at_work=3, failed=3)]
    assert queue_states(redis_client, []) == []


def test_looking_takes_nothing_over(redis_client: redis.Redis) -> None:
    """A dead worker's batch is for workers: a glance at the queues must not end it without one."""
    queue = open_queue(redis_client, "musinsa")
    job = queue.enqueue("pagemill.worker.job.run_batch", "run", "b1", "musinsa", [])
    queue.remove(job)
    job.set_status(JobStatus.STARTED)
    redis_client.zadd(queue.started_job_registry.key, {f"{job.id}:execution": 1})
    assert queue_states(redis_client, ["musinsa"]) == [QueueState("musinsa", waiting=0, at_work=1, failed=0)]
    assert job.get_status() is JobStatus.STARTED
    assert redis_client.zcard(queue.started_job_registry.key) == 1


def test_the_picture_has_queues_and_workers(redis_client: redis.Redis) -> None:
    """The platforms in the order in which they were asked for."""
    publish(redis_client, SNAPSHOT)
    open_queue(redis_client, "musinsa").enqueue("pagemill.worker.job.run_batch", "run", "b1", "musinsa", [])
    picture = FleetView(redis_client, ["musinsa", "ably"]).picture()
    assert [(state.platform, state.waiting) for state in picture.queues] == [("musinsa", 1), ("ably", 0)]
    assert picture.workers == (SNAPSHOT,)


def test_a_look_without_redis_names_the_remedy() -> None:
    """A server that goes away while `status --watch` looks ends it as one that was never there."""
    with (
        redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as gone,
        pytest.raises(RedisUnavailable, match="PAGEMILL_REDIS_URL"),
    ):
        FleetView(gone, ["musinsa"]).picture()
