"""The whole fleet at one moment, read from Redis at most once a second, however many clients ask.

Reads only. Rates come from the workers' own counts over the last five minutes. So all API processes show the same
rates, and a restart of one does not lose them.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from redis import Redis, RedisError

from pagemill.config.schedule import Schedule
from pagemill.errors import RedisUnavailable
from pagemill.fleet.event_log import FleetEvent, read_events
from pagemill.fleet.history import Point, read_history
from pagemill.fleet.overrides import Overrides, read_overrides
from pagemill.fleet.processes import ProcessSnapshot, read_processes
from pagemill.fleet.queues import QueueState, queue_states
from pagemill.fleet.shared_cache import Lookups, SharedCache
from pagemill.fleet.snapshot import WorkerSnapshot, read_workers
from pagemill.fleet.stranded_runs import Stranded
from pagemill.fleet.timetable import Timetable, read_timetable
from pagemill.pacing.pace_state import PaceState, read_paces
from pagemill.revisit.visit_memory import VisitMemory

T = TypeVar("T")

FRESH_S = 1.0
_FAILED_FOR_S = 1.0
RATES_SPAN_S = 300.0
_HISTORY_FRESH_S = 5.0
_MOST_HISTORIES = 8
_MOST_LISTS = 16


@dataclass(frozen=True, slots=True)
class Rates:
    """What one worker did recently, per second and as shares. Values are 0 if nothing was done."""

    items_per_s: float = 0.0
    item_ms: float = 0.0
    """Mean time of a visited product."""
    error_rate: float = 0.0
    """Share of `failed` among the verdicts, 0 to 1."""
    block_rate: float = 0.0
    """Share of `blocked`."""


@dataclass(frozen=True, slots=True)
class FleetPicture:
    """The fleet at one moment."""

    at: datetime
    workers: tuple[WorkerSnapshot, ...] = ()
    """By name. Dead workers stay for ten minutes, see `Snapshot.is_alive`."""
    rates: Mapping[str, Rates] = field(default_factory=dict)
    """By worker, over the last five minutes or since its start."""
    queues: tuple[QueueState, ...] = ()
    paces: tuple[PaceState, ...] = ()
    revisits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By platform: products that were not visited because they were seen recently, and products that were visited."""
    timetable: Timetable = field(default_factory=lambda: Timetable("", ()))
    overrides: Overrides = field(default_factory=Overrides)
    processes: tuple[ProcessSnapshot, ...] = ()
    """The processes beside the workers, by role and name. Dead ones stay for ten minutes, too."""
    stranded: tuple[Stranded, ...] | None = None
    """The runs that cannot end by themselves, up to some seconds old; `None` if that is unknown."""

    @property
    def stranded_batches(self) -> Mapping[str, int] | None:
        """By platform, for configured platforms and those with a stranded run; `None` if that is unknown."""
        if self.stranded is None:
            return None
        return self._by_platform((each.platform, each.batches) for each in self.stranded if not each.is_broken_off)

    @property
    def broken_off_runs(self) -> Mapping[str, int] | None:
        """By platform: runs that broke off within the last hour."""
        if self.stranded is None:
            return None
        return self._by_platform((each.platform, 1) for each in self.stranded if each.is_broken_off)

    def _by_platform(self, counts: Iterable[tuple[str, int]]) -> Mapping[str, int]:
        found = dict.fromkeys((queue.platform for queue in self.queues), 0)
        for platform, count in counts:
            found[platform] = found.get(platform, 0) + count
        return found

    @property
    def alive(self) -> tuple[WorkerSnapshot, ...]:
        """The workers that have published recently."""
        return tuple(worker for worker in self.workers if worker.is_alive)


class FleetView:
    """Reads the fleet's picture, history and events. May be used by many threads at once."""

    def __init__(
        self,
        redis: Redis,
        platforms: Sequence[str],
        schedule: Callable[[], Schedule] = Schedule,
        now_s: Callable[[], float] = time.monotonic,
        stranded: Callable[[], tuple[Stranded, ...] | None] = lambda: None,
    ) -> None:
        """
        Args:
            redis: fails within seconds.
            platforms: the platforms whose queues and pace are shown.
            schedule: gives the current schedule.
            now_s: monotonic seconds.
            stranded: gives the runs that cannot end by themselves; `None` if they are unknown. It is called for each
                picture, so it must not wait if the view has many users.
        """
        self._stranded = stranded
        self._redis = redis
        self._platforms = tuple(platforms)
        self._schedule = schedule
        self._now_s = now_s
        self._memory = VisitMemory(redis)
        self._pictures: SharedCache[str, FleetPicture] = SharedCache(1, now_s=now_s)
        self._events: SharedCache[tuple[int, float], list[FleetEvent]] = SharedCache(_MOST_LISTS, now_s=now_s)
        self._rates: tuple[dict[str, Rates], float] = ({}, -math.inf)
        self._history_lock = threading.Lock()
        self._failed: tuple[str, float] | None = None
        self._histories: dict[tuple[float, str], tuple[list[Point], float]] = {}

    def picture(self) -> FleetPicture:
        """The fleet, at most a second old.

        Raises:
            RedisUnavailable: Redis does not answer, or did not answer a moment ago.
        """
        return self._pictures.get("", lambda: self._ask(self._read), FRESH_S)

    def lookups(self) -> dict[str, Lookups]:
        """Hits and misses of the cached picture and of the cached events."""
        return {"picture": self._pictures.lookups, "events": self._events.lookups}

    def forget(self) -> None:
        """Drops the cached picture after a change, so that the next call reads anew."""
        self._pictures.forget()
        self._events.forget()

    def history(self, span_s: float, worker: str = "") -> list[Point]:
        """The workers' measurements of the last `span_s` seconds, oldest first; up to some seconds old.

        Raises:
            RedisUnavailable: as `picture`.
        """
        with self._history_lock:
            return self._ask(lambda: self._measured(span_s, worker))

    def events(self, count: int = 200, span_s: float = 24 * 3600) -> list[FleetEvent]:
        """The latest events, newest first; up to a second old.

        Raises:
            RedisUnavailable: as `picture`.
        """
        return self._events.get(
            (count, span_s), lambda: self._ask(lambda: read_events(self._redis, count, span_s)), FRESH_S
        )

    def _ask(self, look: Callable[[], T]) -> T:
        """Asks Redis, unless that failed a moment ago: then the same error is raised at once. So threads that wait for
        each other do not each wait for Redis' time-out."""
        if self._failed is not None and self._now_s() - self._failed[1] < _FAILED_FOR_S:
            raise RedisUnavailable(self._failed[0])
        try:
            found = look()
        except RedisError as error:
            gone = RedisUnavailable.gone(error)
            self._failed = str(gone), self._now_s()
            raise gone from error
        self._failed = None
        return found

    def _measured(self, span_s: float, worker: str) -> list[Point]:
        key = (span_s, worker)
        points, read_s = self._histories.get(key, ([], float("-inf")))
        if self._now_s() - read_s >= _HISTORY_FRESH_S:
            points = read_history(self._redis, span_s, worker)
            kept = {each: old for each, old in self._histories.items() if self._now_s() - old[1] < _HISTORY_FRESH_S}
            self._histories = {**dict(list(kept.items())[-_MOST_HISTORIES:]), key: (points, self._now_s())}
        return points

    def _read(self) -> FleetPicture:
        workers = read_workers(self._redis)
        if self._now_s() - self._rates[1] >= _HISTORY_FRESH_S:
            self._rates = rates(read_history(self._redis, RATES_SPAN_S)), self._now_s()
        return FleetPicture(
            at=datetime.now(UTC),
            workers=tuple(workers),
            processes=tuple(read_processes(self._redis)),
            rates=self._rates[0],
            queues=tuple(queue_states(self._redis, self._platforms)),
            paces=tuple(read_paces(self._redis, self._platforms)),
            revisits={platform: self._memory.counts(platform) for platform in self._platforms},
            timetable=read_timetable(self._redis, self._schedule(), datetime.now(UTC)),
            overrides=read_overrides(self._redis),
            stranded=self._stranded(),
        )


def rates(points: Sequence[Point]) -> dict[str, Rates]:
    """The rates of each worker, between its first and its last point. Workers with a single point are left out."""
    first: dict[str, Point] = {}
    last: dict[str, Point] = {}
    for point in points:
        first.setdefault(point.worker, point)
        last[point.worker] = point
    return {worker: _rates(first[worker], end) for worker, end in last.items() if end is not first[worker]}


def _rates(start: Point, end: Point) -> Rates:
    seconds, items = end.at_s - start.at_s, end.items - start.items
    if seconds <= 0 or items <= 0:
        return Rates()
    visited = end.visited - start.visited
    return Rates(
        items_per_s=round(items / seconds, 3),
        item_ms=round(1000 * (end.item_s - start.item_s) / visited, 1) if visited > 0 else 0.0,
        error_rate=round((end.failed - start.failed) / items, 4),
        block_rate=round((end.blocked - start.blocked) / items, 4),
    )
