"""SIGINT and SIGTERM during a process' start: everything opened so far is closed, and the exit code is 0."""

from __future__ import annotations

import signal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_on_signals() -> None:
    """Makes SIGINT and SIGTERM end the process with 0, until other handlers are installed. For the main thread.

    Python's default for SIGTERM would leave Chromium and scratch files behind. Also unblocks these signals after a
    restart in place.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)
