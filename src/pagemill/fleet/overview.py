"""Queues, workers, other processes, the platforms' pace and the schedule at one moment, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis, RedisError

from pagemill.config.schedule import Schedule
from pagemill.errors import RedisUnavailable
from pagemill.fleet.processes import ProcessSnapshot, read_processes
from pagemill.fleet.queues import QueueState, queue_states
from pagemill.fleet.snapshot import WorkerSnapshot, read_fleet
from pagemill.fleet.timetable import Timetable, read_timetable
from pagemill.pacing.pace_state import PaceState, read_paces
from pagemill.revisit.visit_memory import VisitMemory

NO_SCHEDULE = Schedule()


@dataclass(frozen=True, slots=True)
class Overview:
    """The fleet at one moment."""

    queues: tuple[QueueState, ...]
    workers: tuple[WorkerSnapshot, ...]
    paces: tuple[PaceState, ...]
    revisits: tuple[tuple[int, int], ...]
    """For each platform, how many products were spared a visit, and how many were not, where `revisit` is on."""
    timetable: Timetable
    processes: tuple[ProcessSnapshot, ...] = ()
    """Schedulers, API processes and supervisors, as far as they are alive."""


def read_overview(redis: Redis, platforms: Sequence[str], schedule: Schedule = NO_SCHEDULE) -> Overview:
    """The queues and the pace of these platforms, every process that published lately, and the schedule.

    Raises:
        RedisUnavailable: Redis went away.
    """
    memory = VisitMemory(redis)
    try:
        return Overview(
            queues=tuple(queue_states(redis, platforms)),
            workers=tuple(read_fleet(redis)),
            processes=tuple(process for process in read_processes(redis) if process.is_alive),
            paces=tuple(read_paces(redis, platforms)),
            revisits=tuple(memory.counts(platform) for platform in platforms),
            timetable=read_timetable(redis, schedule, datetime.now(UTC)),
        )
    except RedisError as error:
        raise RedisUnavailable.gone(error) from error
