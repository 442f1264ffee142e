"""The fleet's picture for many requests at once, also while Redis is frozen.

Each look at a Redis that hangs takes as long as its deadline. Requests that have queued up behind one that failed are
told the same at once, so that no more than a few threads ever wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from redis import Redis

from pagemill.config.schedule import Schedule
from pagemill.errors import RedisUnavailable
from pagemill.ops.figures.curve import CurvePoint, curve
from pagemill.ops.fleet.event_log import FleetEvent
from pagemill.ops.fleet.history import Point
from pagemill.ops.fleet.view import FleetPicture, FleetView

T = TypeVar("T")

_FAILED_FOR_S = 1.0
_MOST_CURVES = 64


class Sight(FleetView):
    """A `FleetView` that does not queue up. For use by many threads at once."""

    def __init__(
        self,
        redis: Redis,
        platforms: Sequence[str],
        schedule: Callable[[], Schedule] = Schedule,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """As `FleetView`'s."""
        super().__init__(redis, platforms, schedule, now_s)
        self._clock_s = now_s
        self._turn = threading.Lock()
        self._failed: tuple[float, str] | None = None
        self._curves: dict[tuple[float, str, int], tuple[list[CurvePoint], float]] = {}

    def picture(self) -> FleetPicture:
        """The fleet, as of a second ago at most.

        Raises:
            RedisUnavailable: Redis does not answer, or did not a moment ago.
        """
        return self._unless_failed(super().picture)

    def history(self, span_s: float, worker: str = "") -> list[Point]:
        """The workers' measurements, see `FleetView.history`.

        Raises:
            RedisUnavailable: as `picture`.
        """
        return self._unless_failed(lambda: super(Sight, self).history(span_s, worker))

    def events(self, count: int = 200, span_s: float = 24 * 3600) -> list[FleetEvent]:
        """The latest events, see `FleetView.events`.

        Raises:
            RedisUnavailable: as `picture`.
        """
        return self._unless_failed(lambda: super(Sight, self).events(count, span_s))

    def curve(self, span_s: float, worker: str = "", most: int = 400) -> list[CurvePoint]:
        """The last `span_s` seconds in at most so many points; as old as two of those are apart at most, and no older
        than five minutes.

        Raises:
            RedisUnavailable: as `picture`.
        """
        key = (span_s, worker, most)
        fresh_s = min(300.0, max(2.0, 2 * span_s / most))
        with self._turn:
            kept = self._curves.get(key)
        if kept is not None and self._clock_s() - kept[1] < fresh_s:
            return kept[0]
        found = curve(self.history(span_s, worker), most)
        with self._turn:
            self._curves.pop(key, None)
            while len(self._curves) >= _MOST_CURVES:
                del self._curves[next(iter(self._curves))]
            self._curves[key] = found, self._clock_s()
        return found

    def _unless_failed(self, look: Callable[[], T]) -> T:
        with self._turn:
            failed = self._failed
            if failed is not None and self._clock_s() - failed[0] < _FAILED_FOR_S:
                raise RedisUnavailable(failed[1])
            try:
                found = look()
            except RedisUnavailable as error:
                self._failed = self._clock_s(), str(error)
                raise
            self._failed = None
            return found
