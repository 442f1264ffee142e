"""A thread that repeats one step and survives outages of Redis and of the database."""

from __future__ import annotations

import threading
from collections.abc import Callable

from redis import RedisError

from pagemill.errors import ServiceUnavailable
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("rounds")


class RepeatingThread:
    """Use `open` and `close`."""

    def __init__(
        self, name: str, interval_s: float, step: Callable[[], object], end: Callable[[], object] = lambda: None
    ) -> None:
        """
        Args:
            name: the thread's name.
            interval_s: the pause from the end of one round to the start of the next.
            step: one round; it must have its own deadlines.
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
        """Ends the thread after the current round, and waits up to `timeout_s` for that."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self._step()
            except (RedisError, ServiceUnavailable):
                continue  # the next round tries again, and /health reports the outage
            except Exception:
                log.exception(events.UNEXPECTED, where=self._thread.name)
        self._end()
