"""The fleet's picture for many requests at once: what takes long to read or to work out is kept for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from redis import Redis, RedisError

from pagemill.alerting.alert import Alert
from pagemill.alerting.history import recent_alerts
from pagemill.config.schedule import Schedule
from pagemill.control_room.figures.curve import CurvePoint, curve
from pagemill.errors import RedisUnavailable
from pagemill.fleet.event_log import FleetEvent
from pagemill.fleet.shared_cache import Lookups, SharedCache
from pagemill.fleet.stranded_runs import Stranded
from pagemill.fleet.view import FRESH_S, FleetView

_MOST_CURVES = 64
_MOST_LISTS = 16


class SharedView(FleetView):
    """A `FleetView` that also keeps curves, events and alerts that were asked for lately. For use by many threads."""

    def __init__(
        self,
        redis: Redis,
        platforms: Sequence[str],
        schedule: Callable[[], Schedule] = Schedule,
        now_s: Callable[[], float] = time.monotonic,
        stranded: Callable[[], tuple[Stranded, ...] | None] = lambda: None,
    ) -> None:
        """As `FleetView`'s."""
        super().__init__(redis, platforms, schedule, now_s, stranded)
        self._curves: SharedCache[tuple[float, str, int], list[CurvePoint]] = SharedCache(_MOST_CURVES, now_s=now_s)
        self._events: SharedCache[tuple[int, float], list[FleetEvent]] = SharedCache(_MOST_LISTS, now_s=now_s)
        self._alerts: SharedCache[int, list[Alert]] = SharedCache(_MOST_LISTS, now_s=now_s)

    def curve(self, span_s: float, worker: str = "", most: int = 400) -> list[CurvePoint]:
        """The last `span_s` seconds in at most so many points; as old as two of those are apart at most, and no older
        than five minutes.

        Raises:
            RedisUnavailable: as `picture`.
        """
        kept_s = min(300.0, max(2.0, 2 * span_s / most))
        return self._curves.get((span_s, worker, most), lambda: curve(self.history(span_s, worker), most), kept_s)

    def events(self, count: int = 200, span_s: float = 24 * 3600) -> list[FleetEvent]:
        """As `FleetView`'s; as of a second ago at most."""
        return self._events.get((count, span_s), lambda: FleetView.events(self, count, span_s), FRESH_S)

    def alerts(self, count: int) -> list[Alert]:
        """The latest ones, the newest first; as of a second ago at most.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        return self._alerts.get(count, lambda: self._read_alerts(count), FRESH_S)

    def forget(self) -> None:
        """Makes the next look a fresh one: something has just been changed."""
        super().forget()
        self._events.forget()
        self._alerts.forget()

    def lookups(self) -> dict[str, Lookups]:
        """How often the picture and what is kept were there when somebody asked, by what it was."""
        return {
            "picture": self.picture_lookups,
            "curves": self._curves.lookups,
            "events": self._events.lookups,
            "alerts": self._alerts.lookups,
        }

    def _read_alerts(self, count: int) -> list[Alert]:
        try:
            return recent_alerts(self._redis, count)
        except RedisError as error:
            raise RedisUnavailable.gone(error) from error
