"""One of the supervisor's places for a worker process: starts the process, observes it, and carries out decisions."""

from __future__ import annotations

import os
import signal
from multiprocessing.process import BaseProcess

from pagemill.guard.process_tree import read_stat
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker.child import Beat
from pagemill.worker.daily_restart import Occupant
from pagemill.worker.restart_policy import ChildOrder, ChildState, ChildStep

log = get_logger("supervisor")


class SupervisedProcess:
    """One place, which has one process after another. No method waits for a process."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.respawn_at_s: float | None = None
        """When the next process is due; `None` while there is one, and if the place stays empty."""
        self.last_end: ChildState | None = None
        self.name = ""
        """The name of its process."""
        self._process: BaseProcess | None = None
        self._beat: Beat | None = None
        self._generation = 0
        self._crashes = 0
        self._started_s = 0.0
        self._first_beat_s: float | None = None
        self._stopped_since_s: float | None = None
        self._continued_s: float | None = None
        self._kill_at_s: float | None = None
        self._stuck = False

    @property
    def is_held(self) -> bool:
        """Whether the place has a process, including one that has ended but was not removed yet."""
        return self._process is not None

    @property
    def is_told(self) -> bool:
        """Whether the process was told to end."""
        return self._kill_at_s is not None

    def take(self, name: str, process: BaseProcess, beat: Beat, now_s: float) -> None:
        """Records that a process was started for this place."""
        self._process, self.name, self._beat = process, name, beat
        self._generation += 1
        self._started_s = now_s
        self._first_beat_s = self._stopped_since_s = self._continued_s = self._kill_at_s = None
        self._stuck = False
        self.respawn_at_s = None

    def failed_start(self, now_s: float, exit_code: int) -> ChildState:
        """The state of a process that could not be started."""
        return ChildState(started_s=now_s, ended_s=now_s, exit_code=exit_code, crashes=self._crashes)

    def clear(self, order: ChildOrder, end: ChildState) -> None:
        """Records the end of the process; `order` says what comes next."""
        self._process = None
        self._crashes = order.crashes
        self.respawn_at_s = order.at_s if order.step is ChildStep.RESPAWN else None
        self.last_end = end

    def look(self, now_s: float, watched_since_s: float) -> ChildState:
        """The present state of the process."""
        exit_code = self._process.exitcode if self._process is not None else None
        last_beat_s = (self._beat.value if self._beat is not None else 0.0) or None
        if self._first_beat_s is None:
            self._first_beat_s = last_beat_s
        if self._continued_s is not None and last_beat_s is not None and last_beat_s > self._continued_s:
            self._continued_s = None
        pid = self._process.pid if self._process is not None else None
        if exit_code is None and pid is not None and _is_stopped(pid):
            if self._stopped_since_s is None:
                self._stopped_since_s = now_s
        else:
            self._stopped_since_s = None
        return ChildState(
            started_s=self._started_s,
            first_beat_s=self._first_beat_s,
            last_beat_s=last_beat_s,
            watched_since_s=watched_since_s,
            stopped_since_s=self._stopped_since_s,
            continued_s=self._continued_s,
            kill_at_s=self._kill_at_s,
            stuck=self._stuck,
            ended_s=now_s if exit_code is not None else None,
            exit_code=exit_code,
            crashes=self._crashes,
        )

    def occupant(self) -> Occupant:
        """The process as the daily restart needs it."""
        has_beaten = self._beat is not None and self._beat.value > 0
        return Occupant(self.number, self._generation, self.is_held and has_beaten and not self.is_told)

    def tell(self, now_s: float, grace_s: float) -> None:
        """Sends SIGTERM and sets the time of the kill. Does not log, because a signal handler may call it."""
        if self._process is not None:
            kill_at_s = now_s + grace_s
            self._kill_at_s = kill_at_s if self._kill_at_s is None else min(self._kill_at_s, kill_at_s)
            self._process.terminate()

    def restart(self, now_s: float, grace_s: float) -> None:
        """Drains a healthy process, so that a new one takes its place."""
        if self._process is not None:
            log.info(events.WORKER_RESTARTING, worker=self.name, pid=self._process.pid)
            self.tell(now_s, grace_s)

    def heal(self, step: ChildStep, child: ChildState, now_s: float, grace_s: float) -> None:
        """Carries out a decision of `restart_policy` on a living process."""
        if self._process is None or self._process.pid is None or step is ChildStep.NOTHING:
            return
        log.warning(
            events.WORKER_STUCK,
            worker=self.name,
            pid=self._process.pid,
            silent_s=round(child.silent_s(now_s), 1),
            step=step.value,
        )
        if step is ChildStep.CONTINUE:
            self._stopped_since_s, self._continued_s = now_s, now_s
            # Not waited for yet, so the pid still belongs to this process.
            os.kill(self._process.pid, signal.SIGCONT)
        elif step is ChildStep.TERMINATE:
            self._stuck = True
            self.tell(now_s, grace_s)
        elif step is ChildStep.KILL:
            # Once is enough: a process that survives SIGKILL hangs in the kernel.
            self._kill_at_s = float("inf")
            self._process.kill()


def _is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process. Being stopped by a debugger is another state and does not count."""
    stat = read_stat(pid)
    return stat is not None and stat.state == "T"
