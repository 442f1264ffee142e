"""Several worker processes under one parent: RQ's WorkerPool, changed so that it restarts pagemill's workers.

Each child is a fresh interpreter that builds its own parts, because a browser does not survive a fork. RQ's loop calls
the hooks below once a second. A round never waits for a process or for Redis, so that neither a bad child nor an outage
harms the others.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from multiprocessing import get_context, resource_tracker
from multiprocessing.process import BaseProcess
from os import EX_OSERR, getpid
from pathlib import Path
from socket import gethostname
from typing import Any
from uuid import uuid4

from redis import Redis
from rq.serializers import JSONSerializer
from rq.worker_pool import WorkerData, WorkerPool

from pagemill.errors import PagemillError, ServiceUnavailable
from pagemill.guard.scratch import sweep
from pagemill.intake.batch_job import queue_name
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker.child import RunWorker, new_beat, run_child
from pagemill.worker.daily_restart import DailyRestart
from pagemill.worker.restart_policy import ChildState, ChildStep, RestartRules, decide_restart, restart_advice
from pagemill.worker.supervised_process import SupervisedProcess

log = get_logger("supervisor")

_PAUSED_S = 10.0
"""A round this late means that this process was paused, not that its children were silent."""
_SECOND_SIGNAL_S = 1.0
"""Signals closer together than this count as one request, as in RQ's workers."""


def local_time() -> datetime:
    """The local time of this process."""
    return datetime.now().astimezone()


class Supervisor(WorkerPool):
    """Keeps a number of worker processes running and healthy."""

    def __init__(
        self,
        platforms: Sequence[str],
        connection: Redis,
        processes: int,
        run_worker: RunWorker,
        rules: RestartRules,
        restart_at: str | None = None,
        clock: Callable[[], datetime] = local_time,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            platforms: the platforms whose queues the workers serve.
            connection: required by RQ, but not used.
            processes: the number of processes.
            run_worker: runs in each child until the child stops; it must be importable by name.
            rules: when a child is continued, ended or replaced.
            restart_at: local time of day (`HH:MM`) at which every child is replaced, one by one; not in a burst.
            clock: gives the local time.
            on_round: called about every second.
        """
        super().__init__(
            [queue_name(platform) for platform in platforms],
            connection=connection,
            num_workers=processes,
            serializer=JSONSerializer,
        )
        self._run_worker = run_worker
        self._rules = rules
        self._restart_at = restart_at
        self._clock = clock
        self._on_round = on_round
        self._places = [SupervisedProcess(number) for number in range(processes)]
        self._daily = DailyRestart(None, clock())
        self._told_s: float | None = None
        self._failure: PagemillError | None = None
        self._round_s = self._watched_since_s = time.monotonic()

    def start(self, burst: bool = False, logging_level: str = "WARNING") -> None:
        """Returns when it was told to stop and all children have ended, or with `burst` when the queues are empty.

        Raises:
            ServiceUnavailable: a child crashed again and again; the others were drained.
            PagemillError: a child ended with an error after it was told to stop.
        """
        # If SIGCHLD were ignored, as a parent may have set it, the children's exit codes would be lost.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Installed before RQ does it, because RQ starts the children first.
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)
        self._daily = DailyRestart(None if burst else self._restart_at, self._clock())
        try:
            super().start(burst=burst, logging_level=logging_level)
        finally:
            self._drain_all(time.monotonic())
        if self._failure is not None:
            raise self._failure
        bad = [end.exit_code for place in self._places if (end := place.last_end) is not None and not end.ended_well]
        if bad:
            many = f"{len(bad)} of {self.num_workers} worker processes"
            raise PagemillError(f"{many} did not end well: exit code {bad[0]}; the log tells more")

    # Hooks of RQ's loop

    def start_workers(self, *_arguments: Any, **_options: Any) -> None:
        """RQ's hook: starts the first processes."""
        now_s = time.monotonic()
        for place in self._places:
            place.respawn_at_s = now_s
        self._look_after_all()

    def check_workers(self, respawn: bool = True) -> None:
        """RQ's hook, once a second. In a burst RQ passes `respawn=False`, but a crashed process is still replaced."""
        self._look_after_all()

    def all_workers_have_stopped(self) -> bool:
        """RQ's hook, once a second while stopping."""
        self._look_after_all()
        return self.number_of_active_workers == 0

    @property
    def number_of_active_workers(self) -> int:
        """RQ's hook: the number of places with a process now or later. In a burst RQ's loop ends at 0."""
        return sum(place.is_held or (place.respawn_at_s is not None and not self._stopping) for place in self._places)

    def request_stop(self, signum: Any = None, frame: Any = None) -> None:
        """RQ's signal handler. The first signal drains the children; a later one ends them at once.

        Does not log, because the signal may have interrupted the writing of a log line.
        """
        now_s = time.monotonic()
        if self._told_s is None:
            self._told_s = now_s
            self.status = self.Status.STOPPED
            self._drain_all(now_s)
        elif now_s - self._told_s >= _SECOND_SIGNAL_S:
            self._told_s = now_s
            for place in self._places:
                place.tell(now_s, self._rules.stop_grace_s)

    def get_worker_process(self, name: str, burst: bool, *rest: Any, **_options: Any) -> BaseProcess:
        """RQ's hook: the process of one worker, not started yet."""
        (beat,) = rest
        arguments = (self._run_worker, name, burst, beat, getpid())
        return get_context("spawn").Process(target=run_child, args=arguments, name=name)

    # One round

    @property
    def _stopping(self) -> bool:
        return self._told_s is not None or self._failure is not None

    def _look_after_all(self) -> None:
        now_s = time.monotonic()
        if now_s - self._round_s > _PAUSED_S:
            self._watched_since_s = now_s
        self._round_s = now_s
        if self._stopping:
            self.status = self.Status.STOPPED
        tasks: list[Callable[[], None]] = [partial(self._look_after, place) for place in self._places]
        for task in (*tasks, self._restart_daily, self._on_round):
            try:
                task()
            except Exception:
                # The other tasks and the next round must go on, or no process would be restarted or stopped.
                log.exception(events.UNEXPECTED, where="a round of the supervisor")

    def _look_after(self, place: SupervisedProcess) -> None:
        now_s = time.monotonic()
        if not place.is_held:
            if place.respawn_at_s is not None and place.respawn_at_s <= now_s and not self._stopping:
                self._spawn(place, now_s)
            return
        child = place.look(now_s, self._watched_since_s)
        if child.exit_code is not None:
            self._bury(place, child, now_s)
            return
        if self._stopping and not place.is_told:
            # The process was being started when all others were told to end.
            place.tell(now_s, self._rules.drain_s)
        order = decide_restart(now_s, child, self._rules)
        place.heal(order.step, child, now_s, self._rules.stop_grace_s)

    def _restart_daily(self) -> None:
        number = self._daily.next_place(self._clock(), [place.occupant() for place in self._places])
        if number is not None and not self._stopping:
            self._places[number].restart(time.monotonic(), self._rules.drain_s)

    def _drain_all(self, now_s: float) -> None:
        for place in self._places:
            # A second SIGTERM would stop a draining process at once.
            if not place.is_told:
                place.tell(now_s, self._rules.drain_s)

    # Start and end of a process

    def _spawn(self, place: SupervisedProcess, now_s: float) -> None:
        name, beat = f"{gethostname()}-{place.number + 1}-{uuid4().hex[:6]}", new_beat()
        process = self.get_worker_process(name, self._burst, beat)
        try:
            _start_undisturbed(process)
        except OSError as error:
            log.error(events.UNEXPECTED, where="starting a worker process", error=str(error))
            self._settle(place, place.failed_start(now_s, EX_OSERR), now_s)
            return
        assert process.pid is not None
        place.take(name, process, beat, now_s)
        self.worker_dict[name] = WorkerData(name=name, pid=process.pid, process=process)
        log.info(events.WORKER_SPAWNED, worker=name, pid=process.pid)

    def _bury(self, place: SupervisedProcess, end: ChildState, now_s: float) -> None:
        data = self.worker_dict.pop(place.name)
        write = log.info if end.ended_well else log.warning
        write(events.WORKER_ENDED, worker=data.name, pid=data.pid, exit_code=end.exit_code)
        self._settle(place, end, now_s)
        if not end.ended_well:
            # A killed worker leaves its browser behind.
            sweep(Path(tempfile.gettempdir()))

    def _settle(self, place: SupervisedProcess, end: ChildState, now_s: float) -> None:
        order = decide_restart(now_s, end, self._rules, burst=self._burst, stopping=self._stopping)
        place.clear(order, end)
        if order.step is ChildStep.GIVE_UP:
            self._give_up(order.crashes, end.exit_code or 0)

    def _give_up(self, crashes: int, exit_code: int) -> None:
        remedy = restart_advice(exit_code)
        log.error(events.CRASH_LOOP, crashes=crashes, exit_code=exit_code, remedy=remedy)
        self._failure = ServiceUnavailable(
            f"worker processes ended {crashes} times in a row, the last one with exit code {exit_code}: {remedy}"
        )
        self._drain_all(time.monotonic())


def _start_undisturbed(process: BaseProcess) -> None:
    """Starts it with SIGINT blocked, until it has its own process group and Ctrl+C no longer reaches it."""
    # Started before, because its start, which the first process would cause, unblocks SIGINT.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
