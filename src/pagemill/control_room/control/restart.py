"""Restarts the fleet one process after another: workers, then schedulers, then API processes. The queue stays served.

A worker drains and ends with exit code 75; a supervisor, a container's restart policy or systemd starts a new one.
Schedulers and API processes restart themselves. The next process follows only when as many of the role are alive as
before. The API process that does this, the conductor, restarts last: it records that the others are done, and after its
restart it records that it is back. The whole fleet has one restart at a time. Its progress is in Redis, so that every
API process can show it.
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
    """One process' restart."""

    name: Annotated[str, Field(validation_alias=AliasChoices("name", "worker"))]
    """pagemill 0.1 wrote the key `worker`, because it restarted only workers."""
    role: str = WORKER
    state: StepState = "waiting"
    seconds: float = 0.0
    """The time until as many processes of its role were alive as before."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of the fleet, with its progress."""

    id: str
    state: RestartState
    started_at: datetime
    steps: tuple[RestartStep, ...]
    ended_at: datetime | None = None
    message: str = ""
    conductor: str = ""
    """Host and process id of the conducting API process; they stay the same when it restarts."""

    @property
    def awaits_conductor(self) -> bool:
        """Whether only the return of the conducting API process is missing."""
        return self.state == "done" and bool(self.steps) and self.steps[-1].state == "restarting"

    def with_last(self, state: StepState, seconds: float) -> Restart:
        """The same restart with another state of its last step."""
        return replace(self, steps=(*self.steps[:-1], replace(self.steps[-1], state=state, seconds=seconds)))


_ADAPTER = TypeAdapter(Restart)


class _Stopped(PagemillError):
    """This process is ending, or another one did not come back."""


class StartsAfresh(Protocol):
    """How the conducting process restarts itself. A protocol because the real thing, `app.fresh_start`,
    stands above this folder."""

    def check(self) -> None:
        """Raises a `PagemillError` if the process could not start again."""
        ...

    def ask(self) -> None:
        """Makes this process end and restart."""
        ...


class RollingRestart:
    """One process' share of the fleet's restarts. `start` and `latest` may be called from any thread."""

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
            name: this process' name, unique in the fleet.
            itself: restarts this process; without it only the others are restarted.
            worker_timeout_s: the time limit for each process' restart.
            look_s: seconds between two looks at the fleet.
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
        """Starts a restart of the fleet; `None` while another one is running, here or in another process.

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
        """The running restart, or the last one; its state is `interrupted` if its conductor died.

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
        """Records the return of this process, if it conducted the latest restart and has just restarted itself.

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
        """Stops after the current order; processes that were not restarted yet go on working."""
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
            with contextlib.suppress(RedisError):  # the lead expires by itself
                self._lead.release()
        if state == "done" and self._itself is not None:
            self._itself.ask()

    def _restart(self, one: Restartable, deadline_s: float) -> None:
        before = 0
        heard = False
        while True:
            # A short outage of Redis must not end the restart; the deadline still applies.
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
        """The latest restart, and whether an API process is conducting it now."""
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
