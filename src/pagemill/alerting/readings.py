"""Turns the fleet's picture into readings for alert rules: one value for each metric and worker or platform.

Counts cover what this process has seen in the last minutes, so a process that has just started reports little. Unknown
values are left out.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from pagemill.alerting.rules import Reading
from pagemill.alerting.slope import SlopePoint, minutes_left
from pagemill.fleet.history import Point
from pagemill.fleet.measures import measures_of
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.view import FleetPicture, FleetView

SHARES_SPAN_S = 300.0
"""The period that the shares of failed and blocked products cover."""
GROWTH_SPAN_S = 600.0
SLOPE_SPAN_S = 3600.0
_LOOK_S = 30.0
_MEMORY = "memory_percent"
FEWEST_PRODUCTS = 10
"""With fewer products no share is reported, because it would mean nothing."""

_Counts = tuple[int, int, int, int]
"""Products, and how many of them failed, were blocked, and timed out."""


class PictureReadings:
    """The readings of one fleet. To be called from one thread, every few seconds."""

    def __init__(self, view: FleetView, now_s: Callable[[], float] = time.monotonic) -> None:
        """`now_s` gives monotonic seconds."""
        self._view = view
        self._now_s = now_s
        self._seen: deque[tuple[float, dict[tuple[str, str], _Counts]]] = deque()
        self._stuck_since_s: dict[str, float] = {}
        self._told_lately: dict[str, dict[str, float | None]] = {}
        self._looked_s = -math.inf

    def readings(self) -> list[Reading]:
        """Every metric's value now. Unknown values are left out; a time that never comes is infinite.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        picture = self._view.picture()
        lately = self._lately()
        found = [Reading("silent_s", "", worker.name, worker.silent_s) for worker in picture.workers]
        for worker in picture.alive:
            values = {**measures_of(worker), **_item_ms(worker, picture), **lately.get(worker.name, {})}
            found += [Reading(metric, "", worker.name, value) for metric, value in values.items() if value is not None]
        done = self._count(picture)
        found += self._shares(done)
        found += self._stuck(picture, done)
        for platform, batches in (picture.stranded_batches or {}).items():
            found.append(Reading("stranded_batches", platform, "", batches))
        for platform, runs in (picture.broken_off_runs or {}).items():
            found.append(Reading("broken_off_runs", platform, "", runs))
        return found

    def _lately(self) -> Mapping[str, dict[str, float | None]]:
        """The values by worker that need an hour of history; kept for a while, because that is much to read."""
        if self._now_s() - self._looked_s >= _LOOK_S:
            by_worker: dict[str, list[Point]] = {}
            for point in self._view.history(SLOPE_SPAN_S):
                by_worker.setdefault(point.worker, []).append(point)
            self._told_lately = {worker: _lately(points) for worker, points in by_worker.items()}
            self._looked_s = self._now_s()
        return self._told_lately

    def _count(self, picture: FleetPicture) -> dict[str, _Counts]:
        """The counts by platform since the oldest look within the period."""
        now_s = self._now_s()
        counts = {
            (worker.name, platform): (
                tally.products,
                tally.verdicts.get("failed", 0),
                tally.verdicts.get("blocked", 0),
                tally.timeouts,
            )
            for worker in picture.alive
            for platform, tally in worker.tally.items()
        }
        self._seen.append((now_s, counts))
        while self._seen[0][0] < now_s - SHARES_SPAN_S:
            self._seen.popleft()
        first: dict[tuple[str, str], _Counts] = {}
        last: dict[tuple[str, str], _Counts] = {}
        for _, each in self._seen:
            first = {**each, **first}
            last |= each
        done: dict[str, _Counts] = {}
        for key, (products, failed, blocked, timeouts) in last.items():
            start, so_far = first[key], done.get(key[1], (0, 0, 0, 0))
            gained = (products - start[0], failed - start[1], blocked - start[2], timeouts - start[3])
            done[key[1]] = (
                so_far[0] + gained[0],
                so_far[1] + gained[1],
                so_far[2] + gained[2],
                so_far[3] + gained[3],
            )
        return done

    def _shares(self, done: Mapping[str, _Counts]) -> Iterator[Reading]:
        for platform, (products, failed, blocked, timeouts) in done.items():
            yield Reading("timeouts", platform, "", timeouts)
            if products >= FEWEST_PRODUCTS:
                yield Reading("error_rate", platform, "", failed / products)
                yield Reading("block_rate", platform, "", blocked / products)

    def _stuck(self, picture: FleetPicture, done: Mapping[str, _Counts]) -> Iterator[Reading]:
        """Seconds for which batches have waited and no product was finished; 0 while visits pause."""
        now_s = self._now_s()
        closed = {pace.platform for pace in picture.paces if pace.paused_s > 0 or pace.open_s > 0}
        for queue in picture.queues:
            moving = bool(done.get(queue.platform, (0,))[0])
            if not queue.waiting or moving or queue.platform in closed:
                self._stuck_since_s.pop(queue.platform, None)
                yield Reading("queue_stuck_s", queue.platform, "", 0.0)
            else:
                since_s = self._stuck_since_s.setdefault(queue.platform, now_s)
                yield Reading("queue_stuck_s", queue.platform, "", now_s - since_s)


def _item_ms(worker: WorkerSnapshot, picture: FleetPicture) -> dict[str, float | None]:
    rates = picture.rates.get(worker.name)
    return {"item_ms": rates.item_ms or None} if rates is not None else {}


def _lately(points: Sequence[Point]) -> dict[str, float | None]:
    """The values of one worker that take several measurements."""
    if not points:
        return {}
    known = [SlopePoint(each.at_s, each.measures[_MEMORY]) for each in points if _MEMORY in each.measures]
    values: dict[str, float | None] = {"memory_minutes_left": minutes_left(known) if known else math.inf}
    recent = [each for each in points if each.at_s >= points[-1].at_s - GROWTH_SPAN_S]
    values["oom_kills"] = recent[-1].oom_kills - recent[0].oom_kills
    if points[0].at_s < recent[0].at_s:  # the history is longer than the ten minutes of the growth
        values["python_objects_growth"] = recent[-1].blocks - recent[0].blocks
    return values
