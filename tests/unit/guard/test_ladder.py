"""The ladder: which steps, when again, when to leave, and how lanes come back."""

from __future__ import annotations

import pytest

from pagemill.guard.ladder import GROW_S, LEAVE_S, PEACE_S, REPEAT_S, Stance, Step, plan
from pagemill.guard.pressure import Judgement, Level, Reason


def at(level: Level) -> Judgement:
    """A judgement at that level."""
    return Judgement(level, Reason.MEMORY, 50.0, {})


def fresh(lanes: int = 8) -> Stance:
    """A worker at peace."""
    return Stance(full_lanes=lanes, lanes=lanes)


@pytest.mark.parametrize(
    ("level", "steps", "lanes", "admitted"),
    [
        (Level.NORMAL, (), 8, 8),
        (Level.WARNING, (Step.CLEAN,), 8, 8),
        (Level.CLEANUP, (Step.CLEAN, Step.ROTATE_IDLE), 7, 7),
        (Level.CRITICAL, (Step.CLEAN, Step.ROTATE_IDLE, Step.ROTATE_CONTEXTS, Step.ALERT), 4, 4),
        (
            Level.EMERGENCY,
            (Step.CLEAN, Step.ROTATE_IDLE, Step.ROTATE_CONTEXTS, Step.ALERT, Step.RETIRE),
            4,
            0,
        ),
    ],
)
def test_each_level_has_its_rung(level: Level, steps: tuple[Step, ...], lanes: int, admitted: int) -> None:
    """Higher rungs contain the lower ones; an emergency admits nothing."""
    stance, ordered = plan(fresh(), at(level), 100.0)
    assert (ordered, stance.lanes, stance.admitted_lanes) == (steps, lanes, admitted)


def test_a_rung_is_climbed_again_only_after_a_while() -> None:
    """Steps need time to show; after it, one lane more goes."""
    stance, _ = plan(fresh(), at(Level.CLEANUP), 100.0)
    stance, steps = plan(stance, at(Level.CLEANUP), 100.0 + REPEAT_S - 0.1)
    assert (steps, stance.lanes) == ((), 7)
    stance, steps = plan(stance, at(Level.CLEANUP), 100.0 + REPEAT_S)
    assert (steps, stance.lanes) == ((Step.CLEAN, Step.ROTATE_IDLE), 6)


def test_the_last_lane_stays() -> None:
    """Work goes on with one lane, however long it presses."""
    stance = fresh(2)
    for turn in range(10):
        stance, _ = plan(stance, at(Level.CRITICAL), 100.0 + turn * REPEAT_S)
    assert stance.lanes == 1


def test_a_level_that_falls_orders_nothing() -> None:
    """What was done is left to work."""
    stance, _ = plan(fresh(), at(Level.EMERGENCY), 100.0)
    stance, steps = plan(stance, at(Level.CLEANUP), 103.0)
    assert (steps, stance.admitted_lanes) == ((), 4)


def test_an_emergency_that_lasts_ends_the_process_once() -> None:
    """Half a minute after browser and driver were retired, and never twice."""
    stance, _ = plan(fresh(), at(Level.EMERGENCY), 100.0)
    stance, steps = plan(stance, at(Level.EMERGENCY), 100.0 + LEAVE_S - 0.1)
    assert Step.LEAVE not in steps
    stance, steps = plan(stance, at(Level.EMERGENCY), 100.0 + LEAVE_S)
    assert steps == (Step.LEAVE,)
    for later in range(1, 20):
        stance, steps = plan(stance, at(Level.EMERGENCY), 100.0 + LEAVE_S + 5 * later)
        assert Step.LEAVE not in steps


def test_a_shortage_that_others_make_is_waited_out() -> None:
    """Leaving would free nothing: no visit is admitted, and the worker stays."""
    stance = fresh()
    for second in range(100, 400):
        stance, steps = plan(stance, at(Level.EMERGENCY), float(second), may_help=False)
        assert Step.LEAVE not in steps
    assert stance.admitted_lanes == 0


def test_lanes_come_back_one_by_one_after_a_while_of_peace() -> None:
    """Fast down, slowly up, and never above what was asked for."""
    stance, _ = plan(fresh(4), at(Level.CRITICAL), 100.0)
    stance, _ = plan(stance, at(Level.NORMAL), 200.0)
    grown = []
    for second in range(200, 400):
        before = stance.lanes
        stance, steps = plan(stance, at(Level.NORMAL), float(second))
        assert steps == ()
        if stance.lanes > before:
            grown.append(second)
    assert grown == [200 + int(PEACE_S), 200 + int(PEACE_S + GROW_S)]
    assert stance.lanes == 4
