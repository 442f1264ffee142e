"""Whether the results database answers. Asked at most every few seconds, however many requests want to know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pagemill.errors import PagemillError

_FRESH_S = 5.0


class DatabaseCheck:
    """May be used from many threads: while one of them asks, the others get the last known answer."""

    def __init__(self, ask: Callable[[], object], now_s: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            ask: a cheap query with its own deadline; raises a `PagemillError` if the database does not answer.
            now_s: monotonic seconds.
        """
        self._ask = ask
        self._now_s = now_s
        self._asking = threading.Lock()
        self._known: tuple[float, str] | None = None

    def problem(self) -> str:
        """Why the database does not answer; empty when it does."""
        known = self._known
        if known is not None and self._now_s() - known[0] < _FRESH_S:
            return known[1]
        if not self._asking.acquire(blocking=known is None):
            return known[1] if known else ""
        try:
            self._known = self._now_s(), self._found()
            return self._known[1]
        finally:
            self._asking.release()

    def _found(self) -> str:
        try:
            self._ask()
        except PagemillError as error:
            return str(error)
        return ""
