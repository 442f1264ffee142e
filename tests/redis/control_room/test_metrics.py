"""What Prometheus reads about a fleet whose workers publish into a real Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from pagemill.alerting.alert import Alert, encode
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.history import FIELD, STREAM
from pagemill.broker.embedded import EmbeddedServer
from pagemill.config.settings import AlertSettings
from pagemill.control_room.metrics.text import alerts_of_the_hour, metrics_text
from pagemill.errors import RedisUnavailable
from pagemill.fleet.snapshot import KEPT_S, PREFIX, AtWork, WorkerSnapshot, publish
from pagemill.fleet.tally import BUCKETS_S, LATE_BUCKETS_S, PlatformTally
from pagemill.fleet.view import FleetView
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats, PythonMemory
from pagemill.intake.batch_job import open_queue
from pagemill.pacing.pace_script import KEY_PREFIX

pytestmark = pytest.mark.redis

MIB = 1024 * 1024
STARTED_AT = datetime(2026, 11, 21, tzinfo=UTC)

IDLE = WorkerSnapshot("w1", 1, "machine", ("musinsa",), 0, 4, 100.0, 120.0, 0)
"""A worker that has measured nothing yet."""
BUSY = replace(
    IDLE,
    lanes=2,
    leases=70,
    allocated_mb=500.0,
    reasons={"page uses": 6, "context errors": 1, "page failed": 2},
    pressure="critical",
    pressure_reason="shm",
    started_at=STARTED_AT,
    batches=(AtWork("r1", "b1", "musinsa", 10, 50),),
    cpu_percent=25.0,
    collector=CollectorStats(
        (40, 8, 2), pause_s=0.5, longest_ms=12.0, cpu_percent=3.0, pauses=(30, 8, 0, 5, 0, 2, 4, 1, *[0] * 6)
    ),
    limits=PressureLimits(1000, 512, 300, 500, 30),
    caches={"pages": 12},
    cleanings=3,
    tally={
        "musinsa": PlatformTally(
            verdicts={"ok": 5, "failed": 2},
            attempts=9,
            spared=1,
            item_s=42.5,
            buckets=(0, 1, 0, 2, *[0] * (len(BUCKETS_S) - 4), 3),
            wait_s=8.0,
            late_s=1.5,
            late_buckets=(4, 0, 1, *[0] * (len(LATE_BUCKETS_S) - 3), 2),
        )
    },
    sample=Sample(
        rss_mb=90,
        pss_mb={"python": 80.0, "browser": 60.0, "renderers": 160.0},
        shm_percent=86.0,
        cgroup_percent=40.0,
        memory_percent=30.0,
        machine_percent=55.0,
        oom_kills=1,
        python=PythonMemory(50.0, 5.0, 200_000),
        js_heap_mb=20.0,
        largest_js_heap_mb=8.0,
        loop_lag_s=0.25,
    ),
)


class Told:
    """One scrape's answer, to look values up in."""

    def __init__(self, body: bytes) -> None:
        self._families = list(text_string_to_metric_families(body.decode()))
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self._families
            for sample in family.samples
        }
        self.types: Mapping[str, str] = {family.name: family.type for family in self._families}

    def value(self, name: str, /, **labels: str) -> float | None:
        """`None` where it is not told."""
        return self._values.get((name, frozenset(labels.items())))

    def names(self) -> set[str]:
        """Of every series."""
        return {name for name, _ in self._values}

    def workers(self) -> dict[str, set[str]]:
        """Names of series by worker."""
        found: dict[str, set[str]] = {}
        for name, labels in self._values:
            if "worker" in dict(labels):
                found.setdefault(dict(labels)["worker"], set()).add(name)
        return found


def scrape(client: redis.Redis) -> Told:
    return Told(metrics_text(FleetView(client, ["musinsa"]), lambda: alerts_of_the_hour(client))[0])


def test_a_worker_is_told_in_base_units(redis_client: redis.Redis) -> None:
    """Bytes, seconds and shares, whatever it publishes them in."""
    publish(redis_client, BUSY)
    told = scrape(redis_client)
    expected = {
        "pagemill_worker_up": 1,
        "pagemill_worker_places_taken": 2,
        "pagemill_worker_places": 4,
        "pagemill_worker_lanes_busy": 2,
        "pagemill_worker_lanes_admitted": 4,
        "pagemill_worker_leases_total": 70,
        "pagemill_worker_cleanings_total": 3,
        "pagemill_worker_busy": 1,
        "pagemill_worker_draining": 0,
        "pagemill_worker_pressure_level": 3,
        "pagemill_worker_start_timestamp_seconds": STARTED_AT.timestamp(),
        "pagemill_worker_cpu_ratio": 0.25,
        "pagemill_worker_memory_ratio": 0.3,
        "pagemill_worker_container_memory_ratio": 0.4,
        "pagemill_worker_machine_memory_ratio": 0.55,
        "pagemill_worker_shm_ratio": 0.86,
        "pagemill_worker_memory_peak_bytes": 120 * MIB,
        "pagemill_worker_js_heap_limit_bytes": 512 * MIB,
        "pagemill_worker_js_heap_largest_bytes": 8 * MIB,
        "pagemill_worker_loop_lag_seconds": 0.25,
        "pagemill_worker_gc_longest_pause_seconds": 0.012,
        "memory_max_memory_mb": 1000,
    }
    assert {name: told.value(name, worker="w1") for name in expected} == pytest.approx(expected)
    assert told.value("pagemill_worker_memory_bytes", worker="w1", role="renderers") == 160 * MIB
    assert told.value("pagemill_worker_pressure_reason", worker="w1", reason="shm") == 1
    assert told.value("pagemill_worker_cache_entries", worker="w1", cache="pages") == 12
    assert told.value("pagemill_worker_oom_kills_total", worker="w1", host="machine") == 1
    assert told.value("pagemill_redis_up") == 1


def test_the_memory_figures_are_each_workers_own(redis_client: redis.Redis) -> None:
    """With the meanings that `memory_figures` gives them; pauses are a distribution."""
    publish(redis_client, BUSY)
    told = scrape(redis_client)
    expected = {
        "memory_alloc_bytes": 70 * MIB,
        "memory_total_alloc_bytes": 500 * MIB,
        "memory_sys_bytes": 300 * MIB,
        "memory_heap_alloc_bytes": 20 * MIB,
        "memory_heap_sys_bytes": 160 * MIB,
        "memory_heap_idle_bytes": 140 * MIB,
        "memory_heap_inuse_bytes": 20 * MIB,
        "memory_heap_objects": 200_000,
        "memory_gc_pause_ns_sum": 500_000_000,
        "memory_gc_pause_ns_count": 50,
        "memory_gc_count_total": 50,
        "memory_gc_cpu_fraction": 0.03,
    }
    assert {name: told.value(name, worker="w1") for name in expected} == expected
    assert told.types["memory_gc_pause_ns"] == "histogram"


def test_pauses_of_the_collector_are_a_cumulative_histogram(redis_client: redis.Redis) -> None:
    """In nanoseconds, as the name says; a worker of 0.1 tells its pauses' sum and not their lengths, so it has none."""
    publish(redis_client, BUSY)
    publish(redis_client, replace(BUSY, name="w2", collector=CollectorStats((40, 8, 2), pause_s=0.5)))
    told = scrape(redis_client)
    name = "memory_gc_pause_ns"
    bounds = ("100000.0", "250000.0", "1e+06", "1e+07", "2.5e+07", "1e+09", "+Inf")
    found = [told.value(f"{name}_bucket", worker="w1", le=bound) for bound in bounds]
    assert found == [30, 38, 43, 49, 50, 50, 50]
    assert (told.value(f"{name}_sum", worker="w1"), told.value(f"{name}_count", worker="w1")) == (5e8, 50)
    assert told.value(f"{name}_count", worker="w2") is None
    assert told.value("memory_gc_count_total", worker="w2") == 50


def test_of_a_worker_that_does_not_sum_up_its_rises_the_highest_memory_counts(redis_client: redis.Redis) -> None:
    """One of 0.1: it has allocated that much at least."""
    publish(redis_client, replace(BUSY, allocated_mb=0.0))
    assert scrape(redis_client).value("memory_total_alloc_bytes", worker="w1") == 120 * MIB


def test_times_of_products_are_a_cumulative_histogram(redis_client: redis.Redis) -> None:
    """A bucket holds all that took no longer; a spared product has no time."""
    publish(redis_client, BUSY)
    told = scrape(redis_client)
    place = {"worker": "w1", "platform": "musinsa"}
    name = "pagemill_item_seconds"
    found = [told.value(f"{name}_bucket", le=bound, **place) for bound in ("0.05", "0.1", "0.5", "60.0", "+Inf")]
    assert found == [0, 1, 3, 3, 6]
    assert told.value(f"{name}_count", **place) == 6
    assert told.value(f"{name}_sum", **place) == 42.5
    assert told.types[name] == "histogram"


def test_how_late_turns_are_is_a_cumulative_histogram(redis_client: redis.Redis) -> None:
    """With bounds of milliseconds: a turn should not be late by more than a few."""
    publish(redis_client, BUSY)
    told = scrape(redis_client)
    place = {"worker": "w1", "platform": "musinsa"}
    name = "pagemill_turn_late_seconds"
    found = [told.value(f"{name}_bucket", le=bound, **place) for bound in ("0.005", "0.01", "0.025", "30.0", "+Inf")]
    assert found == [4, 4, 5, 5, 7]
    assert (told.value(f"{name}_count", **place), told.value(f"{name}_sum", **place)) == (7, 1.5)
    assert told.types[name] == "histogram"


def test_products_are_counted_by_verdict(redis_client: redis.Redis) -> None:
    """Also those verdicts that did not occur: a count that begins above 0 would look as if it had never risen."""
    publish(redis_client, BUSY)
    told = scrape(redis_client)
    place = {"worker": "w1", "platform": "musinsa"}
    verdicts = ("ok", "changed", "sold_out", "off_sale", "gone", "blocked", "failed")
    found = {verdict: told.value("pagemill_products_total", verdict=verdict, **place) for verdict in verdicts}
    assert found == {"ok": 5, "changed": 0, "sold_out": 0, "off_sale": 0, "gone": 0, "blocked": 0, "failed": 2}
    assert told.value("pagemill_attempts_total", **place) == 9
    assert told.value("pagemill_products_spared_total", **place) == 1
    assert told.value("pagemill_wait_seconds_total", **place) == 8.0


def test_rotations_are_counted_by_level_and_reason(redis_client: redis.Redis) -> None:
    """The usual ones from 0 on, others when they occur."""
    publish(redis_client, BUSY)
    told = scrape(redis_client)
    name = "pagemill_worker_rotations_total"
    assert told.value(name, worker="w1", level="page", reason="uses") == 6
    assert told.value(name, worker="w1", level="context", reason="errors") == 1
    assert told.value(name, worker="w1", level="page", reason="failed") == 2
    assert told.value(name, worker="w1", level="driver", reason="age") == 0


def test_a_worker_without_a_measurement_tells_none(redis_client: redis.Redis) -> None:
    """Zeros would be lies."""
    publish(redis_client, IDLE)
    names = scrape(redis_client).workers()["w1"]
    assert {"pagemill_worker_up", "pagemill_worker_lanes_admitted"} <= names
    assert not {name for name in names if name.startswith("memory_")}
    assert "pagemill_worker_shm_ratio" not in names


def test_of_a_dead_worker_only_its_silence_is_told(redis_client: redis.Redis) -> None:
    """What it counted last would look as if it were true still."""
    publish(redis_client, BUSY)
    publish(redis_client, replace(BUSY, name="w2"))
    redis_client.expire(PREFIX + "w2", KEPT_S - 90)
    told = scrape(redis_client)
    assert told.value("pagemill_worker_up", worker="w1") == 1
    assert told.value("pagemill_worker_up", worker="w2") == 0
    assert told.value("pagemill_worker_silent_seconds", worker="w2") == pytest.approx(90, abs=2)
    assert told.workers()["w2"] == {"pagemill_worker_up", "pagemill_worker_silent_seconds"}


def test_queues_and_pauses_are_told_without_any_worker(redis_client: redis.Redis) -> None:
    """Batches that nobody takes are what an alert is for."""
    open_queue(redis_client, "musinsa").enqueue("pagemill.worker.job.run_batch", {})
    seconds, _ = redis_client.time()
    until_us = str((seconds + 60) * 1_000_000)
    redis_client.hset(KEY_PREFIX + "musinsa", mapping={"pause_us": until_us, "pause_why": "429", "slow": "0.5"})
    told = scrape(redis_client)
    assert told.value("pagemill_queue_batches", platform="musinsa", state="waiting") == 1
    assert told.value("pagemill_queue_batches", platform="musinsa", state="failed") == 0
    assert told.value("pagemill_platform_paused_seconds", platform="musinsa") == pytest.approx(60, abs=2)
    assert told.value("pagemill_platform_breaker_open_seconds", platform="musinsa") == 0
    assert told.value("pagemill_platform_wait_stretch_ratio", platform="musinsa") == 1.5
    assert told.workers() == {}


def test_alerts_of_the_last_hour_are_counted(redis_client: redis.Redis) -> None:
    """By Redis' clock; older ones are no news."""
    long_ago_ms = (redis_client.time()[0] - 3700) * 1000
    desk = AlertDesk(redis_client, AlertSettings(cooldown_minutes=0), "w1", channels=())
    old = encode(Alert("memory", "critical", "Full.", "w1", STARTED_AT, kind="critical"))
    redis_client.xadd(STREAM, {FIELD: old}, id=f"{long_ago_ms}-0")
    for scope in ("a", "b"):
        desk.raise_alert("leak", "warning", "Rises.", scope=scope)
    told = scrape(redis_client)
    alerts = "pagemill_alerts_last_hour"
    assert told.value(alerts, name="leak", level="warning", kind="predictive") == 2
    assert told.value(alerts, name="memory", level="critical", kind="critical") is None


def test_a_history_that_cannot_be_read_is_no_reason_to_say_that_redis_is_away(redis_client: redis.Redis) -> None:
    """It was a list once, and stays one until the next alert."""
    redis_client.lpush(STREAM, "old")
    assert scrape(redis_client).value("pagemill_redis_up") == 1


@pytest.mark.usefixtures("redis_server")  # without which there is no server to start here either
def test_without_redis_that_is_what_is_told(tmp_path: Path) -> None:
    """And nothing that is not known: an old picture would look as if the fleet were well."""
    clock = [100.0]
    server = EmbeddedServer(tmp_path / "redis")
    server.open()
    try:
        with redis.Redis.from_url(f"unix://{server.socket_path}", socket_timeout=2) as client:
            publish(client, BUSY)
            view = FleetView(client, ["musinsa"], now_s=lambda: clock[0])
            assert Told(metrics_text(view)[0]).value("pagemill_redis_up") == 1
            server.close()
            clock[0] += 10
            told = Told(metrics_text(view, lambda: alerts_of_the_hour(client))[0])
    finally:
        server.close()
    assert told.value("pagemill_redis_up") == 0
    assert told.names() == {"pagemill_redis_up", "pagemill_info"}


def test_alerts_that_cannot_be_read_mean_that_redis_is_away(redis_client: redis.Redis) -> None:
    """It may go away between two questions."""
    publish(redis_client, BUSY)

    def gone() -> list[Alert]:
        raise RedisUnavailable("gone")

    told = Told(metrics_text(FleetView(redis_client, ["musinsa"]), gone)[0])
    assert told.value("pagemill_redis_up") == 0
    assert told.workers() == {}


def test_openmetrics_is_written_for_who_asks(redis_client: redis.Redis) -> None:
    """As a Prometheus does by default; its strict reader finds the same series."""
    publish(redis_client, BUSY)
    view = FleetView(redis_client, ["musinsa"])
    plain, plain_type = metrics_text(view)
    body, content_type = metrics_text(view, accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert plain_type.startswith("text/plain; version=0.0.4")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics.text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    assert {sample.name for family in families for sample in family.samples} == Told(plain).names()
