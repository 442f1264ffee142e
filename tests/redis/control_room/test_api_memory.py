"""`/memory`, `/api/v1/memory` and `/health` over HTTP, with the curls of the guides that they come from."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from pagemill.fleet.overrides import read_overrides
from pagemill.fleet.snapshot import publish
from tests.redis.control_room.api_world import World, a_worker, api_running, workers_listening, write_history

pytestmark = pytest.mark.redis

CLEANED = {"collected": 42, "cache_entries": 30, "freed_mb": 15.2, "seconds": 0.2}


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API with two workers that are well."""
    for name in ("w1", "w2"):
        publish(redis_client, a_worker(name))
    with api_running(redis_server, tmp_path) as world:
        yield world


def test_status_tells_how_memory_is(world: World) -> None:
    """For the whole fleet: sizes are sums."""
    body = world.planner.get("/memory/status").json
    assert set(body) == {"status", "message", "memory_percent", "process_memory_mb", "cache_size", "timestamp"}
    assert (body["status"], body["memory_percent"], body["process_memory_mb"]) == ("healthy", 40.0, 800.0)
    assert body["cache_size"] == 300
    assert body["message"] == "Memory is fine (40.0%)"


def test_the_worst_worker_decides(world: World, redis_client: redis.Redis) -> None:
    """By the marks of its guard, or by what its guard has judged."""
    worker = a_worker("w2")
    assert worker.sample is not None
    publish(redis_client, replace(worker, sample=replace(worker.sample, memory_percent=72.0)))
    publish(redis_client, a_worker("w3", pressure="critical", pressure_reason="shm"))
    body = world.planner.get("/memory/status").json
    assert (body["status"], body["memory_percent"]) == ("critical", 72.0)
    assert "w3" in body["message"]
    assert "shm" in body["message"]
    assert world.planner.get("/memory/status?worker=w2").json["status"] == "warning"
    assert world.planner.get("/memory/status?worker=w1").json["status"] == "healthy"


def test_a_worker_that_is_not_known(world: World) -> None:
    """Names those that are."""
    reply = world.planner.get("/memory/status?worker=w9")
    assert reply.status == 404
    assert reply.json["error"]["message"].endswith("w1, w2")


def test_stats_have_the_fields_of_the_guide(world: World, redis_client: redis.Redis) -> None:
    """The limits are the fullest worker's."""
    write_history(redis_client)
    body = world.planner.get("/memory/stats").json
    asked = {"current", "trend", "history_size", "optimization_count", "cache_size", "is_running"}
    assert set(body) == asked | {"fullest", "fleet", "processes"}
    current = body["current"]
    assert set(current) == {
        "timestamp",
        "total_memory_mb",
        "available_memory_mb",
        "used_memory_mb",
        "memory_percent",
        "process_memory_mb",
        "process_memory_percent",
        "swap_memory_mb",
        "swap_percent",
        "gc_collections",
        "cache_size",
    }
    assert (current["total_memory_mb"], current["used_memory_mb"], current["available_memory_mb"]) == (1000, 400, 600)
    assert current["process_memory_percent"] == 40.0
    assert current["gc_collections"] == {"0": 200, "1": 20, "2": 2}
    assert set(body["trend"]) == {"trend", "avg_usage", "peak_usage", "sample_count"}
    assert body["trend"]["trend"] == "stable"
    assert body["trend"]["sample_count"] > 0
    assert (body["optimization_count"], body["is_running"]) == (10, True)
    assert 0 < body["history_size"] <= 288


def test_one_workers_place_and_the_fleets_sum_are_told_apart(world: World, redis_client: redis.Redis) -> None:
    """`fullest` is one worker where its memory is shortest, here the whole machine; `fleet` is all of them together."""
    worker = a_worker("w2", host="elsewhere")
    assert worker.sample is not None
    full = replace(worker.sample, machine_percent=90.0, machine_mb=16000.0, swap_mb=50.0)
    publish(redis_client, replace(worker, sample=full))
    body = world.planner.get("/memory/stats").json
    assert body["fullest"] == {
        "worker": "w2",
        "host": "elsewhere",
        "place": "machine",
        "total_memory_mb": 16000,
        "used_memory_mb": 14400,
        "available_memory_mb": 1600,
        "memory_percent": 90,
        "process_memory_mb": 400,
        "process_memory_percent": 2.5,
        "swap_memory_mb": 50,
    }
    assert body["fleet"] == {
        "workers": 2,
        "total_memory_mb": 2000,
        "process_memory_mb": 800,
        "process_memory_percent": 40,
        "swap_memory_mb": 50,
        "swap_percent": 5.9,
        "gc_collections": {"0": 200, "1": 20, "2": 2},
        "cache_size": 300,
    }
    keys_of_one = ("total_memory_mb", "used_memory_mb", "available_memory_mb", "memory_percent")
    keys_of_all = ("process_memory_mb", "process_memory_percent", "swap_memory_mb", "swap_percent", "gc_collections")
    current = body["current"]
    assert {key: current[key] for key in keys_of_one} == {key: body["fullest"][key] for key in keys_of_one}
    assert {key: current[key] for key in keys_of_all} == {key: body["fleet"][key] for key in keys_of_all}


@pytest.mark.parametrize(
    ("changes", "place", "total_mb", "used_mb"),
    [
        ({}, "limit", 1000, 400),
        ({"cgroup_percent": 50.0, "cgroup_limit_mb": 4096.0}, "container", 4096, 2048),
        ({"cgroup_percent": 50.0}, "container", 1000, 500),
    ],
)
def test_the_place_is_where_memory_is_shortest(
    world: World, redis_client: redis.Redis, changes: Mapping[str, Any], place: str, total_mb: float, used_mb: float
) -> None:
    """The worker's own limit, its container or its machine. A worker of 0.1 does not say how large the last two are."""
    worker = a_worker("w1")
    assert worker.sample is not None
    publish(redis_client, replace(worker, sample=replace(worker.sample, **changes)))
    body = world.planner.get("/memory/stats?worker=w1").json
    fullest = body["fullest"]
    assert (fullest["worker"], fullest["place"]) == ("w1", place)
    assert (fullest["total_memory_mb"], fullest["used_memory_mb"]) == (total_mb, used_mb)
    assert body["fleet"]["workers"] == 1


def test_without_a_worker_there_is_no_fullest_one(world: World, redis_client: redis.Redis) -> None:
    """And the sums are zero."""
    redis_client.delete("pagemill:worker:w1", "pagemill:worker:w2")
    body = world.planner.get("/memory/stats").json
    assert (body["fullest"], body["fleet"]["workers"], body["is_running"]) == (None, 0, False)


def test_history_over_some_hours(world: World, redis_client: redis.Redis) -> None:
    """The oldest first, and never more points than are kept."""
    write_history(redis_client)
    body = world.planner.get("/memory/history?hours=6").json
    assert body["hours"] == 6
    assert body["count"] == len(body["history"]) > 0
    moments = [entry["timestamp"] for entry in body["history"]]
    assert moments == sorted(moments)
    assert world.planner.get("/memory/history?hours=0").status == 422
    assert world.planner.get("/memory/history?hours=nan").status == 422


def test_config_has_the_names_of_the_guide(world: World) -> None:
    """With its defaults, but for the interval, which is shorter here."""
    body = world.planner.get("/memory/config").json
    assert body["warning_threshold"] == 70.0
    assert body["cleanup_threshold"] == 80.0
    assert body["critical_threshold"] == 85.0
    assert (body["max_cache_size"], body["cache_cleanup_ratio"], body["max_history_size"]) == (1000, 0.3, 288)
    assert (body["enable_alerts"], body["alert_cooldown_minutes"]) == (True, 15)
    assert (body["monitoring_interval_seconds"], body["cleanup_interval_seconds"]) == (5, 300)
    assert body["gc_interval_seconds"] == 300


def test_config_is_changed_for_the_fleet(world: World, redis_client: redis.Redis) -> None:
    """The guide's own call: stored, and told to the workers."""
    asked = {
        "monitoring_interval_seconds": 30,
        "cleanup_interval_seconds": 180,
        "warning_threshold": 75.0,
        "critical_threshold": 90.0,
        "cleanup_threshold": 85.0,
        "max_cache_size": 2000,
        "enable_alerts": True,
    }
    with workers_listening(redis_client, {"w1": {"configure": lambda: {"version": 1}}, "w2": {}}):
        reply = world.admin.post("/memory/config", asked)
    assert reply.status == 200
    assert asked.items() <= reply.json["config"].items()
    assert reply.json["acknowledged"] == ["w1"]
    assert "no order" in reply.json["outstanding"]["w2"]
    assert read_overrides(redis_client).guard["cleanup_percent"] == 85.0
    assert asked.items() <= world.planner.get("/memory/config").json.items()


def test_the_least_interval_of_collections_is_changed_too(world: World, redis_client: redis.Redis) -> None:
    """Beside what the guide names."""
    redis_client.delete("pagemill:worker:w1", "pagemill:worker:w2")
    assert world.admin.post("/memory/config", {"gc_interval_seconds": 60}).json["config"]["gc_interval_seconds"] == 60
    assert read_overrides(redis_client).guard == {"gc_interval_s": 60}
    assert world.admin.post("/memory/config", {"gc_interval_seconds": 0}).status == 422


def test_a_lower_mark_makes_others_give_way(world: World, redis_client: redis.Redis) -> None:
    """The guide lowers the clean-up alone to 60, below the default warning."""
    redis_client.delete("pagemill:worker:w1", "pagemill:worker:w2")
    reply = world.admin.post("/memory/config", {"cleanup_threshold": 60.0})
    assert reply.status == 200
    assert reply.json["adjusted"] == {"warning_threshold": 50.0, "recover_threshold": 40.0}
    assert reply.json["config"]["cleanup_threshold"] == 60.0


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"warning_threshold": 90.0, "cleanup_threshold": 80.0}, "body.cleanup_threshold"),
        ({"warning_threshold": 101}, "body.warning_threshold"),
        ({"warning_treshold": 60}, "body.warning_treshold"),
        ({"cache_cleanup_ratio": 0}, "body.cache_cleanup_ratio"),
        ({"enable_alerts": "yes"}, "body.enable_alerts"),
        ({}, "body"),
    ],
)
def test_an_impossible_change_names_the_field(
    world: World, redis_client: redis.Redis, asked: Mapping[str, Any], named: str
) -> None:
    """And changes nothing."""
    reply = world.admin.post("/memory/config", asked)
    assert reply.status == 422
    assert named in reply.json["error"]["message"]
    assert read_overrides(redis_client).version == 0


def test_cleanup_sums_up(world: World, redis_client: redis.Redis) -> None:
    """What every worker has freed."""
    known = {"cleanup": lambda: CLEANED}
    with workers_listening(redis_client, {"w1": known, "w2": known}):
        body = world.admin.post("/memory/cleanup").json
        one = world.admin.post("/memory/cleanup?worker=w2").json
    assert set(body) == {
        "success",
        "optimization_time",
        "gc_collected",
        "cache_cleaned",
        "memory_freed_mb",
        "message",
    }
    assert (body["success"], body["gc_collected"], body["cache_cleaned"], body["memory_freed_mb"]) == (
        True,
        84,
        60,
        30.4,
    )
    assert one["gc_collected"] == 42


def test_cleanup_without_a_worker(world: World, redis_client: redis.Redis) -> None:
    """Says so, and that nothing was done."""
    redis_client.delete("pagemill:worker:w1", "pagemill:worker:w2")
    reply = world.admin.post("/memory/cleanup")
    assert (reply.status, reply.json["success"]) == (503, False)
    assert "No worker is alive" in reply.json["message"]


def test_background_cleanup_answers_at_once(world: World, redis_client: redis.Redis) -> None:
    """One at a time; what came of it is told later."""
    go = threading.Event()

    def clean() -> Mapping[str, float]:
        assert go.wait(10)
        return CLEANED

    assert world.planner.get("/memory/cleanup/background").status == 404
    with workers_listening(redis_client, {"w1": {"cleanup": clean}, "w2": {"cleanup": clean}}):
        reply = world.admin.post("/memory/cleanup/background")
        assert reply.status == 202
        assert reply.json["task_id"]
        assert world.admin.post("/memory/cleanup/background").status == 409
        assert world.planner.get("/memory/cleanup/background").json["state"] == "running"
        go.set()
        for _ in range(200):
            body = world.planner.get("/memory/cleanup/background").json
            if body["state"] != "running":
                break
    assert (body["state"], body["task_id"]) == ("done", reply.json["task_id"])
    assert body["result"]["gc_collected"] == 84


def test_figures_of_a_go_program(world: World) -> None:
    """Exactly the fields of the guide, with the meanings of `memory_figures`."""
    body = world.planner.get("/api/v1/memory/stats").json
    assert set(body) == {"memory"}
    memory = body["memory"]
    mib = 1024 * 1024
    assert memory == {
        "alloc_bytes": 340 * mib,
        "total_alloc_bytes": 2900 * mib,
        "sys_bytes": 800 * mib,
        "heap_alloc_bytes": 180 * mib,
        "heap_sys_bytes": 480 * mib,
        "heap_idle_bytes": 300 * mib,
        "heap_inuse_bytes": 180 * mib,
        "heap_objects": 1_000_000,
        "gc_count": 222,
        "gc_cpu_fraction": 0.015,
        "usage_percent": 40.0,
        "max_memory_mb": 2000.0,
        "high_water_mark": 80.0,
        "low_water_mark": 60.0,
        "alert_threshold": 85.0,
    }


def test_a_collection_is_asked_for(world: World, redis_client: redis.Redis) -> None:
    """503 when nobody does it."""
    with workers_listening(redis_client, {"w1": {"collect": lambda: {"collected": 3}}, "w2": {}}):
        reply = world.admin.post("/api/v1/memory/gc")
    assert (reply.status, reply.json) == (200, {"message": "Garbage collection completed"})
    redis_client.delete("pagemill:worker:w1", "pagemill:worker:w2")
    assert world.admin.post("/api/v1/memory/gc").status == 503


def test_health_needs_no_token(world: World, redis_client: redis.Redis) -> None:
    """503 only when something is critical."""
    reply = world.nobody.get("/health")
    assert reply.status == 200
    assert set(reply.json) == {"status", "time", "services"}
    assert reply.json["status"] == "ok"
    assert reply.json["services"] == {"database": "ok", "redis": "ok", "memory": "ok"}
    publish(redis_client, a_worker("w3", pressure="emergency"))
    for _ in range(100):  # the picture is a second old at most
        reply = world.nobody.get("/health")
        if reply.status != 200:
            break
        threading.Event().wait(0.05)
    assert (reply.status, reply.json["status"], reply.json["services"]["memory"]) == (503, "critical", "critical")
