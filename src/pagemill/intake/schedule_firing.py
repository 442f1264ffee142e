"""Decides when an entry of the schedule is due, and whether its run begins, waits or is skipped. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from croniter import croniter

from pagemill.config.schedule import ScheduleEntry

_HOUR = 1
"""The index of the hour among the fields of a cron expression."""


class FiringOutcome(StrEnum):
    """What the scheduler did at a due time."""

    SEEN = "seen"
    """Nothing: the entry is new, or its times were changed. Runs begin with the next due time."""
    QUEUEING = "queueing"
    """It is putting the run on the queue."""
    QUEUED = "queued"
    SKIPPED = "skipped"
    """No run began, because the last one had not ended (`overlap: skip`)."""
    WAITING = "waiting"
    """The run begins when the last one has ended (`overlap: queue`)."""
    MISSED = "missed"
    """No run began, because no scheduler was running at the time or within `catch_up_minutes` after it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EntryFiring:
    """The note about an entry's latest due time that a scheduler has dealt with. `run` is the last run that the entry
    began, or empty."""

    due: datetime
    outcome: FiringOutcome
    run: str = ""
    detail: str = ""
    rule: str = ""
    """The cron expression and time zone when it was noted. If they differ now, the user has changed the entry."""


def latest_due(entry: ScheduleEntry, now: datetime) -> datetime:
    """The last due time of the entry that is not after `now`; in UTC."""
    # croniter ignores fractions of a second, and searches before the given time.
    start = now.astimezone(ZoneInfo(entry.time_zone)).replace(microsecond=0) + timedelta(seconds=1)
    times = croniter(entry.cron, start)
    return _first(entry, lambda: times.get_prev(datetime))


def next_due(entry: ScheduleEntry, now: datetime) -> datetime:
    """The first due time of the entry after `now`; in UTC."""
    times = croniter(entry.cron, now.astimezone(ZoneInfo(entry.time_zone)))
    return _first(entry, lambda: times.get_next(datetime))


def _first(entry: ScheduleEntry, take: Callable[[], datetime]) -> datetime:
    """The first of these times that counts. When clocks are set back, an hour occurs twice; an entry with a fixed hour
    fires only once."""
    zone = ZoneInfo(entry.time_zone)
    while True:
        moment = take().astimezone(UTC)
        is_second = moment.astimezone(zone).fold == 1
        if not is_second or "*" in entry.cron.split()[_HOUR]:
            return moment


def decide_firing(entry: ScheduleEntry, last: EntryFiring | None, now: datetime, *, going: bool) -> EntryFiring | None:
    """The new note about an entry; `None` if nothing has changed.

    Args:
        entry: an entry of the schedule.
        last: the note before; `None` for a new entry.
        now: the time, with its zone.
        going: whether the entry's last run is still going.
    """
    due, rule = latest_due(entry, now), rule_of(entry)
    if last is None:
        return EntryFiring(due, FiringOutcome.SEEN, rule=rule)
    if last.outcome is FiringOutcome.QUEUEING:
        return last
    if last.outcome is FiringOutcome.WAITING and not going:
        return replace(last, outcome=FiringOutcome.QUEUEING)
    if last.rule != rule:
        return replace(last, due=due, outcome=FiringOutcome.SEEN, detail="", rule=rule)
    if due <= last.due:
        return None
    if now - due > timedelta(minutes=entry.catch_up_minutes):
        outcome = FiringOutcome.MISSED
    elif not going:
        outcome = FiringOutcome.QUEUEING
    else:
        outcome = FiringOutcome.WAITING if entry.overlap == "queue" else FiringOutcome.SKIPPED
    return replace(last, due=due, outcome=outcome, detail="")


def rule_of(entry: ScheduleEntry) -> str:
    """The cron expression and the time zone as one text."""
    return f"{entry.cron} {entry.time_zone}"
