"""The schedule's entries with their last and next times, for display. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from pagemill.config.schedule import Schedule
from pagemill.intake.schedule_firing import EntryFiring, next_due
from pagemill.intake.schedule_firing_log import FiringLog


@dataclass(frozen=True, slots=True)
class TimetableRow:
    """One entry."""

    entry: str
    platform: str
    next_due: datetime | None
    """In UTC; `None` if the entry is disabled."""
    last: EntryFiring | None
    """The last due time that a scheduler dealt with; `None` if none has seen this entry yet."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """All entries, and the scheduler that fires them; its name is empty if none runs."""

    leader: str
    rows: tuple[TimetableRow, ...]


def read_timetable(redis: Redis, schedule: Schedule, now: datetime) -> Timetable:
    """The schedule's current state. Errors of Redis pass through."""
    firings = FiringLog(redis)
    rows = (
        TimetableRow(name, entry.platform, next_due(entry, now) if entry.enabled else None, firings.last(name))
        for name, entry in schedule.entries.items()
    )
    return Timetable(firings.leader(), tuple(rows))
