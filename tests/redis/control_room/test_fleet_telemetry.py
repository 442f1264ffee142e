"""What workers publish over time, in a real Redis: history, events, changed settings, orders and their answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from rq.command import PUBSUB_CHANNEL_TEMPLATE

from pagemill.fleet.event_log import read_events, write_events
from pagemill.fleet.history import FINE, MINUTES, QUARTERS, HistoryWriter, Point, mean, read_history
from pagemill.fleet.orders import OrderDesk, give
from pagemill.fleet.overrides import override_guard, override_thresholds, read_overrides, read_version
from pagemill.fleet.snapshot import WorkerSnapshot, publish
from pagemill.fleet.view import FleetView, rates
from pagemill.telemetry.event_buffer import BufferedEvent

pytestmark = pytest.mark.redis


class Clock:
    """Monotonic seconds that move when they are told to."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_measurements_are_kept_and_summed_up(redis_client: redis.Redis) -> None:
    """Each one for a while, a mean for each minute and each quarter of an hour."""
    clock = Clock()
    writer = HistoryWriter(redis_client, clock)
    for number in range(181):
        clock.s = 100.0 + 10 * number
        writer.add(Point("w1", pss_mb={"python": 100.0 + number % 2}, items=number))
    assert redis_client.xlen(FINE.key) == 181
    assert redis_client.xlen(MINUTES.key) == 30
    assert redis_client.xlen(QUARTERS.key) == 2
    last = read_history(redis_client, 7 * 24 * 3600)[-1]
    assert last.items == 180
    assert 0 < redis_client.ttl(FINE.key) <= FINE.kept_s


def test_history_stays_within_its_entries(redis_client: redis.Redis) -> None:
    """However long a fleet works; Redis may keep some more, as it trims by whole nodes."""
    writer = HistoryWriter(redis_client, Clock(), most_entries=100)
    for number in range(600):
        writer.add(Point("w1", items=number))
    assert redis_client.xlen(FINE.key) <= 200


def test_a_long_span_ends_with_finer_points(redis_client: redis.Redis) -> None:
    """What has no mean yet is not left out, and nothing comes twice."""
    clock = Clock()
    writer = HistoryWriter(redis_client, clock)
    for number in range(9):
        clock.s = 100.0 + 10 * number
        writer.add(Point("w1", items=number))
        written = redis_client.time()
        while redis_client.time()[1] // 1000 == written[1] // 1000:
            pass  # real measurements are never in the same millisecond
    points = read_history(redis_client, 24 * 3600)
    assert [point.items for point in points] == [6, 7, 8]  # a mean of the first minute and what came since
    assert [point.items for point in read_history(redis_client, 3600)] == list(range(9))


def test_history_of_one_worker(redis_client: redis.Redis) -> None:
    """Others are left out."""
    for name in ("w1", "w2", "w1"):
        HistoryWriter(redis_client, Clock()).add(Point(name))
    assert [point.worker for point in read_history(redis_client, 60, "w1")] == ["w1", "w1"]


def test_a_mean_has_the_last_counts_and_skips_what_is_missing() -> None:
    """Counts only ever rise, so that the last one says all."""
    found = mean(
        [
            Point("w", {"python": 10}, js_heap_mb=None, lanes=1, items=4),
            Point("w", {"python": 20, "browser": 8}, js_heap_mb=6, lanes=2, items=9),
        ]
    )
    assert (found.pss_mb, found.js_heap_mb, found.lanes, found.items) == ({"python": 15, "browser": 4}, 6, 1.5, 9)


def test_of_delays_the_longest_is_kept() -> None:
    """A mean would make nothing of the one that somebody looks for."""
    found = mean([Point("w", measures={"loop_lag_ms": lag, "gc_percent": lag}) for lag in (1.0, 80.0, 3.0)])
    assert found.measures == {"loop_lag_ms": 80, "gc_percent": 28}


def test_what_a_worker_of_0_1_wrote_is_read(redis_client: redis.Redis) -> None:
    """It wrote each measure beside the other fields; its last week is still there after an upgrade."""
    body = b'{"worker":"w1","items":3,"memory_percent":41.5,"loop_lag_ms":7.0,"lanes":2.0}'
    redis_client.xadd(FINE.key, {"point": body})
    [point] = read_history(redis_client, 60)
    assert (point.items, point.lanes, point.measures) == (3, 2, {"memory_percent": 41.5, "loop_lag_ms": 7})


def test_rates_come_from_the_counts_of_first_and_last_point() -> None:
    """Also when a product was spared its visit; a worker with a single point has none."""
    points = [
        Point("a", items=10, visited=10, failed=1, item_s=5.0, at_s=100),
        Point("b", items=3, at_s=101),
        Point("a", items=30, visited=20, failed=3, blocked=1, item_s=7.5, at_s=110),
    ]
    found = rates(points)
    assert set(found) == {"a"}
    assert found["a"].items_per_s == 2.0
    assert found["a"].item_ms == 250.0
    assert (found["a"].error_rate, found["a"].block_rate) == (0.1, 0.05)


def test_events_come_back_the_newest_first(redis_client: redis.Redis) -> None:
    """With what the log line said."""
    write_events(
        redis_client, "w1", [BufferedEvent("Browser Rotation", "info", "2026-11-21T00:00:00Z", {"uses": 1000})]
    )
    write_events(redis_client, "w2", [BufferedEvent("Alert", "warning", "2026-11-21T00:00:01Z", {"alert": "leak"})])
    newest, older = read_events(redis_client)
    assert (newest.worker, newest.event, newest.facts) == ("w2", "Alert", {"alert": "leak"})
    assert (older.event, older.facts) == ("Browser Rotation", {"uses": 1000})
    assert newest.id > older.id
    assert read_events(redis_client, 1) == [newest]


def test_changes_are_kept_beside_each_other(redis_client: redis.Redis) -> None:
    """Each has a new version; thresholds and the guard's settings do not touch each other."""
    assert read_version(redis_client) == 0
    assert override_guard(redis_client, {"warning_percent": 65.0}) == 1
    assert override_guard(redis_client, {"cleanup_percent": 75.0}) == 2
    assert override_thresholds(redis_client, {"errorRate": {"warning": 0.1}}) == 3
    found = read_overrides(redis_client)
    assert found.version == read_version(redis_client) == 3
    assert found.guard == {"warning_percent": 65.0, "cleanup_percent": 75.0}
    assert found.thresholds == {"errorRate": {"warning": 0.1}}


def test_changes_of_the_same_moment_do_not_lose_each_other(redis_client: redis.Redis) -> None:
    """Also from several API processes."""
    names = [f"metric{number}" for number in range(12)]
    threads = [threading.Thread(target=override_thresholds, args=(redis_client, {name: 1})) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(read_overrides(redis_client).thresholds) == sorted(names)
    assert read_version(redis_client) == len(names)


@contextmanager
def listening(client: redis.Redis, name: str, desk: OrderDesk) -> Iterator[None]:
    """A worker's command thread, as RQ runs it."""
    pubsub = client.pubsub()  # type: ignore[no-untyped-call]

    def hear(message: Any) -> None:
        desk.hear(json.loads(message["data"]))

    pubsub.subscribe(**{PUBSUB_CHANNEL_TEMPLATE % name: hear})
    thread = pubsub.run_in_thread(sleep_time=0.05, daemon=True)
    try:
        yield
    finally:
        thread.stop()
        thread.join(5)
        pubsub.close()


def test_an_order_is_carried_out_and_answered(redis_client: redis.Redis) -> None:
    """By each worker; one that does not hear it, one that fails and one that does not know it are told apart."""
    heard = threading.Event()

    def clean(ratio: float) -> dict[str, float]:
        heard.set()
        return {"freed_mb": 10 * ratio}

    def fail(ratio: float) -> None:
        raise ValueError(f"not {ratio}")

    good, bad, new = OrderDesk(redis_client), OrderDesk(redis_client), OrderDesk(redis_client)
    good.open({"clean": clean})
    bad.open({"clean": fail})
    with listening(redis_client, "a", good), listening(redis_client, "b", bad), listening(redis_client, "c", new):
        answers = give(redis_client, ["a", "b", "c", "gone"], "clean", 1.0, ratio=0.5)
    assert heard.is_set()
    assert [answer.done for answer in answers] == [True, False, False, False]
    assert answers[0].result == {"freed_mb": 5.0}
    assert answers[1].error == "ValueError: not 0.5"
    assert "no order 'clean'" in answers[2].error
    assert (answers[3].heard, answers[3].error) == (False, "no answer in time")


def test_a_command_of_rqs_own_is_left_to_it(redis_client: redis.Redis) -> None:
    """Such as a shutdown."""
    assert OrderDesk(redis_client).hear({"command": "shutdown"}) is False


def test_the_view_reads_once_a_second(redis_client: redis.Redis) -> None:
    """However many ask; what was just changed can be looked at anew."""
    clock = Clock()
    view = FleetView(redis_client, ["musinsa"], now_s=clock)
    snapshot = WorkerSnapshot("w1", 1, "machine", ("musinsa",), 1, 4, 100.0, 120.0, 7)
    assert view.picture().workers == ()
    publish(redis_client, snapshot)
    assert view.picture().workers == ()
    clock.s += 1.0
    assert [worker.name for worker in view.picture().alive] == ["w1"]
    publish(redis_client, WorkerSnapshot("w2", 1, "machine", ("musinsa",), 1, 4, 100.0, 120.0, 7))
    view.forget()
    assert [worker.name for worker in view.picture().alive] == ["w1", "w2"]
    assert [queue.platform for queue in view.picture().queues] == ["musinsa"]
