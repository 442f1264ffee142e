"""A worker that leaks, as the fleet's history shows it, and who is told when: rules, desk, channels, all in one API."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from pydantic import TypeAdapter

from pagemill.config.alerts import AlertRules
from pagemill.config.settings import Config
from pagemill.fleet.history import FINE, Point
from pagemill.fleet.snapshot import WorkerSnapshot, publish
from tests.redis.control_room.api_world import a_config, a_worker, api_running
from tests.redis.control_room.mail_server import free_port, mail_server
from tests.redis.control_room.webhook import open_webhook

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]

RULES = {
    "rules": {
        "memory-runs-out": {"metric": "memory_minutes_left", "operator": "lt", "threshold": 60},
        "memory-critical": {"metric": "memory_percent", "threshold": 90, "level": "critical"},
    },
    "channels": {"dead": {"kind": "webhook"}, "hook": {"kind": "webhook"}, "mail": {"kind": "email"}},
}
ROUNDS_S = 12.0
"""Two rounds of the watch: time enough for an alert that comes twice."""


def half_an_hour(client: redis.Redis, worker: str, first_percent: float, last_percent: float) -> None:
    """Measurements every ten seconds that rise steadily until now."""
    now_ms, adapter, count = round(time.time() * 1000), TypeAdapter(Point), 180
    for number in range(count + 1):
        percent = first_percent + (last_percent - first_percent) * number / count
        body = adapter.dump_json(Point(worker, {"python": 100.0}, measures={"memory_percent": percent}))
        client.xadd(FINE.key, {"point": body}, id=f"{now_ms - (count - number) * 10_000}-0")


def at(worker: WorkerSnapshot, percent: float) -> WorkerSnapshot:
    """The worker with so much of its memory in use."""
    assert worker.sample is not None
    return replace(worker, sample=replace(worker.sample, memory_percent=percent))


def config_with(urls: dict[str, str]) -> Config:
    """Two rules, three channels."""
    config = a_config()
    environment = config.environment.model_copy(update={"alert_urls": urls})
    return config.model_copy(update={"alerts": AlertRules.model_validate(RULES), "environment": environment})


def test_a_leak_is_foreseen_and_then_told_when_it_is_there(
    redis_server: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Each alert once, by webhook and by mail, whatever becomes of the channel whose server is not there."""
    leaking = a_worker("leaking")
    with open_webhook() as hook, mail_server() as (box, mail_port):
        urls = {
            "HOOK": hook.url,
            "DEAD": f"http://127.0.0.1:{free_port()}/gone",
            "MAIL": f"mailto://127.0.0.1:{mail_port}?from=pagemill@example.com&to=duty@example.com",
        }
        half_an_hour(redis_client, "leaking", 30.0, 60.0)
        publish(redis_client, at(leaking, 60.0))
        with api_running(redis_server, tmp_path, config=config_with(urls)) as world:
            assert hook.wait_for(1, 30) == ["memory-runs-out"]
            minutes = next(each for each in world.admin.get("/api/performance/alerts").data["alerts"])
            assert minutes["kind"] == "predictive"
            publish(redis_client, at(leaking, 95.0))
            assert hook.wait_for(2, 30) == ["memory-runs-out", "memory-critical"]
            hook.changed.acquire()
            try:
                assert not hook.changed.wait_for(lambda: len(hook.bodies) > 2, ROUNDS_S)
            finally:
                hook.changed.release()
        assert [subject.rpartition(" ")[2] for subject in box.subjects] == ["memory-runs-out", "memory-critical"]
