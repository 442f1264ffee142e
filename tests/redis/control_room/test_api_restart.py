"""`POST /api/v2/system/restart-all`: workers one after another, told by HTTP, with real orders."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from pagemill.ops.control.restart import RollingRestart
from pagemill.ops.fleet.snapshot import publish, withdraw
from tests.redis.control_room.api_world import World, a_worker, api_running, workers_listening

pytestmark = pytest.mark.redis

PATH = "/api/v2/system/restart-all"


class Fleet:
    """Two workers that start afresh when they are told to, or do not."""

    def __init__(self, client: redis.Redis, *, comes_back: bool = True) -> None:
        self._client = client
        self._comes_back = comes_back
        self.most_away = 0
        self.order: list[str] = []
        for name in ("w1", "w2"):
            publish(client, a_worker(name))

    def listening(self) -> AbstractContextManager[None]:
        return workers_listening(self._client, {name: {"restart": self._restarting(name)} for name in ("w1", "w2")})

    def _restarting(self, name: str) -> Callable[..., None]:
        def restart(reason: str) -> None:
            assert reason
            self.order.append(name)
            withdraw(self._client, name)
            self.most_away = max(self.most_away, 2 - len(list(self._client.scan_iter("pagemill:worker:*"))))
            if self._comes_back:
                publish(self._client, replace(a_worker(name), pid=99, started_at=datetime.now(UTC)))

        return restart


def ended(world: World) -> Any:
    """The restart, once it is over."""
    for _ in range(400):
        data = world.planner.get(PATH).data
        if data["state"] != "running":
            return data
        threading.Event().wait(0.02)
    raise AssertionError("the restart did not end")


def test_each_worker_in_its_turn(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """The next one only when as many are alive as before; a fresh one may have the old one's name."""
    fleet = Fleet(redis_client)
    with api_running(redis_server, tmp_path) as world, fleet.listening():
        assert world.planner.get(PATH).status == 404
        reply = world.admin.post(PATH)
        assert reply.status == 202
        assert [step["worker"] for step in reply.data["workers"]] == ["w1", "w2"]
        data = ended(world)
    assert data["state"] == "done", data
    assert [step["state"] for step in data["workers"]] == ["done", "done"]
    assert (fleet.order, fleet.most_away) == (["w1", "w2"], 1)


def test_it_stops_where_nobody_comes_back(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """Rather than end the whole fleet; the message says what is missing."""
    fleet = Fleet(redis_client, comes_back=False)
    with api_running(redis_server, tmp_path, restart_s=0.5) as world, fleet.listening():
        world.admin.post(PATH)
        data = ended(world)
    assert data["state"] == "failed"
    assert [step["state"] for step in data["workers"]] == ["failed", "waiting"]
    assert "exit code 75" in data["message"]
    assert fleet.order == ["w1"]


def test_one_restart_for_the_whole_fleet(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """Another API process refuses a second one, and tells of the first; a dead process' one counts as interrupted."""
    publish(redis_client, a_worker("deaf"))
    other = RollingRestart(redis_client, "other")
    with api_running(redis_server, tmp_path) as world:
        assert world.admin.post(PATH).status == 202
        assert world.admin.post(PATH).status == 409
        assert other.start() is None
        latest = other.latest()
        assert latest is not None
        assert latest.state == "running"
        redis_client.delete("pagemill:restart:leader")
        latest = other.latest()
        assert latest is not None
        assert latest.state == "interrupted"
