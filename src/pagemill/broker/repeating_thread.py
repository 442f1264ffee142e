"""A thread that does the same thing again and again, and outlives a Redis that is away."""

from __future__ import annotations

import threading
from collections.abc import Callable

from redis import RedisError

from pagemill.errors import ServiceUnavailable
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("rounds")


class RepeatingThread:
    """`open` it, and `close` it."""

    def __init__(
        self, name: str, interval_s: float, step: Callable[[], object], end: Callable[[], object] = lambda: None
    ) -> None:
        """
        Args:
            name: the thread's.
            interval_s: from the end of a round to the next one.
            step: one round; it has deadlines of its own.
            end: called after the last round.
        """
        self._end = end
        self._interval_s = interval_s
        self._step = step
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def open(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Ends after the round under way."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self._step()
            except (RedisError, ServiceUnavailable):
                continue  # the next round finds it again, and /health tells
            except Exception:
                log.exception(events.UNEXPECTED, where=self._thread.name)
        self._end()
