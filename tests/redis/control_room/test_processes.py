"""Scheduler, control API and supervisor as they report themselves, in a real Redis."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog.testing import capture_logs

from pagemill.broker.embedded import EmbeddedServer
from pagemill.fleet import process_orders
from pagemill.fleet.orders import give
from pagemill.fleet.processes import API, PREFIX, SCHEDULER, ProcessSnapshot, publish, read_processes, withdraw
from pagemill.fleet.published import ALIVE_S, KEPT_S
from pagemill.fleet.reporter import LOG_S, ProcessReporter
from pagemill.fleet.snapshot import publish as publish_worker
from pagemill.telemetry import events
from tests.redis.control_room.api_world import a_worker, api_running
from tests.unit.cli.command import run

pytestmark = pytest.mark.redis

SNAPSHOT = ProcessSnapshot(
    name="machine-1",
    role=SCHEDULER,
    pid=4711,
    host="machine",
    started_at=datetime(2026, 11, 21, tzinfo=UTC),
    rss_mb=90.5,
    pss_mb=75.0,
    cpu_percent=1.5,
    descriptors=13,
    leads=True,
)


def eventually(condition: Callable[[], object], timeout_s: float = 10) -> None:
    """Waits for it."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.fixture
def brisk(redis_server: str, redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A client that fails within a second, of a server that was emptied."""
    assert redis_client.ping()
    with redis.Redis.from_url(redis_server, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
        yield client


def test_what_is_published_is_read_back(redis_client: redis.Redis) -> None:
    """By role and name; one that ends well takes its entry away. A newer version may say more."""
    other = replace(SNAPSHOT, name="machine-0", role=API, leads=None)
    publish(redis_client, SNAPSHOT)
    publish(redis_client, other)
    assert read_processes(redis_client) == [other, SNAPSHOT]
    newer = {**asdict(SNAPSHOT), "started_at": SNAPSHOT.started_at.isoformat(), "invented_later": 1}
    redis_client.set(PREFIX + SNAPSHOT.name, json.dumps(newer), ex=KEPT_S)
    assert read_processes(redis_client) == [other, SNAPSHOT]
    withdraw(redis_client, other.name)
    assert read_processes(redis_client) == [SNAPSHOT]


def test_one_that_falls_silent_is_dead_by_redis_own_clock(redis_client: redis.Redis) -> None:
    """It can be seen for ten minutes, and nobody has to clean up after it."""
    publish(redis_client, SNAPSHOT)
    redis_client.pexpire(PREFIX + SNAPSHOT.name, round((KEPT_S - ALIVE_S - 15) * 1000))
    [dead] = read_processes(redis_client)
    assert not dead.is_alive
    assert dead.silent_s == pytest.approx(ALIVE_S + 15, abs=5)
    redis_client.pexpire(PREFIX + SNAPSHOT.name, 1)
    eventually(lambda: not read_processes(redis_client))


def test_a_letter_is_taken_once_and_does_not_wait_for_ever(redis_client: redis.Redis) -> None:
    """A later one takes the place of one that was not taken; each has its process' name."""
    process_orders.leave(redis_client, "one", "pagemill", id="1")
    process_orders.leave(redis_client, "one", "pagemill", id="2")
    process_orders.leave(redis_client, "two", "pagemill", id="3")
    assert 0 < redis_client.ttl(f"{process_orders.PREFIX}one") <= 10
    assert process_orders.take(redis_client, "one") == {"command": "pagemill", "id": "2"}
    assert process_orders.take(redis_client, "one") is None
    assert process_orders.take(redis_client, "two") == {"command": "pagemill", "id": "3"}


def test_a_reporter_publishes_and_logs_until_its_process_ends(brisk: redis.Redis) -> None:
    """What it uses itself, and whether it leads as it is asked anew each time."""
    leads = threading.Event()
    with capture_logs() as lines, ProcessReporter(brisk, SCHEDULER, "s1", {}, leads.is_set, round_s=0.02, log_s=0.1):
        eventually(lambda: [process.leads for process in read_processes(brisk)] == [False])
        leads.set()
        eventually(lambda: [process.leads for process in read_processes(brisk)] == [True])
        [told] = read_processes(brisk)
        eventually(lambda: sum(line["event"] == events.MEMORY for line in list(lines)) >= 3)
    assert read_processes(brisk) == []
    assert "reporter" not in {thread.name for thread in threading.enumerate()}
    assert (told.name, told.role) == ("s1", SCHEDULER)
    assert told.rss_mb > 30
    assert 0 < told.pss_mb <= told.rss_mb
    memory = next(line for line in lines if line["event"] == events.MEMORY)
    assert (memory["role"], memory["process"]) == (SCHEDULER, "s1")
    assert memory["rss_mb"] == pytest.approx(told.rss_mb, abs=20)
    assert memory["pss_mb"] == {"python": memory["total_pss_mb"]}


def test_the_first_line_comes_at_once_and_the_next_after_a_minute(brisk: redis.Redis) -> None:
    """However often it measures and publishes."""
    asked: list[bool] = []

    def leads() -> bool:
        asked.append(True)
        return True

    with capture_logs() as lines, ProcessReporter(brisk, SCHEDULER, "s1", {}, leads, round_s=0.01):
        eventually(lambda: len(asked) > 20)
    assert sum(line["event"] == events.MEMORY for line in lines) == 1
    assert LOG_S == 60


def test_orders_are_carried_out_once_and_answered(brisk: redis.Redis) -> None:
    """Also with an error; an order that it does not know is refused."""
    heard: list[str] = []

    def restart(reason: str) -> None:
        heard.append(reason)
        if len(heard) > 1:
            raise ValueError("broken")

    with ProcessReporter(brisk, SCHEDULER, "s1", {"restart": restart}, round_s=0.02):
        [done] = give(brisk, ["s1"], "restart", 5, process_orders.leave, reason="why")
        [failed] = give(brisk, ["s1"], "restart", 5, process_orders.leave, reason="again")
        [unknown] = give(brisk, ["s1"], "dance", 5, process_orders.leave)
    assert heard == ["why", "again"]
    assert done.done
    assert failed.error == "ValueError: broken"
    assert unknown.error.startswith("no order 'dance' here")
    [late] = give(brisk, ["s1"], "restart", 0.05, process_orders.leave, reason="too late")
    assert not late.heard


@pytest.mark.usefixtures("redis_server")  # without which there is no server to start here either
def test_without_redis_it_goes_on_and_disturbs_nobody(tmp_path: Path) -> None:
    """It logs memory as before, tells once that Redis is away, publishes when it is back, and ends in time without."""
    server = EmbeddedServer(tmp_path)
    server.open()
    retry = Retry(NoBackoff(), 0)
    with (
        redis.Redis.from_url(f"unix://{server.socket_path}", socket_timeout=1, retry=retry) as client,
        redis.Redis.from_url(f"unix://{server.socket_path}", socket_timeout=1, retry=retry) as own,
        capture_logs() as lines,
    ):
        with ProcessReporter(own, API, "a1", round_s=0.02, log_s=0.05):
            eventually(lambda: read_processes(client))
            server.close()
            eventually(lambda: any(line["event"] == events.REDIS_AWAY for line in list(lines)))
            before = len(lines)
            eventually(lambda: sum(line["event"] == events.MEMORY for line in lines[before:]) >= 3)
            server.open()
            eventually(lambda: any(line["event"] == events.REDIS_BACK for line in list(lines)))
            eventually(lambda: read_processes(client))
            server.close()
            ending_s = time.monotonic()
        assert time.monotonic() - ending_s < 5
    told = [line["event"] for line in lines if line["event"] != events.MEMORY]
    assert told.count(events.REDIS_AWAY) <= 2
    assert events.UNEXPECTED not in told


def test_everybody_who_looks_is_shown_them(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """`status`, the dashboard's figures, `/memory/stats` and Prometheus; of a dead one only that it is dead."""
    publish(redis_client, SNAPSHOT)
    publish(redis_client, replace(SNAPSHOT, name="machine-9", leads=False))
    redis_client.pexpire(f"{PREFIX}machine-9", round((KEPT_S - 60) * 1000))
    publish_worker(redis_client, a_worker())
    with api_running(redis_server, tmp_path) as world:
        stats = world.planner.get("/memory/stats").json
        narrow = world.planner.get("/memory/stats?worker=w1").json
        board = world.planner.get("/api/performance/dashboard?history=false").data["processes"]
        metrics = world.planner.get("/metrics").text
    assert [process["process"] for process in stats["processes"]] == ["machine-1"]
    told = stats["processes"][0]
    assert (told["role"], told["rss_mb"], told["pss_mb"], told["leads"]) == (SCHEDULER, 90.5, 75.0, True)
    assert stats["current"]["process_memory_mb"] == 400.0
    assert narrow["processes"] == []
    assert [(each["name"], each["alive"], each["leads"]) for each in board] == [
        ("machine-1", True, True),
        ("machine-9", False, False),
    ]
    assert board[0]["rssMb"] == 90.5
    assert 'pagemill_process_rss_bytes{process="machine-1",role="scheduler"} 9.4896128e+07' in metrics
    assert 'pagemill_process_leads{process="machine-1",role="scheduler"} 1.0' in metrics
    assert 'pagemill_process_up{process="machine-9",role="scheduler"} 0.0' in metrics
    assert 'pagemill_process_rss_bytes{process="machine-9"' not in metrics
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    said = run(tmp_path, "status", PAGEMILL_REDIS_URL=redis_server, COLUMNS="200")
    assert said.code == 0, said.err
    assert "scheduler, active" in said.out
    assert "machine-1" in said.out
    assert "machine-9" not in said.out
