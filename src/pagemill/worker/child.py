"""The child's side of supervision: a process group of its own, the beat, and an eye on the supervisor.

Runs in a fresh interpreter before anything else of pagemill, so it imports little. Knows nothing of what it runs.
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
"""One number that parent and child share: the monotonic time of the last beat, 0 before the first."""
RunWorker = Callable[[str, bool, Callable[[], None]], None]
"""Runs a worker until it stops: its name, whether it stops at empty queues, what to call while it makes progress."""


def new_beat() -> Beat:
    """A beat to be handed to a spawned process.

    It has no lock: a child that is killed would take it along, and the supervisor would wait for it for ever. A number
    of eight bytes is written and read whole.
    """
    beat: Beat = get_context("spawn").RawValue("d", 0.0)
    return beat


class Pulse:
    """What the child calls while it makes progress."""

    def __init__(self, beat: Beat, supervisor_pid: int) -> None:
        self._beat = beat
        self._supervisor_pid = supervisor_pid
        self._orphaned = False

    def __call__(self) -> None:
        """Beats. Once the supervisor is gone it asks its own process to drain: nobody would heal it, or stop it."""
        # One clock for all processes of the machine.
        self._beat.value = time.monotonic()
        if not self._orphaned and os.getppid() != self._supervisor_pid:
            self._orphaned = True
            os.kill(os.getpid(), signal.SIGTERM)


def run_child(run_worker: RunWorker, name: str, burst: bool, beat: Beat, supervisor_pid: int) -> None:
    """The target of a spawned process."""
    # Ctrl+C reaches the terminal's whole process group. Here it must come as the supervisor's SIGTERM only: both
    # together are two requests for RQ, and the second one means at once.
    os.setpgid(0, 0)
    # The supervisor holds SIGINT back while it spawns. One that has come meanwhile was its own.
    signal.signal(signal.SIGINT, _ignore)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    leave_on_signals()
    run_worker(name, burst, Pulse(beat, supervisor_pid))


def _ignore(_number: int, _frame: object) -> None:
    pass
