"""Alerts of a fleet in a real Redis: the same one goes out once, whoever raises it, and Redis' absence loses none."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from pagemill.alerting.alert import Alert
from pagemill.alerting.alert_desk import AlertDesk, log_alert
from pagemill.alerting.history import alerts_after, latest_cursor, recent_alerts
from pagemill.broker.connection import open_redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.config.settings import AlertSettings
from pagemill.telemetry import events

pytestmark = pytest.mark.redis

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def desk(client: redis.Redis, worker: str = "w1", minutes: float = 15, **options: Any) -> AlertDesk:
    return AlertDesk(client, AlertSettings(cooldown_minutes=minutes), worker, now=lambda: NOON, **options)


def cooldown(client: redis.Redis, key: str = "leak") -> int:
    """Milliseconds that are left of it."""
    return int(client.pttl(f"pagemill:alert:{key}"))


def test_the_same_alert_goes_out_once_for_the_whole_fleet(redis_client: redis.Redis) -> None:
    """Of two workers that raise it, one is heard; both may raise others, and the same one about something else."""
    one, other = desk(redis_client, "w1"), desk(redis_client, "w2")
    with capture_logs() as lines:
        assert one.raise_alert("leak", "warning", "python grows")
        assert not other.raise_alert("leak", "warning", "python grows")
        assert not one.raise_alert("leak", "warning", "python grows")
        assert other.raise_alert("pressure", "critical", "memory at 86 %", percent=86)
        assert other.raise_alert("leak", "warning", "python grows", scope="shop")
        assert not one.raise_alert("leak", "warning", "python grows", scope="shop")
    assert [(line["alert"], line["worker"], line.get("scope")) for line in lines] == [
        ("leak", "w1", None),
        ("pressure", "w2", None),
        ("leak", "w2", "shop"),
    ]
    assert {line["event"] for line in lines} == {events.ALERT}
    assert cooldown(redis_client) == pytest.approx(15 * 60_000, abs=5000)
    assert cooldown(redis_client, "leak:shop") == pytest.approx(15 * 60_000, abs=5000)


def test_after_the_cooldown_it_goes_out_again(redis_client: redis.Redis) -> None:
    """Counted by Redis for the others, and by itself for the worker that raised it."""
    clock_s = [1000.0]
    one, other = desk(redis_client, "w1", 2.5, now_s=lambda: clock_s[0]), desk(redis_client, "w2", 2.5)
    assert one.raise_alert("leak", "warning", "x")
    assert 0 < cooldown(redis_client) <= 150_000
    redis_client.delete("pagemill:alert:leak")  # as if it had expired
    clock_s[0] += 149.9
    assert not one.raise_alert("leak", "warning", "x")
    clock_s[0] += 0.2
    assert one.raise_alert("leak", "warning", "x")
    assert not other.raise_alert("leak", "warning", "x")
    redis_client.delete("pagemill:alert:leak")
    assert other.raise_alert("leak", "warning", "x")


def test_without_a_cooldown_each_one_goes_out(redis_client: redis.Redis) -> None:
    """Nothing is remembered but the history."""
    one = desk(redis_client, minutes=0)
    assert [one.raise_alert("leak", "warning", f"number {number}") for number in range(3)] == [True] * 3
    assert list(redis_client.scan_iter()) == [b"pagemill:alerts"]
    assert [alert.message for alert in recent_alerts(redis_client)] == ["number 2", "number 1", "number 0"]


def test_fifty_at_once_are_one(redis_server: str, redis_client: redis.Redis) -> None:
    """Each on a thread and a connection of its own; and again, all of them on one desk."""
    barrier = threading.Barrier(50)

    def race(name: str, desk_of: Callable[[int], AlertDesk]) -> list[bool]:
        def raise_it(number: int) -> bool:
            worker = desk_of(number)
            barrier.wait(20)
            return worker.raise_alert(name, "critical", "all at once")

        with ThreadPoolExecutor(50) as threads:
            return list(threads.map(raise_it, range(50)))

    clients = [redis.Redis.from_url(redis_server) for _ in range(50)]
    try:
        shared = desk(clients[0])
        assert sum(race("many desks", lambda number: desk(clients[number], f"w{number}"))) == 1
        assert sum(race("one desk", lambda _number: shared)) == 1
    finally:
        for client in clients:
            client.close()
    assert sorted(alert.name for alert in recent_alerts(redis_client)) == ["many desks", "one desk"]


def test_a_command_that_the_client_repeats_counts_once(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer was lost with the connection: the alert must not be taken for somebody else's."""
    one = desk(redis_client)
    real = redis_client.evalsha

    def twice(*arguments: Any) -> Any:
        real(*arguments)
        return real(*arguments)

    assert one.raise_alert("first", "warning", "loads the script")
    monkeypatch.setattr(redis_client, "evalsha", twice)
    assert one.raise_alert("leak", "warning", "x")
    assert [alert.name for alert in recent_alerts(redis_client)] == ["leak", "first"]


def test_what_went_out_is_read_back(redis_client: redis.Redis) -> None:
    """The newest first, with time, kind and facts; what a newer worker adds is passed over."""
    heard: list[Alert] = []
    one = desk(redis_client, channels=[log_alert, heard.append])
    assert recent_alerts(redis_client) == []
    one.raise_alert("leak", "warning", "python grows", scope="shop", mb_per_100_visits=3.5)
    one.raise_alert("pressure", "emergency", "shm 97 %", reason="shm", place=Path("/dev/shm"))
    facts = {"reason": "shm", "place": "/dev/shm"}
    expected = Alert("pressure", "emergency", "shm 97 %", "w1", NOON, "", facts, heard[1].id, "critical")
    assert recent_alerts(redis_client, 1) == [expected]
    assert recent_alerts(redis_client)[1] == heard[0]
    assert heard[0].kind == "predictive"
    assert len({alert.id for alert in heard} - {""}) == 2
    newer = {"name": "x", "level": "y", "message": "z", "worker": "w", "at": NOON.isoformat(), "colour": "red"}
    redis_client.xadd("pagemill:alerts", {"alert": json.dumps(newer)})
    assert recent_alerts(redis_client, 1) == [Alert("x", "y", "z", "w", NOON)]
    assert recent_alerts(redis_client, 0) == []


def test_alerts_can_be_followed(redis_client: redis.Redis) -> None:
    """From a place in the history on, the oldest first; what is no alert is passed over."""
    one = desk(redis_client)
    assert alerts_after(redis_client, latest_cursor(redis_client)) == []
    one.raise_alert("first", "warning", "x")
    cursor = latest_cursor(redis_client)
    redis_client.xadd("pagemill:alerts", {"alert": "[]"})
    redis_client.xadd("pagemill:alerts", {"other": "1"})
    one.raise_alert("second", "warning", "x")
    one.raise_alert("third", "warning", "x")
    found = alerts_after(redis_client, cursor)
    assert [alert.name for _, alert in found] == ["second", "third"]
    assert [alert.name for _, alert in alerts_after(redis_client, found[0][0])] == ["third"]
    assert [alert.name for _, alert in alerts_after(redis_client, count=1)] == ["first"]


def test_the_history_ends_at_about_a_thousand(redis_client: redis.Redis) -> None:
    """However much is raised, and each entry is of a sane size."""
    with redis_client.pipeline() as pipeline:
        for _ in range(1500):
            pipeline.xadd("pagemill:alerts", {"alert": "{}"})
        pipeline.execute()
    one = desk(redis_client, minutes=0)
    one.raise_alert("leak", "warning", "x" * 5000)
    one.raise_alert("last", "warning", "x")
    assert 1000 <= redis_client.xlen("pagemill:alerts") <= 1100
    assert [(alert.name, len(alert.message)) for alert in recent_alerts(redis_client, 2)] == [
        ("last", 1),
        ("leak", 1000),
    ]


def test_a_history_of_an_older_release_gives_way(redis_client: redis.Redis) -> None:
    """It was a list, which a stream's commands refuse."""
    redis_client.lpush("pagemill:alerts", "{}")
    assert recent_alerts(redis_client) == []
    assert desk(redis_client).raise_alert("leak", "warning", "x")
    assert [alert.name for alert in recent_alerts(redis_client)] == ["leak"]


def test_a_rule_has_a_cooldown_of_its_own(redis_client: redis.Redis) -> None:
    """Else the settings' one; a worker's alert of the same name is another one."""
    one = desk(redis_client)
    assert one.raise_by_rule(Alert("leak", "warning", "x", "w7", NOON, "w7"), 2)
    assert one.raise_by_rule(Alert("other", "warning", "x", "w7", NOON))
    assert one.raise_alert("leak", "warning", "x", scope="w7")
    assert not desk(redis_client, "w2").raise_by_rule(Alert("leak", "warning", "x", "w7", NOON, "w7"), 2)
    assert cooldown(redis_client, "rule:leak:w7") == pytest.approx(2 * 60_000, abs=5000)
    assert cooldown(redis_client, "rule:other") == pytest.approx(15 * 60_000, abs=5000)
    assert [alert.worker for alert in recent_alerts(redis_client)] == ["w1", "w7", "w7"]


def test_news_are_told_once_whoever_tells_them(redis_client: redis.Redis) -> None:
    """By their id, for as long as that is remembered; a level of `info` is a line of that level."""
    news = Alert("run-ended", "info", "all is well", "", NOON, id="id-1", kind="run")
    with capture_logs() as lines:
        assert desk(redis_client).tell_once(news, 60)
        assert not desk(redis_client, "w2").tell_once(news, 60)
        assert not desk(redis_client).tell_once(news, 60)
    assert [(line["event"], line["log_level"]) for line in lines] == [(events.ALERT, "info")]
    assert recent_alerts(redis_client) == [news]
    assert 0 < cooldown(redis_client, "told:id-1") <= 60_000


def test_news_that_redis_does_not_take_are_told_to_nobody(redis_client: redis.Redis) -> None:
    """Whoever tells them tries again: unlike trouble, they need not be told at once."""
    news = Alert("run-ended", "info", "all is well", "", NOON, id="id-1", kind="run")
    redis_client.config_set("maxmemory", "1")
    with capture_logs() as lines, pytest.raises(redis.RedisError):
        desk(redis_client).tell_once(news, 60)
    assert lines == []
    redis_client.config_set("maxmemory", "0")
    assert desk(redis_client).tell_once(news, 60)


def test_a_redis_without_room_loses_no_alert(redis_client: redis.Redis) -> None:
    """It refuses to keep anything: the worker's own memory decides then."""
    one = desk(redis_client)
    redis_client.config_set("maxmemory", "1")
    with capture_logs() as lines:
        assert one.raise_alert("leak", "warning", "x")
        assert not one.raise_alert("leak", "warning", "x")
    assert [line["event"] for line in lines] == [events.ALERT]


def test_while_redis_is_away_each_worker_decides_for_itself(tmp_path: Path) -> None:
    """It goes out once, within the connection's deadlines; when Redis is back, the fleet's cooldown holds again."""
    with open_redis("", tmp_path, patience_s=0.1) as client:
        one, other = desk(client, "w1"), desk(client, "w2")
        assert one.raise_alert("before", "warning", "x")
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        with capture_logs() as lines:
            begun_s = time.monotonic()
            assert [one.raise_alert("leak", "critical", "x") for _ in range(3)] == [True, False, False]
            assert other.raise_alert("leak", "critical", "x")
            assert not one.raise_alert("before", "warning", "x")
            assert time.monotonic() - begun_s < 5
        assert [(line["alert"], line["worker"]) for line in lines] == [("leak", "w1"), ("leak", "w2")]
        again = EmbeddedServer(tmp_path)
        again.open()
        try:
            assert not one.raise_alert("leak", "critical", "x")
            assert one.raise_alert("after", "warning", "x")
            assert not other.raise_alert("after", "warning", "x")
            assert recent_alerts(client, 1)[0].name == "after"
        finally:
            again.close()
