"""The ladder: which steps, when again, when to leave, and how places come back."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.guard import ladder
from pagemill.guard.ladder import ABANDON_S, GROW_S, LEAVE_S, PEACE_S, REPEAT_S, LadderStep, Stance
from pagemill.guard.pressure import PressureJudgement, PressureLevel, PressureReason

plan = partial(ladder.plan, pages=100)
"""Where every place has its page."""


def at(level: PressureLevel) -> PressureJudgement:
    """A judgement at that level."""
    return PressureJudgement(level, PressureReason.MEMORY, 50.0, {})


def fresh(places: int = 8) -> Stance:
    """A worker at peace."""
    return Stance(full_places=places, places=places)


@pytest.mark.parametrize(
    ("level", "steps", "places", "admitted"),
    [
        (PressureLevel.NORMAL, (), 8, 8),
        (PressureLevel.WARNING, (LadderStep.CLEAN,), 8, 8),
        (PressureLevel.CLEANUP, (LadderStep.CLEAN, LadderStep.ROTATE_IDLE), 7, 7),
        (
            PressureLevel.CRITICAL,
            (LadderStep.CLEAN, LadderStep.ROTATE_IDLE, LadderStep.ROTATE_CONTEXTS, LadderStep.ALERT),
            4,
            4,
        ),
        (
            PressureLevel.EMERGENCY,
            (LadderStep.CLEAN, LadderStep.ROTATE_IDLE, LadderStep.ROTATE_CONTEXTS, LadderStep.ALERT, LadderStep.RETIRE),
            4,
            0,
        ),
    ],
)
def test_each_level_has_its_rung(
    level: PressureLevel, steps: tuple[LadderStep, ...], places: int, admitted: int
) -> None:
    """Higher rungs contain the lower ones; an emergency admits nothing."""
    stance, ordered = plan(fresh(), at(level), 100.0)
    assert (ordered, stance.places, stance.admitted_places) == (steps, places, admitted)


def test_a_rung_is_climbed_again_only_after_a_while() -> None:
    """Steps need time to show; after it, one lane more goes."""
    stance, _ = plan(fresh(), at(PressureLevel.CLEANUP), 100.0)
    stance, steps = plan(stance, at(PressureLevel.CLEANUP), 100.0 + REPEAT_S - 0.1)
    assert (steps, stance.places) == ((), 7)
    stance, steps = plan(stance, at(PressureLevel.CLEANUP), 100.0 + REPEAT_S)
    assert (steps, stance.places) == ((LadderStep.CLEAN, LadderStep.ROTATE_IDLE), 6)


@pytest.mark.parametrize(
    ("level", "pages", "places"),
    [
        (PressureLevel.WARNING, 3, 8),
        (PressureLevel.CLEANUP, 3, 2),
        (PressureLevel.CLEANUP, 9, 7),
        (PressureLevel.CRITICAL, 5, 2),
        (PressureLevel.CRITICAL, 0, 1),
    ],
)
def test_places_go_from_those_that_are_used(level: PressureLevel, pages: int, places: int) -> None:
    """A place without a page holds no memory: to take it away frees none."""
    assert plan(fresh(), at(level), 100.0, pages=pages)[0].places == places


def test_the_last_lane_stays() -> None:
    """Work goes on with one lane, however long it presses."""
    stance = fresh(2)
    for turn in range(10):
        stance, _ = plan(stance, at(PressureLevel.CRITICAL), 100.0 + turn * REPEAT_S)
    assert stance.places == 1


def test_a_level_that_falls_orders_nothing() -> None:
    """What was done is left to work."""
    stance, _ = plan(fresh(), at(PressureLevel.EMERGENCY), 100.0)
    stance, steps = plan(stance, at(PressureLevel.CLEANUP), 103.0)
    assert (steps, stance.admitted_places) == ((), 4)


def test_an_emergency_that_lasts_ends_the_process_once() -> None:
    """Half a minute after browser and driver were retired, and never twice."""
    stance, _ = plan(fresh(), at(PressureLevel.EMERGENCY), 100.0)
    stance, steps = plan(stance, at(PressureLevel.EMERGENCY), 100.0 + LEAVE_S - 0.1)
    assert LadderStep.LEAVE not in steps
    stance, steps = plan(stance, at(PressureLevel.EMERGENCY), 100.0 + LEAVE_S)
    assert steps == (LadderStep.LEAVE,)
    for later in range(1, 20):
        stance, steps = plan(stance, at(PressureLevel.EMERGENCY), 100.0 + LEAVE_S + 5 * later)
        assert steps == ()


def test_a_process_that_does_not_come_to_its_end_is_ended() -> None:
    """A visit that nothing ends must not keep a worker that is told to leave, whatever the level is by then."""
    stance, _ = plan(fresh(), at(PressureLevel.EMERGENCY), 100.0)
    stance, _ = plan(stance, at(PressureLevel.EMERGENCY), 100.0 + LEAVE_S)
    left_s = 100.0 + LEAVE_S
    stance, steps = plan(stance, at(PressureLevel.NORMAL), left_s + ABANDON_S - 0.1)
    assert steps == ()
    stance, steps = plan(stance, at(PressureLevel.NORMAL), left_s + ABANDON_S)
    assert steps == (LadderStep.ABANDON,)
    assert plan(stance, at(PressureLevel.EMERGENCY), left_s + 2 * ABANDON_S)[1] == ()


def test_an_emergency_that_comes_back_at_once_has_not_been_over() -> None:
    """A level that sways around its mark would else hold a worker between two minds for ever."""
    stance = fresh()
    ordered: list[LadderStep] = []
    for turn in range(20):
        level = PressureLevel.CRITICAL if turn % 3 == 2 else PressureLevel.EMERGENCY
        stance, steps = plan(stance, at(level), 100.0 + 5 * turn)
        ordered += steps
    assert ordered.count(LadderStep.LEAVE) == 1


def test_a_shortage_that_others_make_is_sat_out_with_one_lane() -> None:
    """Leaving would free nothing: half a minute without a visit, then one lane, whose browser stays."""
    stance = fresh()
    admitted, ordered = [], []
    for second in range(100, 400):
        stance, steps = plan(stance, at(PressureLevel.EMERGENCY), float(second), may_help=False)
        admitted.append(stance.admitted_places)
        ordered.append(steps)
    sits = int(LEAVE_S)
    assert admitted == [0] * sits + [1] * (300 - sits)
    assert LadderStep.LEAVE not in {step for steps in ordered for step in steps}
    assert LadderStep.RETIRE not in {step for steps in ordered[sits:] for step in steps}
    stance, _ = plan(stance, at(PressureLevel.CLEANUP), 500.0)
    assert plan(stance, at(PressureLevel.EMERGENCY), 501.0)[0].admitted_places == 0


def test_a_shortage_that_becomes_ours_while_it_is_sat_out_ends_the_process() -> None:
    """As when the one lane that works is what takes the rest."""
    stance, _ = plan(fresh(), at(PressureLevel.EMERGENCY), 100.0, may_help=False)
    stance, _ = plan(stance, at(PressureLevel.EMERGENCY), 200.0, may_help=False)
    assert stance.admitted_places == 1
    assert plan(stance, at(PressureLevel.EMERGENCY), 205.0, may_help=True)[1] == (LadderStep.LEAVE,)


@given(
    st.lists(
        st.tuples(st.sampled_from(PressureLevel), st.booleans(), st.floats(0.5, 15.0)),
        min_size=1,
        max_size=120,
    ),
    st.integers(1, 16),
)
def test_no_state_stops_a_worker_for_good(rounds: list[tuple[PressureLevel, bool, float]], places: int) -> None:
    """Whatever is measured when: a worker without a lane has had its half minute at most, or is on its way out."""
    stance = fresh(places)
    now_s = 100.0
    stopped_s = left_s = None
    for level, may_help, pause_s in rounds:
        now_s += pause_s
        stance, steps = plan(stance, at(level), now_s, may_help=may_help)
        assert (LadderStep.LEAVE in steps) <= (left_s is None)
        if LadderStep.LEAVE in steps:
            left_s = now_s
        if left_s is not None:
            assert now_s - left_s < ABANDON_S or stance.abandoned
            continue
        assert 1 <= stance.places <= places
        stopped_s = None if stance.admitted_places else now_s if stopped_s is None else stopped_s
        assert stopped_s is None or now_s - stopped_s < LEAVE_S


def test_lanes_come_back_one_by_one_after_a_while_of_peace() -> None:
    """Fast down, slowly up, and never above what was asked for."""
    stance, _ = plan(fresh(4), at(PressureLevel.CRITICAL), 100.0)
    stance, _ = plan(stance, at(PressureLevel.NORMAL), 200.0)
    grown = []
    for second in range(200, 400):
        before = stance.places
        stance, steps = plan(stance, at(PressureLevel.NORMAL), float(second))
        assert steps == ()
        if stance.places > before:
            grown.append(second)
    assert grown == [200 + int(PEACE_S), 200 + int(PEACE_S + GROW_S)]
    assert stance.places == 4
