"""Queues, workers, the platforms' pace and the schedule at one moment, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis, RedisError

from pagemill.config.schedule import Schedule
from pagemill.errors import RedisUnavailable
from pagemill.ops.fleet import WorkerSnapshot, read_fleet
from pagemill.ops.queues import QueueState, queue_states
from pagemill.ops.timetable import Timetable, read_timetable
from pagemill.pacing.pace_state import PaceState, read_paces

NO_SCHEDULE = Schedule()


@dataclass(frozen=True, slots=True)
class Overview:
    """The fleet at one moment."""

    queues: tuple[QueueState, ...]
    workers: tuple[WorkerSnapshot, ...]
    paces: tuple[PaceState, ...]
    timetable: Timetable


def read_overview(redis: Redis, platforms: Sequence[str], schedule: Schedule = NO_SCHEDULE) -> Overview:
    """The queues and the pace of these platforms, every worker that published lately, and the schedule.

    Raises:
        RedisUnavailable: Redis went away.
    """
    try:
        return Overview(
            queues=tuple(queue_states(redis, platforms)),
            workers=tuple(read_fleet(redis)),
            paces=tuple(read_paces(redis, platforms)),
            timetable=read_timetable(redis, schedule, datetime.now(UTC)),
        )
    except RedisError as error:
        raise RedisUnavailable.gone(error) from error
