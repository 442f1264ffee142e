"""Who may do what over HTTP, and what is answered while Redis is away, on a real server."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from pagemill.broker.embedded import EmbeddedServer
from pagemill.control_room.api.server import listen
from pagemill.errors import UsageError
from pagemill.fleet.snapshot import publish
from tests.redis.control_room.api_world import World, a_worker, api_running

pytestmark = pytest.mark.redis

READS = [
    "/memory/status",
    "/memory/stats",
    "/memory/history?hours=6",
    "/memory/config",
    "/api/v1/memory/stats",
    "/api/performance/metrics/current",
    "/api/performance/metrics/history?period=hourly",
    "/api/performance/dashboard",
    "/api/performance/cache",
    "/api/performance/memory",
    "/api/performance/response-time",
    "/api/performance/report",
    "/api/performance/alerts",
    "/api/performance/events",
]
CHANGES = [
    ("POST", "/memory/config", {"cleanup_threshold": 60.0}),
    ("POST", "/memory/cleanup", None),
    ("POST", "/memory/cleanup/background", None),
    ("POST", "/api/v1/memory/gc", None),
    ("PUT", "/api/performance/thresholds", {"thresholds": {"errorRate": {"warning": 0.1, "critical": 0.2}}}),
    ("POST", "/api/performance/optimize", {"type": "all"}),
    ("POST", "/api/performance/platforms/musinsa/pause", {"minutes": 5}),
    ("POST", "/api/performance/platforms/musinsa/resume", None),
    ("POST", "/api/v2/system/restart-all", None),
    ("POST", "/api/v1/runs", {"platform": "ably", "products": [{"id": "1", "url": "https://www.ably.test/1"}]}),
]


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API that asks for tokens."""
    publish(redis_client, a_worker())
    with api_running(redis_server, tmp_path) as world:
        yield world


def test_reading_needs_a_token(world: World) -> None:
    """Any role's."""
    assert {world.nobody.get(path).status for path in READS} == {401}
    assert {path: world.planner.get(path).status for path in READS} == dict.fromkeys(READS, 200)


def test_changing_needs_an_admin(world: World) -> None:
    """A planner is told so; nobody's request changes anything."""
    for method, path, body in CHANGES:
        assert world.nobody.ask(method, path, body).status == 401, path
        assert world.planner.ask(method, path, body).status == 403, path


def test_without_a_secret_loopback_may_do_all(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """But not under a stranger's name."""
    publish(redis_client, a_worker())
    with api_running(redis_server, tmp_path, secret="") as world:
        assert world.nobody.get("/memory/status").status == 200
        assert world.nobody.post("/api/performance/platforms/musinsa/resume").status == 200
        assert world.nobody.get("/memory/status", Host="shop.example").status == 421


def test_a_port_that_is_taken_is_told() -> None:
    """With what can be done about it."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(UsageError, match=r"end the process that has it.* --port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_another_machine_is_told() -> None:
    """Another port would not help."""
    with pytest.raises(UsageError, match="name an address of this machine with --host"):
        listen("192.0.2.1", 8003)


def test_while_redis_is_frozen_every_answer_is_503(tmp_path: Path) -> None:
    """In the envelope and within seconds, however many ask at once; afterwards all is as before."""
    server = EmbeddedServer(tmp_path / "redis")
    server.open()
    url = f"unix://{server.socket_path}"
    try:
        with redis.Redis.from_url(url) as client:
            publish(client, a_worker())
            pid = int(client.info("server")["process_id"])
        with api_running(url, tmp_path) as world:
            assert world.planner.get("/memory/status").status == 200
            os.kill(pid, signal.SIGSTOP)
            try:
                _ask_all(world)
            finally:
                os.kill(pid, signal.SIGCONT)
            for _ in range(100):
                reply = world.planner.get("/memory/status")
                if reply.status == 200:
                    break
                threading.Event().wait(0.05)
            assert reply.status == 200
    finally:
        server.close()


def _ask_all(world: World) -> None:
    threading.Event().wait(1.1)  # what was just read is good for a second
    found: dict[str, int] = {}

    def ask(path: str) -> None:
        reply = world.planner.get(path)
        assert reply.json["success"] is False
        assert reply.json["error"]["code"] == "service_unavailable"
        found[path] = reply.status

    paths = [path for path in READS if "history" not in path or "period" in path]
    threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert found == dict.fromkeys(paths, 503)
    for method, path, body in CHANGES:
        if "background" not in path:
            assert world.admin.ask(method, path, body).status == 503, path
    health = world.nobody.get("/health")
    assert (health.status, health.json["services"]["redis"]) == (503, "down")
    metrics = world.planner.get("/metrics")
    assert (metrics.status, "pagemill_redis_up 0.0" in metrics.text) == (200, True)
