"""The workers' measurements over time, in three Redis streams for the whole fleet.

One stream has every measurement of the last 2 hours, one the means of each minute for 26 hours, one the means of each
quarter of an hour for 8 days. Each stream is also bounded by its number of entries. A worker writes its own means, so
that no process has to read measurements to sum them up. Times are those of Redis' clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from statistics import fmean
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic_core import from_json
from redis import Redis

from pagemill.fleet.measures import MEASURES, over_time

DEFAULT_ENTRIES = 20_000
"""The most entries of one stream; an entry has about 500 bytes."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """One of the streams. Its entries are means over `span_s` seconds, or single measurements if that is 0."""

    key: str
    span_s: float
    kept_s: float


FINE = Resolution("pagemill:samples", 0, 2 * 3600)
MINUTES = Resolution("pagemill:samples:minute", 60, 26 * 3600)
QUARTERS = Resolution("pagemill:samples:quarter", 900, 8 * 24 * 3600)
RESOLUTIONS = (FINE, MINUTES, QUARTERS)


@dataclass(frozen=True, slots=True)
class Point:
    """One worker's measurement, or several of them combined by `mean`. Counts are since the worker's start."""

    worker: str
    pss_mb: Mapping[str, float] = field(default_factory=dict)
    """By the processes' role."""
    rss_mb: float = 0.0
    js_heap_mb: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    """The known values, by their names in `MEASURES`."""
    machine_percent: float = 0.0
    swap_mb: float = 0.0
    blocks: float = 0.0
    lanes: float = 0.0
    pressure: float = 0.0
    items: int = 0
    visited: int = 0
    """Items that were visited. The others were seen recently enough (`revisit`)."""
    failed: int = 0
    blocked: int = 0
    item_s: float = 0.0
    """Seconds that all visited items took together."""
    rotations: Mapping[str, int] = field(default_factory=dict)
    oom_kills: int = 0
    at_s: float = 0.0
    """Seconds since 1970; set when the point is read from Redis."""

    @property
    def total_pss_mb(self) -> float:
        """Memory of all roles together."""
        return sum(self.pss_mb.values())


_ADAPTER = TypeAdapter(Point)
_COUNTS = frozenset({"worker", "items", "visited", "failed", "blocked", "item_s", "rotations", "oom_kills", "at_s"})
_MEANS = tuple(each.name for each in fields(Point) if each.name not in _COUNTS | {"pss_mb", "measures"})


def mean(points: Sequence[Point]) -> Point:
    """The mean of measurements, with the counts of the last one. Of some measures the highest value counts instead."""
    roles = {role for point in points for role in point.pss_mb}
    sizes = {role: _mean([point.pss_mb.get(role, 0.0) for point in points]) for role in roles}
    values: dict[str, Any] = {"pss_mb": sizes}
    for name in _MEANS:
        values[name] = _mean([value for point in points if (value := getattr(point, name)) is not None])
    values["measures"] = over_time([point.measures for point in points])
    return replace(points[-1], **values)


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 2) if values else None


class HistoryWriter:
    """Writes one worker's measurements and means to Redis. For one thread."""

    def __init__(self, redis: Redis, now_s: Callable[[], float], most_entries: int = DEFAULT_ENTRIES) -> None:
        """`now_s` is a monotonic clock. Each stream keeps `most_entries` for all workers together."""
        self._redis = redis
        self._now_s = now_s
        self._most_entries = most_entries
        self._begun_s = {kind.key: now_s() for kind in (MINUTES, QUARTERS)}
        self._gathered: dict[str, list[Point]] = {kind.key: [] for kind in (MINUTES, QUARTERS)}

    def add(self, point: Point) -> None:
        """Writes a measurement, and a mean if a minute or a quarter of an hour is over.

        Raises:
            RedisError: nothing was written. The measurement still counts for the next means.
        """
        due = [(FINE, point)]
        for kind in (MINUTES, QUARTERS):
            gathered = self._gathered[kind.key]
            gathered.append(point)
            del gathered[:-_MOST_GATHERED]
            if self._now_s() - self._begun_s[kind.key] >= kind.span_s:
                due.append((kind, mean(gathered)))
                self._begun_s[kind.key] = self._now_s()
                gathered.clear()
        # The streams' time limit need not be exact, so Redis' clock is read only once a minute.
        now_s = self._redis.time()[0] if len(due) > 1 else None
        with self._redis.pipeline(transaction=False) as pipeline:
            for kind, each in due:
                body = _ADAPTER.dump_json(each, exclude_defaults=True)
                pipeline.xadd(kind.key, {"point": body}, maxlen=self._most_entries, approximate=True)
                if now_s is not None:
                    pipeline.xtrim(kind.key, minid=round((now_s - kind.kept_s) * 1000), approximate=True)
                pipeline.expire(kind.key, round(kind.kept_s))
            pipeline.execute()


_MOST_GATHERED = 2000
"""The most measurements kept for a mean; a quarter of an hour at the shortest interval has fewer."""


def read_history(redis: Redis, span_s: float, worker: str = "") -> list[Point]:
    """The points of the last `span_s` seconds, oldest first, of all workers or of one.

    They come from the finest stream that reaches back so far. For the last minutes, whose means are not written yet,
    they come from a finer one.

    Raises:
        RedisError: Redis does not answer.
    """
    seconds, micros = redis.time()
    now_s = seconds + micros / 1_000_000
    first_s = now_s - span_s
    kinds = [kind for kind in RESOLUTIONS if kind.kept_s >= span_s] or [QUARTERS]
    coarse = kinds[0]
    points: list[Point] = []
    for kind in reversed(RESOLUTIONS[: RESOLUTIONS.index(coarse) + 1]):
        reached = {point.worker: point.at_s for point in points}
        # A finer stream is read only for the latest time, which has no coarser mean yet.
        start_s = first_s if kind is coarse else max(first_s, now_s - 2 * _next_span_s(kind))
        found = _read(redis, kind, start_s, worker)
        points += [point for point in found if point.at_s > reached.get(point.worker, 0.0)]
    return sorted(points, key=lambda point: point.at_s)


def _next_span_s(kind: Resolution) -> float:
    return RESOLUTIONS[RESOLUTIONS.index(kind) + 1].span_s


def _read(redis: Redis, kind: Resolution, start_s: float, worker: str) -> list[Point]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(kind.key, min=f"{round(start_s * 1000)}-0"))
    points = []
    for entry, values in entries:
        point = _point(values[b"point"])
        if not worker or point.worker == worker:
            points.append(replace(point, at_s=int(entry.partition(b"-")[0]) / 1000))
    return points


def _point(body: bytes) -> Point:
    told = from_json(body)
    # 0.1 wrote each measure as a field of its own. Its entries stay in the stream for up to 8 days.
    told.setdefault("measures", {name: told[name] for name in MEASURES if told.get(name) is not None})
    return _ADAPTER.validate_python(told)
