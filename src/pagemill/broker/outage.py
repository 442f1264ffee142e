"""Logs one line when Redis goes away and one when it is back, however many threads notice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis

from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("worker")


class Outage:
    """Whether Redis is away, as far as this process knows."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._since_s: float | None = None

    def note(self, error: Exception) -> None:
        """To be called when a command failed."""
        with self._lock:
            if self._since_s is not None:
                return
            self._since_s = self._now_s()
        log.warning(events.REDIS_AWAY, error=str(error))

    def over(self) -> None:
        """To be called when a command succeeded."""
        with self._lock:
            since_s, self._since_s = self._since_s, None
        if since_s is not None:
            log.info(events.REDIS_BACK, seconds=round(self._now_s() - since_s, 1))

    def watch(self, work: Callable[[], object]) -> Callable[[], None]:
        """Wraps `work`: its Redis errors are noted here and not raised."""

        def watched() -> None:
            try:
                work()
            except redis.RedisError as error:
                self.note(error)
            else:
                self.over()

        return watched
