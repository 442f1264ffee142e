"""Starting afresh: a process that has closed everything becomes a fresh one of the same command, under the same id.

Nobody has to start it again, and whoever started it (a terminal, a container, systemd) sees no end. All memory is new,
and so are code and configuration that have changed on disk.
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
    """Whether this process is to start afresh when it ends. One that is told to stop by a signal is not."""

    def __init__(self, check: Callable[[], object], stop: Callable[[], object] = lambda: None) -> None:
        """
        Args:
            check: raises a `PagemillError` where this command could not start now.
            stop: makes the process end what it does; also called in a signal handler.
        """
        self._check = check
        self._stop = stop
        self._is_asked = False
        self._is_stopped = False

    @property
    def is_over(self) -> bool:
        """Whether the process is to end, to start afresh or for good; looked at by one that has no `stop`."""
        return self._is_asked or self._is_stopped

    def orders(self) -> Mapping[str, Action]:
        """The orders by which it is asked."""
        return {RESTART: self._restart}

    def _restart(self, reason: str = "") -> None:
        """Where it would not come back it goes on as it is; whoever gave the order is told why."""
        self.check()
        self.ask()

    def check(self) -> None:
        """Makes sure that the fresh process would come up.

        Raises:
            PagemillError: it would not, as when the configuration has mistakes by now.
        """
        self._check()

    def ask(self) -> None:
        """Has the process end and start afresh; from any thread."""
        self._is_asked = True
        self._stop()

    def hear_signals(self) -> None:
        """From now on SIGINT and SIGTERM end the process for good. To be called by the main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self._is_stopped = True
        self._stop()

    def begin_if_asked(self) -> None:
        """Returns if nobody has asked, or if the process was told to stop since. By the main thread, at the very end.

        Raises:
            OSError: Python is not where it was.
        """
        if not self._is_asked:
            return
        # One that comes from here on is for the fresh process, which lets it in (`leave_on_signals`).
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        if self._is_stopped:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            return
        log.info(events.PROCESS_RESTARTING, pid=os.getpid())
        close_logging()
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell is wanted
