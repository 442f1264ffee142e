"""Restarts a process in place: when it has closed everything, it executes the same command again under the same id.

Nobody has to start it again, and its parent (a terminal, a container, systemd) sees no end. The new process has fresh
memory, and it reads code and configuration that have changed on disk.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping

from pagemill.fleet.actions import RESTART
from pagemill.fleet.orders import Action
from pagemill.telemetry import events
from pagemill.telemetry.logging import close_logging, get_logger
from pagemill.worker.start_signals import STOP_SIGNALS

log = get_logger("app")


class Afresh:
    """Whether this process restarts when it ends. A process that a signal has stopped does not."""

    def __init__(self, check: Callable[[], object], stop: Callable[[], object] = lambda: None) -> None:
        """
        Args:
            check: raises a `PagemillError` if this command could not start now.
            stop: makes the process end its work; also called from a signal handler.
        """
        self._check = check
        self._stop = stop
        self._is_asked = False
        self._is_stopped = False

    @property
    def is_over(self) -> bool:
        """Whether the process must end, to restart or for good. Read by processes that have no `stop`."""
        return self._is_asked or self._is_stopped

    def orders(self) -> Mapping[str, Action]:
        """The orders that request a restart."""
        return {RESTART: self._restart}

    def _restart(self, reason: str = "") -> None:
        """Requests a restart. If the process could not start again it goes on, and the error answers the order."""
        self.check()
        self.ask()

    def check(self) -> None:
        """Checks that the new process would start.

        Raises:
            PagemillError: it would not, for example because the configuration has mistakes by now.
        """
        self._check()

    def ask(self) -> None:
        """Makes the process end and restart. May be called from any thread."""
        self._is_asked = True
        self._stop()

    def hear_signals(self) -> None:
        """Makes SIGINT and SIGTERM end the process for good. To be called from the main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self._is_stopped = True
        self._stop()

    def begin_if_asked(self) -> None:
        """Restarts, if that was requested and no stop signal came since. To be called last, from the main thread.

        Raises:
            OSError: the Python executable is not where it was.
        """
        if not self._is_asked:
            return
        # A signal that arrives from here on is kept for the new process, which unblocks it (`leave_on_signals`).
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        if self._is_stopped:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            return
        log.info(events.PROCESS_RESTARTING, pid=os.getpid())
        close_logging()
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell is wanted
