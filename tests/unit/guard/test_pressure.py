"""Judging pressure: rising marks, falling marks, and which reason is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.settings import GuardSettings
from pagemill.guard.pressure import CALM, Judgement, Level, Marks, Reason, judge

MARKS = Marks.of(GuardSettings())
"""60; 70, 80, 85, 95."""


@pytest.mark.parametrize(
    ("before", "percent", "after"),
    [
        (Level.NORMAL, 0, Level.NORMAL),
        (Level.NORMAL, 69.9, Level.NORMAL),
        (Level.NORMAL, 70, Level.WARNING),
        (Level.NORMAL, 80, Level.CLEANUP),
        (Level.NORMAL, 85, Level.CRITICAL),
        (Level.NORMAL, 99, Level.EMERGENCY),
        (Level.WARNING, 65, Level.WARNING),
        (Level.WARNING, 60, Level.WARNING),
        (Level.WARNING, 59.9, Level.NORMAL),
        (Level.CLEANUP, 70, Level.CLEANUP),
        (Level.CLEANUP, 69.9, Level.WARNING),
        (Level.CRITICAL, 80, Level.CRITICAL),
        (Level.CRITICAL, 79.9, Level.CLEANUP),
        (Level.EMERGENCY, 85, Level.EMERGENCY),
        (Level.EMERGENCY, 84.9, Level.CRITICAL),
        (Level.EMERGENCY, 10, Level.NORMAL),
        (Level.WARNING, 96, Level.EMERGENCY),
    ],
)
def test_a_level_begins_at_its_mark_and_ends_below_the_one_under_it(
    before: Level, percent: float, after: Level
) -> None:
    """Rising and falling use different marks, and several levels can be crossed at once."""
    assert MARKS.next(before, percent) is after


@given(st.sampled_from(list(Level)), st.floats(0, 120))
def test_the_same_value_twice_changes_nothing_more(before: Level, percent: float) -> None:
    """Judging is settled after one step, so a steady value cannot make the level wander."""
    once = MARKS.next(before, percent)
    assert MARKS.next(once, percent) is once


@given(st.lists(st.floats(81, 84.9), min_size=2, max_size=30))
def test_a_value_that_sways_between_two_marks_does_not_flap(values: list[float]) -> None:
    """From critical down to above the cleanup mark the level stays what it is."""
    level = Level.CRITICAL
    for value in values:
        level = MARKS.next(level, value)
    assert level is Level.CRITICAL


def percents(**values: float) -> dict[Reason, float]:
    """Every reason at ten percent but for those that are given."""
    return {reason: values.get(reason.value, 10.0) for reason in Reason}


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_can_be_the_one(reason: Reason) -> None:
    """The level is that of the fullest, and it is named."""
    judgement = judge(CALM, percents(**{reason.value: 81.5}), MARKS)
    assert (judgement.level, judgement.reason, judgement.percent) == (Level.CLEANUP, reason, 81.5)


def test_every_reason_keeps_a_level_of_its_own() -> None:
    """Memory that has recovered does not hide shm that is still falling, and the other way round."""
    first = judge(CALM, percents(memory=96, shm=86), MARKS)
    second = judge(first, percents(memory=30, shm=82), MARKS)
    assert (second.level, second.reason) == (Level.CRITICAL, Reason.SHM)
    assert second.levels[Reason.MEMORY] is Level.NORMAL


def test_a_level_that_is_held_names_what_holds_it() -> None:
    """A fuller reason at a lower level is not the reason."""
    before = Judgement(Level.EMERGENCY, Reason.SHM, 96, {Reason.SHM: Level.EMERGENCY})
    judgement = judge(before, percents(shm=85.5, memory=86), MARKS)
    assert (judgement.level, judgement.reason) == (Level.EMERGENCY, Reason.SHM)
