"""The entries of the schedule with their last and next times, for whoever wants to look at them. Reads only."""

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
    """In UTC; `None` for an entry that is not enabled."""
    last: EntryFiring | None
    """What was dealt with last; `None` for an entry that no scheduler has seen yet."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """All entries, and who fires them: empty when no scheduler runs."""

    leader: str
    rows: tuple[TimetableRow, ...]


def read_timetable(redis: Redis, schedule: Schedule, now: datetime) -> Timetable:
    """The schedule as it stands; a Redis that is away raises its own errors."""
    firings = FiringLog(redis)
    rows = (
        TimetableRow(name, entry.platform, next_due(entry, now) if entry.enabled else None, firings.last(name))
        for name, entry in schedule.entries.items()
    )
    return Timetable(firings.leader(), tuple(rows))
