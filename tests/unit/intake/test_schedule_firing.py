"""When an entry of the schedule is due, and what becomes of it: tables of times and states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pagemill.config.schedule import ScheduleEntry
from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome, decide_firing, latest_due, next_due

THREE = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(**changes: Any) -> ScheduleEntry:
    """Every day at three o'clock."""
    return ScheduleEntry.model_validate({"cron": "0 3 * * *", "platform": "shop", **changes})


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        (THREE, THREE),
        (THREE - timedelta(microseconds=1), THREE - DAY),
        (THREE - timedelta(seconds=1), THREE - DAY),
        (THREE + timedelta(microseconds=1), THREE),
        (THREE + timedelta(hours=23, minutes=59, seconds=59), THREE),
    ],
)
def test_the_latest_time_is_one_that_has_come(now: datetime, latest: datetime) -> None:
    """To the second; the moment itself belongs to it."""
    assert latest_due(entry(), now) == latest
    assert next_due(entry(), now) == latest + DAY


def test_times_are_those_of_the_entrys_time_zone() -> None:
    """Three o'clock in Seoul is 18:00 the day before in UTC."""
    seoul = entry(time_zone="Asia/Seoul")
    assert latest_due(seoul, THREE) == datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def test_a_day_that_has_no_such_hour_and_one_that_has_it_twice() -> None:
    """Berlin's clocks skip 2:30 on 29 March 2026 and show it twice on 25 October: it fires once each day."""
    berlin = entry(cron="30 2 * * *", time_zone="Europe/Berlin")
    for middle in (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC)):
        moments = {latest_due(berlin, middle + timedelta(minutes=10 * step)) for step in range(-144, 145)}
        days = sorted(moment.date() for moment in moments)
        assert len(days) == len(set(days))
        assert len(days) >= 2


RULE = "0 3 * * * UTC"


def noted(due: datetime, outcome: FiringOutcome, run: str = "") -> EntryFiring:
    return EntryFiring(due, outcome, run, rule=RULE)


SEEN = noted(THREE - DAY, FiringOutcome.SEEN)
QUEUED = noted(THREE - DAY, FiringOutcome.QUEUED, "r1")


@pytest.mark.parametrize(
    ("last", "going", "changes", "expected"),
    [
        (None, False, {}, noted(THREE, FiringOutcome.SEEN)),
        (SEEN, False, {}, noted(THREE, FiringOutcome.QUEUEING)),
        (QUEUED, False, {}, noted(THREE, FiringOutcome.QUEUEING, "r1")),
        (QUEUED, True, {}, noted(THREE, FiringOutcome.SKIPPED, "r1")),
        (QUEUED, True, {"overlap": "queue"}, noted(THREE, FiringOutcome.WAITING, "r1")),
        (QUEUED, False, {"catch_up_minutes": 1}, noted(THREE, FiringOutcome.MISSED, "r1")),
        (noted(THREE, FiringOutcome.QUEUED, "r2"), False, {}, None),
        (noted(THREE, FiringOutcome.QUEUED, "r2"), True, {}, None),
        (noted(THREE, FiringOutcome.SKIPPED, "r1"), False, {}, None),
        (noted(THREE, FiringOutcome.FAILED, "r2"), False, {}, None),
        (noted(THREE, FiringOutcome.WAITING, "r1"), True, {"overlap": "queue"}, None),
        (
            noted(THREE, FiringOutcome.WAITING, "r1"),
            False,
            {"overlap": "queue"},
            noted(THREE, FiringOutcome.QUEUEING, "r1"),
        ),
        (
            noted(THREE - DAY, FiringOutcome.WAITING, "r1"),
            True,
            {"overlap": "queue"},
            noted(THREE, FiringOutcome.WAITING, "r1"),
        ),
        (noted(THREE - DAY, FiringOutcome.QUEUEING, "r1"), True, {}, noted(THREE - DAY, FiringOutcome.QUEUEING, "r1")),
    ],
)
def test_each_time_is_dealt_with_once(
    last: EntryFiring | None, going: bool, changes: dict[str, Any], expected: EntryFiring | None
) -> None:
    """New entries wait for their next time; a run that was begun is gone on with, before anything else."""
    assert decide_firing(entry(**changes), last, THREE + timedelta(minutes=5), going=going) == expected


def test_after_a_long_silence_only_the_latest_time_fires() -> None:
    """A scheduler that was away for a week enqueues once."""
    last = noted(THREE - 7 * DAY, FiringOutcome.QUEUED, "r1")
    firing = decide_firing(entry(), last, THREE + timedelta(minutes=59), going=False)
    assert firing == noted(THREE, FiringOutcome.QUEUEING, "r1")


def test_another_rules_times_do_not_fire_in_arrears() -> None:
    """An entry that is moved to half past two at five past three waits for tomorrow; a run that was begun is ended."""
    moved, now = entry(cron="30 2 * * *"), THREE + timedelta(minutes=5)
    half_past = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
    firing = decide_firing(moved, noted(THREE, FiringOutcome.QUEUED, "r1"), now, going=False)
    assert firing == EntryFiring(half_past, FiringOutcome.SEEN, "r1", rule="30 2 * * * UTC")
    begun = noted(THREE, FiringOutcome.QUEUEING, "r1")
    assert decide_firing(moved, begun, now, going=True) == begun
