"""`POST /api/v2/system/restart-all`: one process after another, told by HTTP, with real orders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from pagemill.control_room.control.restart import RollingRestart
from pagemill.errors import UsageError
from pagemill.fleet.processes import API, SCHEDULER, SUPERVISOR, read_processes
from pagemill.fleet.reporter import ProcessReporter
from pagemill.fleet.snapshot import publish, withdraw
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


class Process:
    """One beside the workers that reports for real, and starts afresh when it is told to, or says why it does not."""

    def __init__(
        self, url: str, role: str, name: str, order: list[str], *, refuses: str = "", stays: bool = True
    ) -> None:
        self._url = url
        self._role = role
        self._name = name
        self._order = order
        self._refuses = refuses
        self._stays = stays
        self._generation = 0
        self._told = threading.Event()
        self._ended = threading.Event()

    def _restart(self, reason: str) -> None:
        assert reason
        if self._refuses:
            raise UsageError(self._refuses)
        self._order.append(self._name)
        self._told.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """For the `with` block."""
        thread = threading.Thread(target=self._run, name=self._name)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._told.set()
            thread.join(10)

    def _run(self) -> None:
        with redis.Redis.from_url(self._url, socket_timeout=2) as client:
            while not self._ended.is_set():
                self._generation += 1
                name = f"{self._name}.{self._generation}"
                with ProcessReporter(client, self._role, name, {"restart": self._restart}, round_s=0.02):
                    self._told.wait()
                self._told.clear()
                if not self._stays:
                    self._ended.wait()


class Itself:
    """The API's own restart: notes when it was asked for, and what stood in Redis then."""

    def __init__(self, order: list[str], error: str = "") -> None:
        self._order = order
        self._error = error
        self.asked = threading.Event()

    def check(self) -> None:
        if self._error:
            raise UsageError(self._error)

    def ask(self) -> None:
        self._order.append("itself")
        self.asked.set()


@contextmanager
def running(client: redis.Redis, *processes: Process) -> Iterator[None]:
    """All of these, as soon as each of them has reported."""
    with ExitStack() as stack:
        for process in processes:
            stack.enter_context(process.running())
        for _ in range(500):
            if len(read_processes(client)) == len(processes):
                break
            threading.Event().wait(0.01)
        yield


def test_schedulers_and_apis_come_after_the_workers(
    redis_client: redis.Redis, redis_server: str, tmp_path: Path
) -> None:
    """One after another, the one that conducts last, when the rest is noted as done; supervisors stay."""
    fleet = Fleet(redis_client)
    order = fleet.order
    itself = Itself(order)
    processes = [
        Process(redis_server, role, name, order)
        for role, name in ((API, "a"), (SCHEDULER, "s1"), (SCHEDULER, "s2"), (SUPERVISOR, "boss"))
    ]
    with running(redis_client, *processes), fleet.listening():
        with api_running(redis_server, tmp_path, itself=itself) as world:
            reply = world.admin.post(PATH)
            assert [step["worker"] for step in reply.data["workers"]] == ["w1", "w2"]
            assert [(step["role"], step["process"]) for step in reply.data["processes"]] == [
                (SCHEDULER, "s1.1"),
                (SCHEDULER, "s2.1"),
                (API, "a.1"),
                (API, "api-test"),
            ]
            data = ended(world)
            assert itself.asked.wait(5)
            assert {process.name for process in read_processes(redis_client)} == {"a.2", "s1.2", "s2.2", "boss.1"}
        assert data["state"] == "done"
        assert {step["state"] for step in data["workers"]} == {"done"}
        assert [step["state"] for step in data["processes"]] == ["done", "done", "done", "restarting"]
        assert order == ["w1", "w2", "s1", "s2", "a", "itself"]
        # The fresh process in its place says that it is back; here it is this same one.
        with api_running(redis_server, tmp_path, itself=itself) as world:
            assert [step["state"] for step in ended(world)["processes"]] == ["done"] * 4


def test_an_api_that_does_not_come_back_is_told(redis_client: redis.Redis) -> None:
    """By another one, once it has been away for too long; one on another machine is not taken for it."""
    now = [datetime(2026, 11, 21, tzinfo=UTC)]
    itself = Itself([])
    conductor = RollingRestart(redis_client, "c", itself=itself, now=lambda: now[0])
    conductor.start()
    assert itself.asked.wait(5)
    conductor.close(5)
    elsewhere = RollingRestart(redis_client, "e", now=lambda: now[0])
    elsewhere._here = "another-machine 1"
    elsewhere.note_return()
    seen = elsewhere.latest()
    assert seen is not None
    assert (seen.state, seen.steps[-1].state) == ("done", "restarting")
    now[0] += timedelta(seconds=301)
    seen = elsewhere.latest()
    assert seen is not None
    assert (seen.state, seen.steps[-1].state) == ("failed", "failed")
    assert "c, did not come back" in seen.message
    conductor.note_return()
    seen = elsewhere.latest()
    assert seen is not None
    assert (seen.state, seen.steps[-1].state, seen.steps[-1].seconds) == ("done", "done", 301)


@pytest.mark.parametrize("role", [SCHEDULER, API])
def test_one_that_could_not_start_now_goes_on_as_it_is(
    redis_client: redis.Redis, redis_server: str, tmp_path: Path, role: str
) -> None:
    """With the reason, at once and not after the whole time; the others stay as they are too."""
    order: list[str] = []
    bad = Process(redis_server, role, "bad", order, refuses="schedule.yaml has a mistake")
    with (
        running(redis_client, bad, Process(redis_server, role, "good", order)),
        api_running(redis_server, tmp_path, restart_s=60, itself=Itself(order)) as world,
    ):
        world.admin.post(PATH)
        data = ended(world)
        names = {process.name for process in read_processes(redis_client)}
    assert data["state"] == "failed"
    assert "schedule.yaml has a mistake" in data["message"]
    assert "bad.1 goes on as it is" in data["message"]
    assert [step["state"] for step in data["processes"]] == ["failed", "waiting", "waiting"]
    assert (order, names) == ([], {"bad.1", "good.1"})


def test_an_api_that_could_not_start_now_does_not_end(
    redis_client: redis.Redis, redis_server: str, tmp_path: Path
) -> None:
    """Its own configuration has a mistake by now."""
    itself = Itself([], error="alerts.yaml has a mistake")
    with api_running(redis_server, tmp_path, itself=itself) as world:
        world.admin.post(PATH)
        data = ended(world)
    assert (data["state"], data["message"]) == ("failed", "alerts.yaml has a mistake")
    assert [step["state"] for step in data["processes"]] == ["failed"]
    assert not itself.asked.is_set()


def test_a_scheduler_that_does_not_come_back_ends_the_restart(
    redis_client: redis.Redis, redis_server: str, tmp_path: Path
) -> None:
    """Rather than end them all."""
    order: list[str] = []
    with (
        running(
            redis_client,
            Process(redis_server, SCHEDULER, "s1", order, stays=False),
            Process(redis_server, SCHEDULER, "s2", order),
        ),
        api_running(redis_server, tmp_path, restart_s=1) as world,
    ):
        world.admin.post(PATH)
        data = ended(world)
    assert data["state"] == "failed"
    assert "no fresh scheduler took the place of s1.1" in data["message"]
    assert [step["state"] for step in data["processes"]] == ["failed", "waiting"]
    assert order == ["s1"]


def test_a_restart_that_an_older_version_noted_is_told(
    redis_client: redis.Redis, redis_server: str, tmp_path: Path
) -> None:
    """It knew workers only."""
    old = (
        '{"id":"1","state":"done","started_at":"2026-11-21T03:00:00Z","ended_at":"2026-11-21T03:01:00Z","message":"",'
        '"steps":[{"worker":"w1","state":"done","seconds":12.5}]}'
    )
    redis_client.set("pagemill:restart", old)
    with api_running(redis_server, tmp_path) as world:
        data = world.planner.get(PATH).data
    assert data["workers"] == [{"worker": "w1", "state": "done", "seconds": 12.5}]
    assert data["processes"] == []
