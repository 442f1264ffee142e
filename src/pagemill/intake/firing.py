"""When an entry of the schedule is due, and what becomes of that. Pure: times and states in, a decision out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from croniter import croniter

from pagemill.config.schedule import Entry

_HOUR = 1
"""Which field of a cron expression that is."""


class Outcome(StrEnum):
    """What became of a due time."""

    SEEN = "seen"
    """The entry was new: times before that moment are not its own."""
    QUEUEING = "queueing"
    """Its run is being put on the queue."""
    QUEUED = "queued"
    SKIPPED = "skipped"
    """The last run was still going."""
    WAITING = "waiting"
    """It is enqueued when the last run has ended."""
    MISSED = "missed"
    """No scheduler ran, for longer than `catch_up_minutes`."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Firing:
    """The latest due time of an entry that was dealt with. `run` is the latest run that it has begun, or empty."""

    due: datetime
    outcome: Outcome
    run: str = ""
    detail: str = ""
    rule: str = ""
    """By what the time was due: another rule's times are not its own."""


def latest_due(entry: Entry, now: datetime) -> datetime:
    """The latest moment, up to now, at which the entry was due; in UTC."""
    # croniter looks at whole seconds, and for what lies before them.
    start = now.astimezone(ZoneInfo(entry.time_zone)).replace(microsecond=0) + timedelta(seconds=1)
    times = croniter(entry.cron, start)
    return _first(entry, lambda: times.get_prev(datetime))


def next_due(entry: Entry, now: datetime) -> datetime:
    """The next moment, after now, at which it will be due; in UTC."""
    times = croniter(entry.cron, now.astimezone(ZoneInfo(entry.time_zone)))
    return _first(entry, lambda: times.get_next(datetime))


def _first(entry: Entry, take: Callable[[], datetime]) -> datetime:
    """The first of these times that counts: where clocks are put back, a certain hour of the day counts once."""
    zone = ZoneInfo(entry.time_zone)
    while True:
        moment = take().astimezone(UTC)
        is_second = moment.astimezone(zone).fold == 1
        if not is_second or "*" in entry.cron.split()[_HOUR]:
            return moment


def decide(entry: Entry, last: Firing | None, now: datetime, *, going: bool) -> Firing | None:
    """What is to be noted of the entry now, `None` for nothing new.

    Args:
        entry: of the schedule.
        last: what was noted last.
        now: aware of its time zone.
        going: whether the entry's last run has not ended.
    """
    due, rule = latest_due(entry, now), rule_of(entry)
    if last is None:
        return Firing(due, Outcome.SEEN, rule=rule)
    if last.outcome is Outcome.QUEUEING:
        return last
    if last.outcome is Outcome.WAITING and not going:
        return replace(last, outcome=Outcome.QUEUEING)
    if last.rule != rule:
        return replace(last, due=due, outcome=Outcome.SEEN, detail="", rule=rule)
    if due <= last.due:
        return None
    if now - due > timedelta(minutes=entry.catch_up_minutes):
        outcome = Outcome.MISSED
    elif not going:
        outcome = Outcome.QUEUEING
    else:
        outcome = Outcome.WAITING if entry.overlap == "queue" else Outcome.SKIPPED
    return replace(last, due=due, outcome=outcome, detail="")


def rule_of(entry: Entry) -> str:
    """What says when the entry is due."""
    return f"{entry.cron} {entry.time_zone}"
