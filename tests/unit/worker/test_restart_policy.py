"""What the supervisor decides about each worker process, from plain values."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from pagemill.config.settings import SupervisorSettings
from pagemill.worker.restart_policy import (
    ChildOrder,
    ChildState,
    ChildStep,
    RestartRules,
    backoff_s,
    decide_restart,
    restart_advice,
)

RULES = RestartRules(beat_timeout_s=60, stop_grace_s=10, backoff_s=1, backoff_max_s=60, max_crashes=5)
NOW = 10_000.0
WELL = ChildState(started_s=NOW - 500, first_beat_s=NOW - 495, last_beat_s=NOW - 1)
YOUNG = ChildState(started_s=NOW - 20, first_beat_s=NOW - 15, last_beat_s=NOW - 2)


@pytest.mark.parametrize(
    ("child", "step"),
    [
        (WELL, ChildStep.NOTHING),
        (replace(WELL, last_beat_s=NOW - 59), ChildStep.NOTHING),
        (replace(WELL, last_beat_s=NOW - 60), ChildStep.TERMINATE),
        (ChildState(started_s=NOW - 239), ChildStep.NOTHING),
        (ChildState(started_s=NOW - 240), ChildStep.TERMINATE),
        # The supervisor, or the whole container, was paused until just now.
        (replace(WELL, last_beat_s=NOW - 900, watched_since_s=NOW - 1), ChildStep.NOTHING),
        (replace(WELL, last_beat_s=NOW - 900, watched_since_s=NOW - 60), ChildStep.TERMINATE),
        # Stopped from outside.
        (replace(WELL, stopped_since_s=NOW - 4), ChildStep.NOTHING),
        (replace(WELL, stopped_since_s=NOW - 5), ChildStep.CONTINUE),
        (replace(WELL, last_beat_s=NOW - 70, stopped_since_s=NOW - 6), ChildStep.CONTINUE),
        (replace(WELL, last_beat_s=NOW - 6, continued_s=NOW - 1), ChildStep.NOTHING),
        (replace(WELL, last_beat_s=NOW - 70, continued_s=NOW - 2), ChildStep.NOTHING),
        (replace(WELL, last_beat_s=NOW - 70, continued_s=NOW - 3), ChildStep.TERMINATE),
        (replace(WELL, last_beat_s=NOW - 30, stopped_since_s=NOW - 5, continued_s=NOW - 5), ChildStep.CONTINUE),
        (replace(WELL, last_beat_s=NOW - 70, stopped_since_s=NOW - 5, continued_s=NOW - 5), ChildStep.TERMINATE),
        # Told to end.
        (replace(WELL, last_beat_s=NOW - 70, kill_at_s=NOW + 1), ChildStep.NOTHING),
        (replace(WELL, kill_at_s=NOW), ChildStep.KILL),
        (replace(WELL, kill_at_s=NOW, stopped_since_s=NOW - 9), ChildStep.KILL),
        (replace(WELL, kill_at_s=NOW + 200, stopped_since_s=NOW - 9), ChildStep.CONTINUE),
        (replace(WELL, last_beat_s=NOW - 900, kill_at_s=float("inf")), ChildStep.NOTHING),
    ],
)
def test_a_living_child_gets_the_mildest_remedy_that_is_due(child: ChildState, step: ChildStep) -> None:
    """Silence, a stop from outside, and a time by which it must have ended."""
    assert decide_restart(NOW, child, RULES).step is step


def test_a_timeout_above_the_starting_allowance_counts_from_the_start_too() -> None:
    """Who configures ten minutes of patience does not mean four at the start."""
    rules = replace(RULES, beat_timeout_s=600)
    assert decide_restart(NOW, ChildState(started_s=NOW - 599), rules).step is ChildStep.NOTHING
    assert decide_restart(NOW, ChildState(started_s=NOW - 600), rules).step is ChildStep.TERMINATE


def ended(child: ChildState, code: int, **changes: float | bool) -> ChildState:
    """That child, ended just now."""
    return replace(child, exit_code=code, ended_s=NOW, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("child", "order"),
    [
        (ended(WELL, 0), ChildOrder(ChildStep.RESPAWN, NOW)),
        (ended(YOUNG, 0, crashes=3), ChildOrder(ChildStep.RESPAWN, NOW)),
        (ended(YOUNG, 75, crashes=3), ChildOrder(ChildStep.RESPAWN, NOW)),
        (ended(WELL, 1, crashes=3), ChildOrder(ChildStep.RESPAWN, NOW)),
        (ended(WELL, -9), ChildOrder(ChildStep.RESPAWN, NOW)),
        (ended(YOUNG, 1), ChildOrder(ChildStep.RESPAWN, NOW + 1, crashes=1)),
        (ended(YOUNG, -11, crashes=1), ChildOrder(ChildStep.RESPAWN, NOW + 2, crashes=2)),
        (ended(ChildState(started_s=NOW - 1), 69, crashes=3), ChildOrder(ChildStep.RESPAWN, NOW + 8, crashes=4)),
        (ended(YOUNG, 69, crashes=4), ChildOrder(ChildStep.GIVE_UP, crashes=5)),
        # It was told to end and had not begun to hear signals.
        (ended(YOUNG, -signal.SIGTERM, kill_at_s=NOW), ChildOrder(ChildStep.RESPAWN, NOW)),
        (ended(YOUNG, -signal.SIGTERM), ChildOrder(ChildStep.RESPAWN, NOW + 1, crashes=1)),
        # One that hangs soon after every start never gets well by ending politely.
        (ended(YOUNG, 0, kill_at_s=NOW, stuck=True), ChildOrder(ChildStep.RESPAWN, NOW + 1, crashes=1)),
        (ended(YOUNG, 0, kill_at_s=NOW, stuck=True, crashes=4), ChildOrder(ChildStep.GIVE_UP, crashes=5)),
        (ended(WELL, 0, kill_at_s=NOW, stuck=True), ChildOrder(ChildStep.RESPAWN, NOW)),
    ],
)
def test_an_ended_child_is_replaced_sooner_or_later_or_ends_all(child: ChildState, order: ChildOrder) -> None:
    """By its exit code, by how long it had beaten, and by the crashes before."""
    assert decide_restart(NOW, child, RULES) == order


@pytest.mark.parametrize(
    ("child", "order"),
    [
        (ended(WELL, 0), ChildOrder(ChildStep.RETIRE)),
        (ended(WELL, 75), ChildOrder(ChildStep.RESPAWN, NOW)),
        # It was stuck and drained: the queues are not empty.
        (ended(WELL, 0, kill_at_s=NOW, stuck=True), ChildOrder(ChildStep.RESPAWN, NOW)),
        # Until the dead one's batch can be taken over, a successor would find nothing to do and end.
        (ended(WELL, -9), ChildOrder(ChildStep.RESPAWN, NOW + 56)),
        (ended(YOUNG, -9), ChildOrder(ChildStep.RESPAWN, NOW + 56, crashes=1)),
        (ended(ChildState(started_s=NOW - 1), 69), ChildOrder(ChildStep.RESPAWN, NOW + 1, crashes=1)),
        (ended(YOUNG, 1, crashes=4), ChildOrder(ChildStep.GIVE_UP, crashes=5)),
    ],
)
def test_a_burst_replaces_what_crashed_and_nothing_else(child: ChildState, order: ChildOrder) -> None:
    """Its processes end by themselves when there is nothing left to do."""
    assert decide_restart(NOW, child, replace(RULES, takeover_s=56), burst=True) == order


@pytest.mark.parametrize("code", [0, 1, 75, -9])
@pytest.mark.parametrize("burst", [False, True])
def test_nothing_is_replaced_while_all_are_to_stop(code: int, burst: bool) -> None:
    """Nor is a crash loop declared: the end is near anyway."""
    child = ended(YOUNG, code, crashes=4)
    assert decide_restart(NOW, child, RULES, burst=burst, stopping=True).step is ChildStep.RETIRE


def test_the_pause_doubles_up_to_its_limit() -> None:
    """However many crashes there were."""
    assert [backoff_s(crashes, RULES) for crashes in (1, 2, 3, 6, 7, 8, 5000)] == [1, 2, 4, 32, 60, 60, 60]


def test_the_rules_are_the_configured_ones() -> None:
    """Every setting of the section has its place; the restart's time is the schedule's."""
    settings = SupervisorSettings(
        beat_timeout_s=7, stop_grace_s=8, respawn_backoff_s=9, respawn_backoff_max_s=10, max_crashes=11
    )
    rules = RestartRules.of(settings, takeover_s=12)
    assert (rules.beat_timeout_s, rules.stop_grace_s, rules.backoff_s) == (7, 8, 9)
    assert (rules.backoff_max_s, rules.max_crashes, rules.takeover_s) == (10, 11, 12)


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "hang"), (1, "log lines"), (2, "configuration"), (69, "out of reach"), (-9, "memory"), (-11, "log lines")],
)
def test_the_advice_fits_the_exit_code(exit_code: int, words: str) -> None:
    """A person reads what to do next."""
    assert words in restart_advice(exit_code)
