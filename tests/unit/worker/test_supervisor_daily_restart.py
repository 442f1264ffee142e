"""When processes start afresh: once a date, one after another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from pagemill.worker.daily_restart import DailyRestart, Occupant

CET = timezone(timedelta(hours=1), "CET")
CEST = timezone(timedelta(hours=2), "CEST")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=CET)


def in_berlin(moment: datetime) -> datetime:
    """What a clock there shows in 2026, without the machine's table of time zones."""
    summer = datetime(2026, 3, 29, 1, 0, tzinfo=UTC) <= moment < datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    return moment.astimezone(CEST if summer else CET)


def well(place: int, generation: int = 1) -> Occupant:
    """A process that runs and has beaten."""
    return Occupant(place, generation, well=True)


def not_well(place: int, generation: int = 1) -> Occupant:
    """One that starts, ends, or has ended."""
    return Occupant(place, generation, well=False)


def due_at(at: str, started: datetime, hours: int) -> list[str]:
    """Every local time at which a single process is replaced, looking once a minute for so many hours."""
    daily, generation, found = DailyRestart(at, in_berlin(started)), 1, []
    for minute in range(hours * 60):
        now = in_berlin(started + timedelta(minutes=minute))
        if daily.next_place(now, [well(0, generation)]) is not None:
            found.append(f"{now:%d %H:%M %Z}")
            generation += 1
    return found


def test_it_comes_once_every_day() -> None:
    """Not on the first day when the time had passed before the start."""
    assert due_at("04:10", NOON, 72) == ["11 04:10 CET", "12 04:10 CET", "13 04:10 CET"]


def test_it_comes_on_the_first_day_when_the_time_is_still_to_come() -> None:
    """A worker that was started in the evening of its life is none the older for it."""
    assert due_at("23:30", NOON, 13) == ["10 23:30 CET"]


def test_without_a_time_it_never_comes() -> None:
    """`restart_at: null`."""
    daily = DailyRestart(None, NOON)
    assert daily.next_place(NOON + timedelta(days=2), [well(0)]) is None


def test_a_time_that_the_change_to_summer_time_leaves_out_comes_later_that_night() -> None:
    """On 29 March 2026 there is no 02:30 in Berlin."""
    assert due_at("02:30", datetime(2026, 3, 28, 12, 0, tzinfo=CET), 36) == ["29 03:00 CEST"]


def test_a_time_that_comes_twice_counts_once() -> None:
    """On 25 October 2026 there are two 02:30 in Berlin."""
    assert due_at("02:30", datetime(2026, 10, 24, 12, 0, tzinfo=CEST), 36) == ["25 02:30 CEST"]


def test_a_clock_that_is_set_back_over_midnight_restarts_nothing_twice() -> None:
    """It is the same date again, and it has had its restart."""
    daily = DailyRestart("00:00", NOON)
    midnight = datetime(2026, 3, 11, 0, 0, tzinfo=CET)
    assert daily.next_place(midnight, [well(0)]) == 0
    assert daily.next_place(midnight - timedelta(minutes=5), [well(0, 2)]) is None
    assert daily.next_place(midnight + timedelta(minutes=5), [well(0, 2)]) is None


def test_one_after_another_each_waits_for_the_successor_before() -> None:
    """At no time are two places without a process that is well."""
    daily = DailyRestart("04:10", NOON)
    now = NOON + timedelta(days=1)
    assert daily.next_place(now, [well(0), well(1), well(2)]) == 0
    assert daily.next_place(now, [not_well(0), well(1), well(2)]) is None  # it drains
    assert daily.next_place(now, [not_well(0, 2), well(1), well(2)]) is None  # its successor starts
    assert daily.next_place(now, [well(0, 2), well(1), well(2)]) == 1
    assert daily.next_place(now, [well(0, 2), well(1), well(2)]) is None
    assert daily.next_place(now, [well(0, 2), well(1, 2), well(2)]) == 2
    assert daily.next_place(now, [well(0, 2), well(1, 2), well(2, 2)]) is None


def test_what_was_replaced_meanwhile_or_is_ending_is_left_alone() -> None:
    """A crash in the middle of the round has made its place fresh."""
    daily = DailyRestart("04:10", NOON)
    now = NOON + timedelta(days=1)
    assert daily.next_place(now, [well(0), well(1), well(2), well(3)]) == 0
    assert daily.next_place(now, [well(0, 2), well(1, 2), not_well(2), well(3)]) == 3
