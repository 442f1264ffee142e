"""The fleet's picture, and its measurements as curves, for many requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from redis import Redis

from pagemill.config.schedule import Schedule
from pagemill.ops.figures.curve import CurvePoint, curve
from pagemill.ops.fleet.view import FleetView

_MOST_CURVES = 64


class Sight(FleetView):
    """A `FleetView` that also keeps the curves that were asked for lately. For use by many threads at once."""

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
        self._curves: dict[tuple[float, str, int], tuple[list[CurvePoint], float]] = {}

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
