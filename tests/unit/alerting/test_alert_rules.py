"""Alerts without a Redis: what a worker decides for itself, what the log line says, and channels that fail."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import redis
import structlog
from structlog.testing import capture_logs

from pagemill.alerting.alert import Alert
from pagemill.alerting.alert_desk import AlertDesk, log_alert
from pagemill.config.settings import AlertSettings
from pagemill.telemetry import events
from pagemill.telemetry.logging import set_up_logging


class NoRedis:
    """A client whose server is away; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def register_script(self, _script: str) -> Any:
        def fail(**_arguments: object) -> None:
            self.asked += 1
            raise redis.ConnectionError("nobody there")

        return fail


class Clock:
    """Monotonic seconds by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def desk(client: NoRedis | None = None, *, enabled: bool = True, minutes: float = 15, **options: Any) -> AlertDesk:
    settings = AlertSettings(enabled=enabled, cooldown_minutes=minutes)
    return AlertDesk(cast(redis.Redis, client or NoRedis()), settings, "w1", **options)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Log lines as they are written, in JSON."""
    handlers, level, configured = logging.root.handlers[:], logging.root.level, structlog.get_config()
    stream = io.StringIO()
    set_up_logging("json", "INFO", stream)
    yield stream
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**configured)


@pytest.mark.parametrize(
    ("level", "written"), [("warning", "warning"), ("critical", "critical"), ("emergency", "critical")]
)
def test_the_line_has_what_the_documents_promise(lines: io.StringIO, level: str, written: str) -> None:
    """Its `level` is the alert's, and no fact takes the place of one of its own fields."""
    desk().raise_alert("pressure", level, "memory at 86 %", percent=86, worker="another", alert="another")
    line = json.loads(lines.getvalue())
    assert line.pop("timestamp")
    assert line == {
        "event": events.ALERT,
        "alert": "pressure",
        "level": written,
        "message": "memory at 86 %",
        "worker": "w1",
        "percent": 86,
        "component": "alerts",
    }


def test_alerts_can_be_switched_off() -> None:
    """Then nothing goes out and nobody is asked."""
    client = NoRedis()
    with capture_logs() as lines:
        assert not desk(client, enabled=False).raise_alert("leak", "warning", "x")
    assert (lines, client.asked) == ([], 0)


def test_a_worker_remembers_its_own_alerts() -> None:
    """For the cooldown and not longer; what it has let out lately is not asked of a Redis that is away."""
    client, clock = NoRedis(), Clock()
    alone = desk(client, now_s=clock)
    with capture_logs() as lines:
        assert alone.raise_alert("leak", "warning", "x")
        clock.now_s += 15 * 60 - 0.01
        assert not alone.raise_alert("leak", "warning", "x")
        assert client.asked == 1
        clock.now_s += 0.02
        assert alone.raise_alert("leak", "warning", "x")
    assert len(lines) == 2


def test_without_a_cooldown_a_worker_remembers_nothing() -> None:
    """Each one goes out."""
    alone = desk(minutes=0)
    with capture_logs() as lines:
        assert all(alone.raise_alert("leak", "warning", "x") for _ in range(3))
    assert len(lines) == 3


def test_what_a_worker_remembers_is_bounded() -> None:
    """However many different alerts there are; the newest are remembered."""
    clock = Clock()
    alone = desk(now_s=clock, channels=())
    for number in range(1000):
        clock.now_s += 0.01
        assert alone.raise_alert("leak", "warning", "x", scope=f"place {number}")
    assert len(alone._quiet_until_s) == 256
    assert not alone.raise_alert("leak", "warning", "x", scope="place 744")
    assert alone.raise_alert("leak", "warning", "x", scope="place 743")


def test_a_channel_that_fails_keeps_no_other_from_its_alert() -> None:
    """The mistake is logged, and the alert counts as raised."""
    heard: list[Alert] = []

    def broken(_alert: Alert) -> None:
        raise ValueError("no such hook")

    with capture_logs() as lines:
        assert desk(channels=[log_alert, broken, heard.append]).raise_alert("leak", "warning", "x")
    assert [line["event"] for line in lines] == [events.ALERT, events.UNEXPECTED]
    assert [alert.name for alert in heard] == ["leak"]


def test_an_alert_whose_rule_leaves_the_log_out_writes_no_line() -> None:
    """It counts as raised all the same, and goes to the channels that its rule names."""
    alert = Alert("memory", "warning", "x", "w1", datetime(2025, 6, 1, tzinfo=UTC), channels=("team",))
    with capture_logs() as lines:
        assert desk().raise_by_rule(alert)
    assert lines == []
    assert alert.goes_to("team")
    assert not alert.goes_to("live")
    assert replace(alert, channels=None).goes_to("live")


def test_short_cooldowns_are_forgotten_before_long_ones() -> None:
    """When there are more than a worker remembers."""
    clock = Clock()
    alone = desk(now_s=clock, channels=())
    at = datetime(2025, 6, 1, tzinfo=UTC)
    assert alone.raise_by_rule(Alert("long", "warning", "x", "w1", at), 60)
    for number in range(300):
        clock.now_s += 0.01
        assert alone.raise_by_rule(Alert("short", "warning", "x", "w1", at, f"place {number}"), 1)
    assert not alone.raise_by_rule(Alert("long", "warning", "x", "w1", at), 60)
