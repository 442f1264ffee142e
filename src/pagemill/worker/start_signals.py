"""SIGINT and SIGTERM while a worker starts: what it has opened so far is closed, and that is a good end."""

from __future__ import annotations

import signal


def leave_on_signals() -> None:
    """Until RQ hears signals itself, each of them ends this process with 0. To be called by the main thread.

    Python's own SIGTERM would leave Chromium and scratch files behind.
    """
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)
