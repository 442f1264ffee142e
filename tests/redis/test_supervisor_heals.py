"""The supervisor with real processes that hang, crash, are stopped or killed: each is helped or replaced, alone.

The supervisor hears signals, so it runs in the main thread and what happens to it comes from a helper thread.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pytest
from redis import Redis
from structlog.testing import capture_logs

from pagemill.errors import PagemillError, ServiceUnavailable
from pagemill.telemetry import events
from pagemill.worker import supervisor as supervisor_module
from pagemill.worker.restart_policy import RestartRules
from pagemill.worker.supervisor import Supervisor
from tests.redis.stand_ins import follow_plan

pytestmark = [pytest.mark.redis, pytest.mark.timeout(60, method="thread")]

RULES = RestartRules(
    beat_timeout_s=1.0,
    start_allowance_s=20.0,
    stop_grace_s=1.5,
    drain_s=20.0,
    stopped_s=0.2,
    recover_s=0.5,
    backoff_s=0.1,
    backoff_max_s=0.4,
    max_crashes=5,
    steady_s=60.0,
)
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Scene:
    """A supervisor with children that follow a plan, and what is logged meanwhile."""

    def __init__(self, client: Redis, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.log: list[MutableMapping[str, Any]] = []
        self.now = NOON

    def play(
        self,
        plan: list[str],
        script: Callable[[], object] = lambda: None,
        *,
        processes: int = 1,
        rules: RestartRules = RULES,
        restart_at: str | None = None,
        burst: bool = False,
    ) -> None:
        """Runs the supervisor until the script is through; a burst ends by itself."""
        run = partial(follow_plan, str(self.folder), plan)
        supervisor = Supervisor(["shop"], self.client, processes, run, rules, restart_at, lambda: self.now)
        failures: list[BaseException] = []

        def act() -> None:
            try:
                script()
            except BaseException as error:
                failures.append(error)
            finally:
                if not burst:
                    os.kill(os.getpid(), signal.SIGTERM)

        actor = threading.Thread(target=act, name="actor")
        with capture_logs() as self.log:
            actor.start()
            try:
                supervisor.start(burst)
            finally:
                actor.join(30)
        if failures:
            raise failures[0]

    def children(self) -> list[tuple[str, int, list[int]]]:
        """Name, process id and heard signals of every child that has begun, the first first."""
        records = [file.read_text().split() for file in sorted(self.folder.iterdir()) if file.name.isdecimal()]
        return [(record[0], int(record[1]), [int(number) for number in record[2:]]) for record in records if record]

    def logged(self, event: str, **fields: object) -> list[MutableMapping[str, Any]]:
        """The log lines of that name with these fields."""
        return [line for line in list(self.log) if line["event"] == event and fields.items() <= line.items()]

    def wait_for(self, event: str, count: int = 1, **fields: object) -> None:
        """Until so many such lines are there."""
        eventually(lambda: len(self.logged(event, **fields)) >= count, f"{event} {fields}")

    def wait_for_children(self, count: int) -> None:
        """Until so many have begun."""
        eventually(lambda: len(self.children()) >= count, f"{count} children")


def eventually(condition: Callable[[], bool], what: str, timeout_s: float = 20) -> None:
    """Waits for a condition, and fails naming it."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {timeout_s} s for {what}"
        time.sleep(0.02)


@pytest.fixture
def scene(redis_client: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Its rounds come twenty times a second; afterwards signals are handled as before and no child is left."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    sleep = time.sleep
    monkeypatch.setattr("rq.worker_pool.time", SimpleNamespace(sleep=lambda _seconds: sleep(0.05)))
    # Children would import the whole of pytest, as spawned processes import their parent's main module.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    played = Scene(redis_client, tmp_path)
    yield played
    for number, handler in before.items():
        signal.signal(number, handler)
    left = [pid for _name, pid, _heard in played.children() if psutil.pid_exists(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def test_a_silent_child_is_asked_to_end_and_replaced(scene: Scene) -> None:
    """It still hears: SIGTERM is enough. Its neighbour notices nothing."""
    scene.play(["beats", "falls_silent", "beats"], lambda: scene.wait_for_children(3), processes=2)
    steady, silent, successor = scene.children()
    assert [line["step"] for line in scene.logged(events.WORKER_STUCK)] == ["terminate"]
    (stuck,) = scene.logged(events.WORKER_STUCK)
    assert (stuck["worker"], stuck["pid"]) == silent[:2]
    assert 1.0 <= stuck["silent_s"] < 5
    assert [heard for _name, _pid, heard in (steady, silent, successor)] == [[signal.SIGTERM]] * 3
    assert len(scene.logged(events.WORKER_ENDED, exit_code=0)) == 3


def test_a_deaf_child_is_killed_and_what_it_leaves_is_swept(scene: Scene) -> None:
    """Its scratch folder goes, and the process that stands for its browser."""
    scene.play(["is_deaf", "beats"], lambda: scene.wait_for_children(2))
    deaf, _successor = scene.children()
    assert [line["step"] for line in scene.logged(events.WORKER_STUCK)] == ["terminate", "kill"]
    assert scene.logged(events.WORKER_ENDED, worker=deaf[0], exit_code=-9)
    (swept,) = scene.logged(events.ORPHANS_SWEPT)
    assert swept["killed"] == 1
    assert list(scene.folder.glob("pagemill-worker-*")) == []


def test_a_stopped_child_is_continued_and_keeps_its_place(scene: Scene) -> None:
    """The mildest remedy does: it goes on beating, and nobody is replaced."""

    def stop_it() -> None:
        scene.wait_for_children(1)
        os.kill(scene.children()[0][1], signal.SIGSTOP)
        scene.wait_for(events.WORKER_STUCK, step="continue")
        time.sleep(1.5)

    scene.play(["beats"], stop_it)
    assert len(scene.children()) == 1
    assert [line["step"] for line in scene.logged(events.WORKER_STUCK)] == ["continue"]
    assert scene.logged(events.WORKER_ENDED, exit_code=0)


def test_a_child_that_is_stopped_again_and_again_is_replaced(scene: Scene) -> None:
    """Behind the mildest remedy stands the rule of the beat, and SIGKILL reaches a stopped process too."""

    def keep_stopping() -> None:
        scene.wait_for_children(1)
        victim = scene.children()[0][1]
        while len(scene.children()) < 2:
            try:
                os.kill(victim, signal.SIGSTOP)
            except ProcessLookupError:
                time.sleep(0.02)

    # One that beats whenever it is continued makes progress, and is left alone.
    scene.play(["falls_silent", "beats"], keep_stopping)
    steps = [line["step"] for line in scene.logged(events.WORKER_STUCK)]
    assert steps[0] == "continue"
    assert steps[-2:] == ["terminate", "kill"]
    assert set(steps[:-2]) == {"continue"}


def test_crashes_in_a_row_are_replaced_ever_later_while_others_are_looked_after(scene: Scene) -> None:
    """The pause of one place holds up no other: a stopped neighbour is continued meanwhile."""
    rules = replace(RULES, backoff_s=0.5, backoff_max_s=2.0)
    ended: list[float] = []
    begun: list[float] = []

    def watch() -> None:
        scene.wait_for_children(1)
        for number in range(1, 4):
            scene.wait_for(events.WORKER_ENDED, number, exit_code=3)
            ended.append(time.monotonic())
            if number == 3:
                os.kill(scene.children()[0][1], signal.SIGSTOP)
            scene.wait_for(events.WORKER_SPAWNED, number + 2)
            begun.append(time.monotonic())
        assert len(scene.logged(events.WORKER_STUCK, step="continue")) == 1

    scene.play(["beats", "crashes", "crashes", "crashes", "beats"], watch, processes=2, rules=rules)
    pauses_s = [later - sooner for sooner, later in zip(ended, begun, strict=True)]
    for pause_s, due_s in zip(pauses_s, (0.5, 1.0, 2.0), strict=True):
        assert due_s - 0.1 < pause_s < due_s + 1.5


def test_a_crash_loop_ends_all_with_69_and_a_remedy(scene: Scene) -> None:
    """The others drain first: nothing they hold is lost."""
    with pytest.raises(ServiceUnavailable, match=r"5 times in a row.* exit code 3: .*pagemill check") as raised:
        scene.play(["beats", "crashes"], lambda: scene.wait_for(events.CRASH_LOOP), processes=2)
    assert raised.value.exit_code == 69
    (loop,) = scene.logged(events.CRASH_LOOP)
    assert (loop["crashes"], loop["exit_code"]) == (5, 3)
    assert loop["remedy"] in str(raised.value)
    assert len(scene.logged(events.WORKER_SPAWNED)) == 6
    assert scene.children()[0][2] == [signal.SIGTERM]
    assert len(scene.logged(events.WORKER_ENDED, exit_code=0)) == 1


def test_a_burst_goes_on_until_every_place_is_done(scene: Scene) -> None:
    """What crashed, hung or was worn out is replaced; what found nothing to do is not."""
    scene.play(["crashes", "is_worn_out", "falls_silent", "is_done"], burst=True, processes=2)
    codes = [line["exit_code"] for line in scene.logged(events.WORKER_ENDED)]
    assert sorted(codes) == [0, 0, 0, 3, 75]
    assert len(scene.logged(events.WORKER_SPAWNED)) == 5


def test_a_burst_whose_processes_cannot_work_ends_with_69(scene: Scene) -> None:
    """It does not wait for ever for a process that never comes up."""
    with pytest.raises(ServiceUnavailable):
        scene.play(["crashes"], burst=True, processes=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_request_reaches_each_child_once(scene: Scene, number: int) -> None:
    """Ctrl+C reaches the terminal's process group, and no child is in it."""

    def ask() -> None:
        scene.wait_for_children(2)
        groups = {os.getpgid(pid) for _name, pid, _heard in scene.children()}
        assert groups == {pid for _name, pid, _heard in scene.children()}
        assert os.getpgrp() not in groups
        if number == signal.SIGINT:
            os.kill(os.getpid(), number)

    scene.play(["beats"], ask, processes=2)
    assert [heard for _name, _pid, heard in scene.children()] == [[signal.SIGTERM]] * 2
    assert scene.logged(events.WORKER_STUCK) == []


def test_a_second_request_ends_at_once_what_drains_too_slowly(scene: Scene) -> None:
    """SIGTERM again, then SIGKILL; the command says that it was no good end."""

    def ask_twice() -> None:
        scene.wait_for_children(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1.2)
        assert scene.logged(events.WORKER_ENDED) == []

    with pytest.raises(PagemillError, match="1 of 1 worker processes did not end well: exit code -9") as raised:
        scene.play(["drains_slowly"], ask_twice)
    assert raised.value.exit_code == 1
    assert scene.children()[0][2] == [signal.SIGTERM] * 2
    assert [line["step"] for line in scene.logged(events.WORKER_STUCK)] == ["kill"]


def test_a_daily_restart_replaces_one_after_another(scene: Scene) -> None:
    """The second drains only when the successor of the first has beaten; each is told once."""

    def wait_a_day() -> None:
        scene.wait_for_children(3)
        scene.now = NOON + timedelta(days=1)
        scene.wait_for(events.WORKER_SPAWNED, 6)
        scene.wait_for_children(6)
        time.sleep(0.5)

    scene.play(["beats"], wait_a_day, processes=3, restart_at="04:10")
    round_ = [line["event"] for line in scene.log][3:-3]
    assert round_ == [events.WORKER_RESTARTING, events.WORKER_ENDED, events.WORKER_SPAWNED] * 3
    restarted = [line["worker"] for line in scene.logged(events.WORKER_RESTARTING)]
    assert sorted(restarted) == sorted(name for name, _pid, _heard in scene.children()[:3])
    assert {tuple(heard) for _name, _pid, heard in scene.children()} == {(signal.SIGTERM,)}


def test_a_stop_in_the_middle_of_a_daily_restart_lets_it_drain(scene: Scene) -> None:
    """What drains already is not told again: a worker would take that for the request to stop at once."""
    rules = replace(RULES, drain_s=3.0)

    def stop_meanwhile() -> None:
        scene.wait_for_children(2)
        scene.now = NOON + timedelta(days=1)
        scene.wait_for(events.WORKER_RESTARTING)

    with pytest.raises(PagemillError, match="2 of 2"):
        scene.play(["drains_slowly"], stop_meanwhile, processes=2, rules=rules, restart_at="04:10")
    assert [heard for _name, _pid, heard in scene.children()] == [[signal.SIGTERM]] * 2


def test_a_daily_restart_waits_no_longer_than_a_drain_may_take(scene: Scene) -> None:
    """The rule of the kill stands behind it."""
    rules = replace(RULES, drain_s=0.5)

    def wait_a_day() -> None:
        scene.wait_for_children(1)
        scene.now = NOON + timedelta(days=1)
        scene.wait_for_children(2)

    scene.play(["drains_slowly", "beats"], wait_a_day, rules=rules, restart_at="04:10")
    assert [line["step"] for line in scene.logged(events.WORKER_STUCK)] == ["kill"]


def test_a_machine_that_starts_no_process_for_a_while_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many processes, too little memory: it counts as a crash of that place."""
    refusals = [OSError(11, "Resource temporarily unavailable")] * 2
    start = supervisor_module._start_undisturbed

    def start_if_possible(process: BaseProcess) -> None:
        if refusals:
            raise refusals.pop()
        start(process)

    monkeypatch.setattr(supervisor_module, "_start_undisturbed", start_if_possible)
    scene.play(["beats"], lambda: scene.wait_for_children(1))
    assert len(scene.logged(events.UNEXPECTED)) == 2
    assert len(scene.children()) == 1


def test_an_error_of_our_own_in_a_round_leaves_the_next_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that dies of a defect would leave all children unattended."""
    calls: list[Path] = []

    def fail(base: Path) -> int:
        calls.append(base)
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(supervisor_module, "sweep", fail)
    scene.play(["crashes", "beats"], lambda: scene.wait_for_children(2))
    assert calls == [scene.folder]
    assert len(scene.logged(events.UNEXPECTED)) == 1
    assert scene.logged(events.WORKER_ENDED, exit_code=0)
