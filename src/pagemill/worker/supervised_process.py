"""One of the worker processes that a supervisor keeps running: starts it, looks at it, and does what was decided."""

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
    """One place, held by one process after another. Nothing here waits for one."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.respawn_at_s: float | None = None
        """When its next process is due; `None` while it is held, and when it stays empty."""
        self.last_end: ChildState | None = None
        self.name = ""
        """Its process' name."""
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
        """Whether it has a process, be it one that has ended and was not cleared away yet."""
        return self._process is not None

    @property
    def is_told(self) -> bool:
        """Whether its process was told to end."""
        return self._kill_at_s is not None

    def take(self, name: str, process: BaseProcess, beat: Beat, now_s: float) -> None:
        """A process has been started for it."""
        self._process, self.name, self._beat = process, name, beat
        self._generation += 1
        self._started_s = now_s
        self._first_beat_s = self._stopped_since_s = self._continued_s = self._kill_at_s = None
        self._stuck = False
        self.respawn_at_s = None

    def failed_start(self, now_s: float, exit_code: int) -> ChildState:
        """What a process that could not even be started leaves."""
        return ChildState(started_s=now_s, ended_s=now_s, exit_code=exit_code, crashes=self._crashes)

    def clear(self, order: ChildOrder, end: ChildState) -> None:
        """Its process has ended so, or could not be started; `order` says what comes next."""
        self._process = None
        self._crashes = order.crashes
        self.respawn_at_s = order.at_s if order.step is ChildStep.RESPAWN else None
        self.last_end = end

    def look(self, now_s: float, watched_since_s: float) -> ChildState:
        """What is to be known about its process now."""
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
        """What the daily restart wants to know."""
        has_beaten = self._beat is not None and self._beat.value > 0
        return Occupant(self.number, self._generation, self.is_held and has_beaten and not self.is_told)

    def tell(self, now_s: float, grace_s: float) -> None:
        """SIGTERM, and a time by which it must have ended. Writes no log: a signal handler may call it."""
        if self._process is not None:
            kill_at_s = now_s + grace_s
            self._kill_at_s = kill_at_s if self._kill_at_s is None else min(self._kill_at_s, kill_at_s)
            self._process.terminate()

    def restart(self, now_s: float, grace_s: float) -> None:
        """Drains a process that is well, for a fresh one."""
        if self._process is not None:
            log.info(events.WORKER_RESTARTING, worker=self.name, pid=self._process.pid)
            self.tell(now_s, grace_s)

    def heal(self, step: ChildStep, child: ChildState, now_s: float, grace_s: float) -> None:
        """Does to a living process what `restart_policy` decided."""
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
            # Not waited for yet, so the number is still its own.
            os.kill(self._process.pid, signal.SIGCONT)
        elif step is ChildStep.TERMINATE:
            self._stuck = True
            self.tell(now_s, grace_s)
        elif step is ChildStep.KILL:
            # Once is enough; what does not die of it hangs in the kernel.
            self._kill_at_s = float("inf")
            self._process.kill()


def _is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process. A debugger's stop is another state, and the debugger's business."""
    stat = read_stat(pid)
    return stat is not None and stat.state == "T"
