"""`/api/performance` over HTTP, with the requests of the guide that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from pagemill.alerting.alert_desk import AlertDesk
from pagemill.config.alert_metrics import METRICS
from pagemill.config.settings import AlertSettings
from pagemill.fleet.event_log import write_events
from pagemill.fleet.overrides import read_overrides
from pagemill.fleet.snapshot import publish
from pagemill.pacing.pace_state import read_paces
from pagemill.telemetry.event_buffer import BufferedEvent
from tests.redis.control_room.api_world import World, a_worker, api_running, workers_listening, write_history

pytestmark = pytest.mark.redis

THRESHOLDS = {
    "responseTime": {"warning": 1000, "critical": 5000},
    "memoryUsage": {"warning": 0.8, "critical": 0.9},
    "cpuUsage": {"warning": 0.7, "critical": 0.9},
    "eventLoopDelay": {"warning": 10, "critical": 50},
    "errorRate": {"warning": 0.05, "critical": 0.1},
}


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API with two workers that are well, one of which has a past."""
    for name in ("w1", "w2"):
        publish(redis_client, a_worker(name))
    write_history(redis_client)
    with api_running(redis_server, tmp_path) as world:
        yield world


def test_health_needs_no_token(world: World, redis_client: redis.Redis) -> None:
    """503 when it is critical, with the same figures."""
    data = world.nobody.get("/api/performance/health").data
    assert set(data) == {"status", "timestamp", "uptime", "memory"}
    assert data["status"] == "healthy"
    assert abs(data["uptime"] - 7200) < 60
    assert data["memory"] == {"used": 800, "total": 2000, "usage": 40.0}


def test_a_critical_fleet_is_503(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """So that a load balancer sees it."""
    publish(redis_client, a_worker("w1", pressure="critical"))
    with api_running(redis_server, tmp_path) as world:
        reply = world.nobody.get("/api/performance/health")
    assert (reply.status, reply.json["success"], reply.json["data"]["status"]) == (503, False, "critical")


def test_current_metrics_have_the_fields_of_the_guide(world: World) -> None:
    """With meanings for a fleet of workers with browsers."""
    data = world.planner.get("/api/performance/metrics/current").data
    mib = 1024 * 1024
    assert data.pop("timestamp")
    assert abs(data.pop("uptime") - 7200) < 60
    assert data.pop("requestsPerSecond") > 0
    assert data.pop("errorRate") == pytest.approx(1 / 110, abs=1e-4)
    assert data == {
        "cpuUsage": {"user": 50_000_000, "system": 17_000_000},
        "memoryUsage": {
            "rss": 800 * mib,
            "heapTotal": 480 * mib,
            "heapUsed": 180 * mib,
            "external": 160 * mib,
            "arrayBuffers": 0,
        },
        "eventLoopDelay": 4.0,
        "activeHandles": 100,
        "activeRequests": 6,
    }
    assert world.planner.get("/api/performance/metrics/current?worker=w2").data["activeHandles"] == 50


@pytest.mark.parametrize("period", ["hourly", "daily", "weekly"])
def test_history_of_a_period(world: World, period: str) -> None:
    """Points by time; of a worker that never was there are none."""
    data = world.planner.get(f"/api/performance/metrics/history?period={period}").data
    assert {"name": "loop_lag_ms", "meaning": METRICS["loop_lag_ms"].text, "unit": "ms"} in data["measures"]
    assert data["points"][-1]["measures"]["loop_lag_ms"] == data["points"][-1]["eventLoopDelay"] == 5
    assert data["period"] == period
    assert data["points"]
    assert data["points"][-1]["memoryByRoleMb"]["renderers"] > 240
    assert world.planner.get("/api/performance/metrics/history?worker=w9").status == 404


def test_history_is_hourly_by_default(world: World) -> None:
    """And only knows the three periods."""
    assert world.planner.get("/api/performance/metrics/history").data["period"] == "hourly"
    assert world.planner.get("/api/performance/metrics/history?period=yearly").status == 422


def test_dashboard_has_everything(world: World, redis_client: redis.Redis) -> None:
    """What the guide names, and beyond it workers, platforms and events."""
    AlertDesk(redis_client, AlertSettings(), "w1").raise_alert("leak", "warning", "w1 grows")
    told = [
        BufferedEvent("Browser Rotation", "info", "2026-11-21T00:00:00Z", {"uses": 1000}),
        BufferedEvent("Settings Changed", "info", "2026-11-21T00:00:01Z", {}),
    ]
    write_events(redis_client, "w1", told)
    reply = world.planner.get("/api/performance/dashboard")
    data = reply.data
    assert {"current", "history", "alerts", "status", "trends", "recommendations"} <= set(data)
    assert set(data["history"]) == {"hourly", "daily", "weekly"}
    assert all(data["history"].values())
    assert [alert["message"] for alert in data["alerts"]] == ["w1 grows"]
    assert data["status"] == "healthy"
    assert set(data["trends"]) == {"memoryTrend", "memoryChange"}
    assert data["recommendations"] == ["All is well: memory is stable and nothing runs short."]
    first = data["workers"][0]
    assert (first["name"], first["lanes"], first["lanesAllowed"], first["alive"]) == ("w1", 3, 4, True)
    assert first["atWork"] == {
        "run": "run-1",
        "batch": "batch-1",
        "platform": "musinsa",
        "done": 10,
        "products": 50,
    }
    ably, musinsa = data["platforms"]
    assert (ably["name"], ably["products"], ably["workers"]) == ("ably", 0, 0)
    assert musinsa["verdicts"] == {"changed": 16, "failed": 4, "ok": 180}
    assert (musinsa["spared"], musinsa["waitSeconds"], musinsa["responseTime"]) == (20, 25.0, 500.0)
    assert [event["event"] for event in data["events"]] == ["Browser Rotation"]
    assert len(reply.text) < 50_000
    assert world.planner.get("/api/performance/dashboard?history=false").data["history"] is None


def test_events_and_alerts_by_themselves(world: World, redis_client: redis.Redis) -> None:
    """As many as are asked for, the newest first."""
    desk = AlertDesk(redis_client, AlertSettings(), "w1")
    for name in ("first", "second"):
        desk.raise_alert(name, "critical", f"{name} happened")
    found = world.planner.get("/api/performance/alerts?count=1").data["alerts"]
    assert [(alert["name"], alert["kind"]) for alert in found] == [("second", "critical")]
    write_events(redis_client, "w1", [BufferedEvent("Driver Rotation", "info", "2026-11-21T00:00:00Z", {"uses": 5000})])
    assert world.planner.get("/api/performance/events").data["events"][0]["facts"] == {"uses": 5000}


def test_caches_memory_and_times(world: World, redis_client: redis.Redis) -> None:
    """Each by itself."""
    redis_client.hset("pagemill:revisits:musinsa", mapping={"hits": 30, "misses": 70})
    cache = world.planner.get("/api/performance/cache").data
    assert (cache["hitRate"], cache["hits"], cache["size"], cache["maxSize"]) == (0.3, 30, 300, 1000)
    assert cache["caches"] == {"visited products": 300}
    memory = world.planner.get("/api/performance/memory").data
    assert memory["byRoleMb"] == {"browser": 120.0, "driver": 0.0, "python": 200.0, "renderers": 480.0}
    assert (memory["status"], memory["gcCount"]) == ("healthy", 222)
    times = world.planner.get("/api/performance/response-time").data
    assert (times["count"], times["average"]) == (180, 500.0)
    assert 100 < times["p50"] <= 500 < times["p95"] <= 1000
    assert set(times["platforms"]) == {"musinsa"}


def test_report_as_json_and_as_a_page(world: World) -> None:
    """Of the last 24 hours without a run; a run that never was is 404."""
    assert world.planner.get("/api/performance/report").data["kind"] == "day"
    page = world.planner.get("/api/performance/report?format=html")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert world.planner.get("/api/performance/report?run=none").status == 404
    assert world.planner.get("/api/performance/report?day=0").status == 422
    assert world.planner.get("/api/performance/report?day=2026-11-20").data["kind"] == "day"
    assert world.planner.get("/api/performance/report?run=none&day=2026-11-20").status == 422
    in_seoul = world.planner.get("/api/performance/report?day=2026-11-20&time_zone=Asia/Seoul").data
    assert (in_seoul["title"], in_seoul["begins_at"]) == ("2026-11-20 (Asia/Seoul)", "2026-11-19T15:00:00Z")
    assert world.planner.get("/api/performance/report?day=2026-11-20&time_zone=Seoul").status == 422
    assert world.planner.get("/api/performance/report?day=0001-01-01").status == 422


def test_thresholds_are_kept_beside_those_before(world: World, redis_client: redis.Redis) -> None:
    """The guide's own request works; a part of it changes that part only."""
    reply = world.admin.put("/api/performance/thresholds", {"thresholds": THRESHOLDS})
    assert reply.data["thresholds"] == THRESHOLDS
    assert reply.data["withoutRule"] == []
    changed = {"errorRate": {"warning": 0.2, "critical": 0.4}}
    assert world.admin.put("/api/performance/thresholds", {"thresholds": changed}).data["thresholds"] == {
        **THRESHOLDS,
        **changed,
    }
    assert read_overrides(redis_client).thresholds["cpuUsage"] == THRESHOLDS["cpuUsage"]
    assert world.planner.get("/api/performance/thresholds").data["thresholds"] == {**THRESHOLDS, **changed}


@pytest.mark.parametrize(
    ("thresholds", "named"),
    [
        ({"errorRate": {"warning": 0.5, "critical": 0.1}}, "errorRate"),
        ({"memoryUsage": {"warning": 80, "critical": 90}}, "memoryUsage"),
        ({"latency": {"warning": 1, "critical": 2}}, "latency"),
        ({}, "thresholds"),
    ],
)
def test_impossible_thresholds_are_refused(
    world: World, redis_client: redis.Redis, thresholds: Mapping[str, Any], named: str
) -> None:
    """With the field in the message, and nothing stored."""
    reply = world.admin.put("/api/performance/thresholds", {"thresholds": thresholds})
    assert reply.status == 422
    assert named in reply.json["error"]["message"]
    assert read_overrides(redis_client).thresholds == {}


@pytest.mark.parametrize("kind", ["all", "cache", "memory", "cleanup"])
def test_optimizing_orders_it(world: World, redis_client: redis.Redis, kind: str) -> None:
    """Each worker is told what to do."""
    asked: list[str] = []

    def optimize(kind: str) -> Mapping[str, object]:
        asked.append(kind)
        return {"collected": 5, "cache_entries": 2, "freed_mb": 1.5}

    with workers_listening(redis_client, {"w1": {"optimize": optimize}, "w2": {}}):
        data = world.admin.post("/api/performance/optimize", {"type": kind}).data
    assert asked == [kind]
    assert (data["type"], data["gcCollected"], data["cacheCleaned"], data["done"]) == (kind, 5, 2, ["w1"])
    assert set(data["failed"]) == {"w2"}


def test_optimizing_something_else(world: World) -> None:
    """Is refused."""
    assert world.admin.post("/api/performance/optimize", {"type": "everything"}).status == 422


def test_a_platform_is_paused_by_hand(world: World, redis_client: redis.Redis) -> None:
    """For the whole fleet, until somebody ends it; who has just looked sees it at once all the same."""
    (_, row) = world.planner.get("/api/performance/dashboard").data["platforms"]
    assert row["pace"]["pausedSeconds"] == 0
    reply = world.admin.post("/api/performance/platforms/musinsa/pause", {"minutes": 30})
    assert reply.data == {"platform": "musinsa", "pausedSeconds": 1800.0, "why": "by hand"}
    (pace,) = read_paces(redis_client, ["musinsa"])
    assert (round(pace.paused_s, -1), pace.why) == (1800, "by hand")
    (_, row) = world.planner.get("/api/performance/dashboard").data["platforms"]
    assert row["pace"]["why"] == "by hand"
    assert world.admin.post("/api/performance/platforms/musinsa/resume").data["pausedSeconds"] == 0
    assert read_paces(redis_client, ["musinsa"])[0].paused_s == 0
    assert world.admin.post("/api/performance/platforms/none/pause", {"minutes": 30}).status == 404
    assert world.admin.post("/api/performance/platforms/musinsa/pause", {"minutes": 0}).status == 422


def test_what_many_ask_for_is_made_once(world: World, redis_client: redis.Redis) -> None:
    """Redis and the database need not be asked for each; the API tells how much was there."""
    paths = ("dashboard?history=false", "events", "alerts", "report", "metrics/history?period=hourly")
    for path in paths:
        world.planner.get(f"/api/performance/{path}")
    before = int(redis_client.info("stats")["total_commands_processed"])
    for _ in range(20):
        for path in paths:
            assert world.planner.get(f"/api/performance/{path}").status == 200
    assert int(redis_client.info("stats")["total_commands_processed"]) - before < 200
    told = world.planner.get("/api/performance/cache").data["api"]
    assert told["hits"] >= 100
    assert told["hitRate"] > 0.8
    text = world.planner.get("/metrics").text
    counted = {
        (sample.labels["cache"], sample.name): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("pagemill_api_cache_")
    }
    assert counted["reports", "pagemill_api_cache_hits_total"] >= 19
    assert counted["reports", "pagemill_api_cache_misses_total"] >= 1
    assert {cache for cache, _ in counted} == {
        "picture",
        "curves",
        "events",
        "alerts",
        "dashboards",
        "reports",
        "metrics",
        "runs",
    }


def test_metrics_for_prometheus(world: World) -> None:
    """With a token; as text."""
    reply = world.planner.get("/metrics")
    assert (reply.status, reply.headers["content-type"].split(";")[0]) == (200, "text/plain")
    assert "memory_alloc_bytes" in reply.text
    assert world.nobody.get("/metrics").status == 401


def test_the_document_has_examples(world: World) -> None:
    """And every path, with what it may answer."""
    document = world.nobody.get("/openapi.json").json
    wanted = {
        "/health": {"get"},
        "/metrics": {"get"},
        "/memory/status": {"get"},
        "/memory/stats": {"get"},
        "/memory/history": {"get"},
        "/memory/config": {"get", "post"},
        "/memory/cleanup": {"post"},
        "/memory/cleanup/background": {"get", "post"},
        "/api/v1/memory/stats": {"get"},
        "/api/v1/memory/gc": {"post"},
        "/api/performance/health": {"get"},
        "/api/performance/metrics/current": {"get"},
        "/api/performance/metrics/history": {"get"},
        "/api/performance/dashboard": {"get"},
        "/api/performance/cache": {"get"},
        "/api/performance/memory": {"get"},
        "/api/performance/response-time": {"get"},
        "/api/performance/report": {"get"},
        "/api/performance/alerts": {"get"},
        "/api/performance/events": {"get"},
        "/api/performance/thresholds": {"get", "put"},
        "/api/performance/optimize": {"post"},
        "/api/performance/platforms/{name}/pause": {"post"},
        "/api/performance/platforms/{name}/resume": {"post"},
        "/api/v2/system/restart-all": {"get", "post"},
    }
    assert {path: set(document["paths"][path]) for path in wanted} == wanted
    assert "examples" in document["components"]["schemas"]["MemoryStatus"]
