"""The child's side of supervision: its own process group, its beat, and a check whether the supervisor still lives.

Runs in a fresh interpreter before anything else of pagemill, so it imports little. Does not know what it runs.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from ctypes import c_double
from multiprocessing import get_context

from pagemill.worker.start_signals import leave_on_signals

Beat = c_double
"""A number that parent and child share: the monotonic time in seconds of the last beat, 0 before the first."""
RunWorker = Callable[[str, bool, Callable[[], None]], None]
"""Runs a worker until it stops. Arguments: its name, whether it stops at empty queues, and its beat function."""


def new_beat() -> Beat:
    """A beat for a process that will be spawned.

    It has no lock, because a killed child would never release it, and the supervisor would wait for ever. Eight bytes
    are read and written atomically.
    """
    beat: Beat = get_context("spawn").RawValue("d", 0.0)
    return beat


class Pulse:
    """The function that the child calls while it makes progress."""

    def __init__(self, beat: Beat, supervisor_pid: int) -> None:
        self._beat = beat
        self._supervisor_pid = supervisor_pid
        self._orphaned = False

    def __call__(self) -> None:
        """Beats. If the supervisor has died, it also drains this process, because nobody would restart or stop it."""
        # The monotonic clock is the same for all processes of a machine.
        self._beat.value = time.monotonic()
        if not self._orphaned and os.getppid() != self._supervisor_pid:
            self._orphaned = True
            os.kill(os.getpid(), signal.SIGTERM)


def run_child(run_worker: RunWorker, name: str, burst: bool, beat: Beat, supervisor_pid: int) -> None:
    """The entry point of a spawned child process."""
    # Ctrl+C reaches the terminal's whole process group. The child must get only the supervisor's SIGTERM: RQ would take
    # both together for two requests, and the second one stops at once.
    os.setpgid(0, 0)
    # The supervisor blocks SIGINT while it spawns. A SIGINT that came meanwhile was meant for the supervisor.
    signal.signal(signal.SIGINT, _ignore)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    leave_on_signals()
    run_worker(name, burst, Pulse(beat, supervisor_pid))


def _ignore(_number: int, _frame: object) -> None:
    pass
