"""SIGINT and SIGTERM while a process starts: what it has opened so far is closed, and that is a good end."""

from __future__ import annotations

import signal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_on_signals() -> None:
    """Until the process hears signals otherwise, each of them ends it with 0. To be called by the main thread.

    Python's own SIGTERM would leave Chromium and scratch files behind. A process that starts afresh in place of one
    that held signals back lets them in here.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)
