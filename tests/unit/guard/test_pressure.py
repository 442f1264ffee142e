"""Judging pressure: rising marks, falling marks, and which reason is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.settings import GuardSettings
from pagemill.guard.pressure import (
    CALM,
    PressureJudgement,
    PressureLevel,
    PressureMarks,
    PressureReason,
    judge_pressure,
)

MARKS = PressureMarks.of(GuardSettings())
"""60; 70, 80, 85, 95."""


@pytest.mark.parametrize(
    ("before", "percent", "after"),
    [
        (PressureLevel.NORMAL, 0, PressureLevel.NORMAL),
        (PressureLevel.NORMAL, 69.9, PressureLevel.NORMAL),
        (PressureLevel.NORMAL, 70, PressureLevel.WARNING),
        (PressureLevel.NORMAL, 80, PressureLevel.CLEANUP),
        (PressureLevel.NORMAL, 85, PressureLevel.CRITICAL),
        (PressureLevel.NORMAL, 99, PressureLevel.EMERGENCY),
        (PressureLevel.WARNING, 65, PressureLevel.WARNING),
        (PressureLevel.WARNING, 60, PressureLevel.WARNING),
        (PressureLevel.WARNING, 59.9, PressureLevel.NORMAL),
        (PressureLevel.CLEANUP, 70, PressureLevel.CLEANUP),
        (PressureLevel.CLEANUP, 69.9, PressureLevel.WARNING),
        (PressureLevel.CRITICAL, 80, PressureLevel.CRITICAL),
        (PressureLevel.CRITICAL, 79.9, PressureLevel.CLEANUP),
        (PressureLevel.EMERGENCY, 85, PressureLevel.EMERGENCY),
        (PressureLevel.EMERGENCY, 84.9, PressureLevel.CRITICAL),
        (PressureLevel.EMERGENCY, 10, PressureLevel.NORMAL),
        (PressureLevel.WARNING, 96, PressureLevel.EMERGENCY),
    ],
)
def test_a_level_begins_at_its_mark_and_ends_below_the_one_under_it(
    before: PressureLevel, percent: float, after: PressureLevel
) -> None:
    """Rising and falling use different marks, and several levels can be crossed at once."""
    assert MARKS.next(before, percent) is after


@given(st.sampled_from(list(PressureLevel)), st.floats(0, 120))
def test_the_same_value_twice_changes_nothing_more(before: PressureLevel, percent: float) -> None:
    """Judging is settled after one step, so a steady value cannot make the level wander."""
    once = MARKS.next(before, percent)
    assert MARKS.next(once, percent) is once


@given(st.lists(st.floats(81, 84.9), min_size=2, max_size=30))
def test_a_value_that_sways_between_two_marks_does_not_flap(values: list[float]) -> None:
    """From critical down to above the cleanup mark the level stays what it is."""
    level = PressureLevel.CRITICAL
    for value in values:
        level = MARKS.next(level, value)
    assert level is PressureLevel.CRITICAL


def percents(**values: float) -> dict[PressureReason, float]:
    """Every reason at ten percent but for those that are given."""
    return {reason: values.get(reason.value, 10.0) for reason in PressureReason}


@pytest.mark.parametrize("reason", list(PressureReason))
def test_each_reason_can_be_the_one(reason: PressureReason) -> None:
    """The level is that of the fullest, and it is named."""
    judgement = judge_pressure(CALM, percents(**{reason.value: 81.5}), MARKS)
    assert (judgement.level, judgement.reason, judgement.percent) == (PressureLevel.CLEANUP, reason, 81.5)


def test_every_reason_keeps_a_level_of_its_own() -> None:
    """Memory that has recovered does not hide shm that is still falling, and the other way round."""
    first = judge_pressure(CALM, percents(memory=96, shm=86), MARKS)
    second = judge_pressure(first, percents(memory=30, shm=82), MARKS)
    assert (second.level, second.reason) == (PressureLevel.CRITICAL, PressureReason.SHM)
    assert second.levels[PressureReason.MEMORY] is PressureLevel.NORMAL


def test_a_level_that_is_held_names_what_holds_it() -> None:
    """A fuller reason at a lower level is not the reason."""
    before = PressureJudgement(
        PressureLevel.EMERGENCY, PressureReason.SHM, 96, {PressureReason.SHM: PressureLevel.EMERGENCY}
    )
    judgement = judge_pressure(before, percents(shm=85.5, memory=86), MARKS)
    assert (judgement.level, judgement.reason) == (PressureLevel.EMERGENCY, PressureReason.SHM)
