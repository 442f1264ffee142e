"""Restarts the fleet's workers one after another, so that the queue is served all the time.

Each one drains and ends with exit code 75; whoever started it (`--processes`, a container's restart policy, systemd)
starts a fresh one. Only when as many are alive again as before, the next one's turn comes. One restart at a time for
the whole fleet; how far it is stands in Redis, so that every API process can tell.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, cast
from uuid import uuid4

from pydantic import TypeAdapter
from redis import Redis, RedisError

from pagemill.errors import PagemillError
from pagemill.intake.leadership import Leadership, LeadLost
from pagemill.ops.fleet.actions import RESTART
from pagemill.ops.fleet.orders import give
from pagemill.ops.fleet.snapshot import WorkerSnapshot, read_fleet
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
    """One worker's turn."""

    worker: str
    state: StepState = "waiting"
    seconds: float = 0.0
    """Until as many were alive as before."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of the fleet and how far it is."""

    id: str
    state: RestartState
    started_at: datetime
    steps: tuple[RestartStep, ...]
    ended_at: datetime | None = None
    message: str = ""


_ADAPTER = TypeAdapter(Restart)


class _Stopped(PagemillError):
    """This process ends, or a worker did not come back."""


class RollingRestart:
    """One process' part in it. `start` and `latest` may be called from any thread."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        *,
        worker_timeout_s: float = WORKER_TIMEOUT_S,
        look_s: float = LOOK_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            redis: fails within seconds.
            name: this process', unique in the fleet.
            worker_timeout_s: how long one worker may take.
            look_s: between two looks at the fleet.
            now: the time of day, with its zone.
            now_s: monotonic seconds.
        """
        self._redis = redis
        self._lead = Leadership(redis, _LEADER_KEY, name, _LEAD_S)
        self._worker_timeout_s = worker_timeout_s
        self._look_s = look_s
        self._now = now
        self._now_s = now_s
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Restart | None:
        """Begins with the first worker; `None` while another restart is under way, here or elsewhere.

        Raises:
            RedisError: Redis does not answer.
        """
        with self._starting:
            if self._is_running or not self._lead.hold():
                return None
            workers = read_fleet(self._redis)
            steps = tuple(RestartStep(worker.name) for worker in workers)
            restart = Restart(uuid4().hex, "running", self._now(), steps)
            self._write(restart)
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(restart, workers), name="restart", daemon=True)
            self._thread.start()
            return restart

    def latest(self) -> Restart | None:
        """The one under way, or the last one that ended; `interrupted` when its process died over it.

        Raises:
            RedisError: Redis does not answer.
        """
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.get(_KEY)
            pipeline.exists(_LEADER_KEY)
            text, is_led = cast("tuple[bytes | None, int]", tuple(pipeline.execute()))
        if text is None:
            return None
        restart = _ADAPTER.validate_json(text)
        if restart.state == "running" and not is_led:
            return replace(restart, state="interrupted", message="the API process that did it is gone: start it again")
        return restart

    def close(self, timeout_s: float) -> None:
        """Ends after the order that is under way; what was not restarted yet goes on working."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self, restart: Restart, workers: Sequence[WorkerSnapshot]) -> None:
        state: RestartState = "failed"
        message = ""
        steps = list(restart.steps)
        try:
            for number, worker in enumerate(workers):
                begun_s = self._now_s()
                steps[number] = replace(steps[number], state="restarting")
                self._try_write(replace(restart, steps=tuple(steps)))
                try:
                    self._restart(worker, begun_s + self._worker_timeout_s)
                except PagemillError:
                    steps[number] = replace(steps[number], state="failed")
                    raise
                steps[number] = RestartStep(worker.name, "done", round(self._now_s() - begun_s, 1))
            state = "done"
        except LeadLost:
            message = "another API process took the restart over while Redis was away"
        except PagemillError as error:
            state, message = ("interrupted" if self._stop.is_set() else "failed"), str(error)
        except Exception:
            log.exception(events.UNEXPECTED, where="restarting the fleet")
            message = "it ended by an error; the API's log says which"
        finally:
            ended = replace(restart, state=state, steps=tuple(steps), ended_at=self._now(), message=message)
            log.info(events.FLEET_RESTARTED, state=state, workers=len(steps), message=message)
            self._try_write(ended)
            with contextlib.suppress(RedisError):  # it runs out by itself
                self._lead.release()

    def _restart(self, worker: WorkerSnapshot, deadline_s: float) -> None:
        before = 0
        heard = False
        while True:
            # A Redis that is away for moments ends nothing; the deadline holds.
            with contextlib.suppress(RedisError):
                self._lead.renew()
                alive = read_fleet(self._redis)
                is_gone = all(_identity(each) != _identity(worker) for each in alive)
                if not is_gone and not heard:
                    before = max(before, len(alive))
                    answer = give(self._redis, [worker.name], RESTART, _HEAR_S, reason="the fleet is restarted")[0]
                    heard = answer.done
                if is_gone and len(alive) >= before:
                    return
            if self._now_s() >= deadline_s:
                raise _Stopped(self._missed(worker.name, heard))
            if self._stop.wait(self._look_s):
                raise _Stopped("the API process ended before all workers were restarted")

    def _missed(self, worker: str, heard: bool) -> str:
        if not heard:
            return f"timeout: {worker} did not hear the order within {self._worker_timeout_s:g} s: see its log"
        return (
            f"timeout: no fresh worker took the place of {worker} within {self._worker_timeout_s:g} s. A worker ends "
            "with exit code 75 and comes back only if something starts it again: `pagemill worker --processes N`, "
            "a container with a restart policy, or systemd"
        )

    def _write(self, restart: Restart) -> None:
        self._redis.set(_KEY, _ADAPTER.dump_json(restart), ex=_KEPT_S)

    def _try_write(self, restart: Restart) -> None:
        try:
            self._write(restart)
        except RedisError as error:
            log.warning(events.UNEXPECTED, where="noting how far the restart is", error=str(error))


def _identity(worker: WorkerSnapshot) -> tuple[str, int, datetime | None]:
    return worker.name, worker.pid, worker.started_at
