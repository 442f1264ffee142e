"""Restarts the fleet one process after another, so that the queue is served all the time: workers, schedulers, APIs.

A worker drains and ends with exit code 75; whoever started it (`--processes`, a container's restart policy, systemd)
starts a fresh one. Schedulers and API processes become fresh ones by themselves. Only when as many of its kind are
alive again as before, the next one's turn comes. The API process that conducts all this comes last: it notes that the
rest is done, and the fresh one in its place notes that it is back. One restart at a time for the whole fleet; how far
it is stands in Redis, so that every API process can tell.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Protocol, cast
from uuid import uuid4

from pydantic import AliasChoices, Field, TypeAdapter
from redis import Redis, RedisError

from pagemill.broker.leadership import Leadership
from pagemill.control_room.control.restartable import WORKER, Restartable, in_turn, living, tell_to_restart
from pagemill.errors import LeadLost, PagemillError
from pagemill.fleet.processes import API
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("restart")

_KEY = "pagemill:restart"
_LEADER_KEY = "pagemill:restart:leader"
_KEPT_S = 7 * 24 * 3600
_LEAD_S = 30.0
_HEAR_S = 5.0
WORKER_TIMEOUT_S = 300.0
LOOK_S = 1.0

StepState = Literal["waiting", "restarting", "done", "failed"]
RestartState = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class RestartStep:
    """One process' turn."""

    name: Annotated[str, Field(validation_alias=AliasChoices("name", "worker"))]
    """Restarts that 0.1 has noted know workers only."""
    role: str = WORKER
    state: StepState = "waiting"
    seconds: float = 0.0
    """Until as many of its role were alive as before."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of the fleet and how far it is."""

    id: str
    state: RestartState
    started_at: datetime
    steps: tuple[RestartStep, ...]
    ended_at: datetime | None = None
    message: str = ""
    conductor: str = ""
    """Host and process id of the API process that does it; the fresh one in its place has the same."""

    @property
    def awaits_conductor(self) -> bool:
        """Whether all that is left is that the API process which did it comes back."""
        return self.state == "done" and bool(self.steps) and self.steps[-1].state == "restarting"

    def with_last(self, state: StepState, seconds: float) -> Restart:
        """The same with another state of the last step."""
        return replace(self, steps=(*self.steps[:-1], replace(self.steps[-1], state=state, seconds=seconds)))


_ADAPTER = TypeAdapter(Restart)


class _Stopped(PagemillError):
    """This process ends, or another one did not come back."""


class StartsAfresh(Protocol):
    """How the process that conducts a restart restarts itself. A protocol because the real thing, `app.fresh_start`,
    stands above this folder."""

    def check(self) -> None:
        """Raises a `PagemillError` where a fresh process would not come up."""
        ...

    def ask(self) -> None:
        """Has this process end and start afresh."""
        ...


class RollingRestart:
    """One process' part in it. `start` and `latest` may be called from any thread."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        *,
        itself: StartsAfresh | None = None,
        worker_timeout_s: float = WORKER_TIMEOUT_S,
        look_s: float = LOOK_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            redis: fails within seconds.
            name: this process', unique in the fleet.
            itself: restarts this process; without it the others are all.
            worker_timeout_s: how long one worker, or another process, may take.
            look_s: between two looks at the fleet.
            now: the time of day, with its zone.
            now_s: monotonic seconds.
        """
        self._redis = redis
        self._name = name
        self._itself = itself
        self._here = f"{socket.gethostname()} {os.getpid()}"
        self._lead = Leadership(redis, _LEADER_KEY, name, _LEAD_S)
        self._worker_timeout_s = worker_timeout_s
        self._look_s = look_s
        self._now = now
        self._now_s = now_s
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Restart | None:
        """Begins with the first one; `None` while another restart is under way, here or elsewhere.

        Raises:
            RedisError: Redis does not answer.
        """
        with self._starting:
            if self._is_running or not self._lead.hold():
                return None
            others = in_turn(self._redis, self._name)
            steps = [RestartStep(one.name, one.role) for one in others]
            if self._itself is not None:
                steps.append(RestartStep(self._name, API))
            restart = Restart(uuid4().hex, "running", self._now(), tuple(steps), conductor=self._here)
            self._write(restart)
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(restart, others), name="restart", daemon=True)
            self._thread.start()
            return restart

    def latest(self) -> Restart | None:
        """The one under way, or the last one that ended; `interrupted` when its process died over it.

        Raises:
            RedisError: Redis does not answer.
        """
        restart, is_led = self._read()
        if restart is None:
            return None
        if restart.state == "running" and not is_led:
            return replace(restart, state="interrupted", message="the API process that did it is gone: start it again")
        if restart.awaits_conductor and restart.ended_at is not None:
            away = self._now() - restart.ended_at
            if away > timedelta(seconds=self._worker_timeout_s):
                message = f"the API process that did it, {restart.steps[-1].name}, did not come back: see its log"
                return replace(restart.with_last("failed", self._worker_timeout_s), state="failed", message=message)
        return restart

    def note_return(self) -> None:
        """Where this is the fresh one in place of the process that conducted the latest restart: notes that it is back.

        Raises:
            RedisError: Redis does not answer.
        """
        restart, _ = self._read()
        if restart is None or not restart.awaits_conductor or restart.conductor != self._here:
            return
        now = self._now()
        away = now - (restart.ended_at or now)
        self._write(replace(restart.with_last("done", round(away.total_seconds(), 1)), ended_at=now))

    def close(self, timeout_s: float) -> None:
        """Ends after the order that is under way; what was not restarted yet goes on working."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self, restart: Restart, others: Sequence[Restartable]) -> None:
        state: RestartState = "failed"
        message = ""
        steps = list(restart.steps)
        number = 0
        try:
            for number, one in enumerate(others):
                begun_s = self._now_s()
                steps[number] = replace(steps[number], state="restarting")
                self._try_write(replace(restart, steps=tuple(steps)))
                self._restart(one, begun_s + self._worker_timeout_s)
                steps[number] = replace(steps[number], state="done", seconds=round(self._now_s() - begun_s, 1))
            if self._itself is not None:
                number = len(others)
                steps[number] = replace(steps[number], state="restarting")
                self._itself.check()
            state = "done"
        except LeadLost:
            message = "another API process took the restart over while Redis was away"
        except PagemillError as error:
            state, message = ("interrupted" if self._stop.is_set() else "failed"), str(error)
        except Exception:
            log.exception(events.UNEXPECTED, where="restarting the fleet")
            message = "it ended by an error; the API's log says which"
        finally:
            if state != "done" and steps:
                steps[number] = replace(steps[number], state="failed")
            ended = replace(restart, state=state, steps=tuple(steps), ended_at=self._now(), message=message)
            workers = sum(step.role == WORKER for step in steps)
            log.info(
                events.FLEET_RESTARTED, state=state, workers=workers, processes=len(steps) - workers, message=message
            )
            self._try_write(ended)
            with contextlib.suppress(RedisError):  # it runs out by itself
                self._lead.release()
        if state == "done" and self._itself is not None:
            self._itself.ask()

    def _restart(self, one: Restartable, deadline_s: float) -> None:
        before = 0
        heard = False
        while True:
            # A Redis that is away for moments ends nothing; the deadline holds.
            with contextlib.suppress(RedisError):
                self._lead.renew()
                alive = living(self._redis, one.role)
                is_gone = one not in alive
                if not is_gone and not heard:
                    before = max(before, len(alive))
                    answer = tell_to_restart(self._redis, one, _HEAR_S)
                    heard = answer.done
                    if answer.heard and answer.error and one.role != WORKER:
                        raise _Stopped(f"{one.name} goes on as it is: {answer.error}")
                if is_gone and len(alive) >= before:
                    return
            if self._now_s() >= deadline_s:
                raise _Stopped(self._missed(one, heard))
            if self._stop.wait(self._look_s):
                raise _Stopped("the API process ended before all were restarted")

    def _missed(self, one: Restartable, heard: bool) -> str:
        if not heard:
            return f"timeout: {one.name} did not hear the order within {self._worker_timeout_s:g} s: see its log"
        missed = f"timeout: no fresh {one.role} took the place of {one.name} within {self._worker_timeout_s:g} s"
        if one.role != WORKER:
            return f"{missed}: see its log"
        return (
            f"{missed}. A worker ends with exit code 75 and comes back only if something starts it again: "
            "`pagemill worker --processes N`, a container with a restart policy, or systemd"
        )

    def _read(self) -> tuple[Restart | None, bool]:
        """The latest one, and whether somebody is about it."""
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.get(_KEY)
            pipeline.exists(_LEADER_KEY)
            text, is_led = cast("tuple[bytes | None, int]", tuple(pipeline.execute()))
        return (None if text is None else _ADAPTER.validate_json(text)), bool(is_led)

    def _write(self, restart: Restart) -> None:
        self._redis.set(_KEY, _ADAPTER.dump_json(restart), ex=_KEPT_S)

    def _try_write(self, restart: Restart) -> None:
        try:
            self._write(restart)
        except RedisError as error:
            log.warning(events.UNEXPECTED, where="noting how far the restart is", error=str(error))
