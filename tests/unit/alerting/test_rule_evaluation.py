"""When rules fire: after how long, how often, for whom, and what a missing reading means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from pagemill.alerting.rules import Reading, RuleState, evaluate_rules, with_thresholds
from pagemill.config.alerts import AlertRule


def rule(**values: Any) -> AlertRule:
    return AlertRule(**{"metric": "memory_percent", "threshold": 80, **values})


def memory(percent: float, worker: str = "w1") -> Reading:
    return Reading("memory_percent", "", worker, percent)


def firings(one: AlertRule, rounds: Sequence[tuple[float, float | None]], cooldown_minutes: float = 15) -> list[float]:
    """The moments at which the rule fires for w1, given what was read when; `None` for no reading."""
    state, moments = RuleState(), []
    for now_s, percent in rounds:
        readings = [] if percent is None else [memory(percent)]
        state, fired = evaluate_rules({"memory": one}, readings, state, now_s, cooldown_minutes)
        moments += [now_s] * len(fired)
    return moments


def every(step_s: float, until_s: float, percent: float, start_s: float = 0) -> list[tuple[float, float | None]]:
    count = round((until_s - start_s) / step_s)
    return [(start_s + number * step_s, percent) for number in range(count + 1)]


@pytest.mark.parametrize(
    ("operator", "value", "fires"),
    [
        ("gt", 80, False),
        ("gt", 80.1, True),
        ("gte", 80, True),
        ("gte", 79.9, False),
        ("lt", 80, False),
        ("lt", 79, True),
        ("lte", 80, True),
        ("lte", 80.1, False),
        ("lt", math.inf, False),
        ("gt", math.nan, False),
    ],
)
def test_the_operator_decides(operator: str, value: float, fires: bool) -> None:
    """Without `for_s` at the first look."""
    assert firings(rule(operator=operator), [(0, value)]) == ([0] if fires else [])


def test_a_condition_must_last() -> None:
    """For `for_s`, and a single look below the mark begins anew."""
    one = rule(for_s=60)
    assert firings(one, every(10, 200, 90)) == [60]
    interrupted = [*every(10, 50, 90), (60.0, 79.0), *every(10, 200, 90, 70)]
    assert firings(one, interrupted) == [130]


def test_it_fires_once_until_it_recovers_or_its_cooldown_is_over() -> None:
    """The rule's own cooldown beats the settings' one."""
    assert firings(rule(), every(60, 3600, 90)) == [0, 900, 1800, 2700, 3600]
    assert firings(rule(cooldown_minutes=30), every(60, 3600, 90)) == [0, 1800, 3600]
    assert firings(rule(), [(0, 90), (60, 70), (120, 90)]) == [0, 120]


def test_without_a_cooldown_it_fires_once_until_it_recovers() -> None:
    """And not in every round."""
    assert firings(rule(cooldown_minutes=0), [*every(10, 1000, 90), (1010, 10.0), (1020, 90.0)]) == [0, 1020]


def test_a_missing_reading_neither_holds_nor_recovers() -> None:
    """Its time does not count, up to two minutes."""
    one = rule(for_s=60)
    rounds: list[tuple[float, float | None]] = [*every(10, 40, 90), (50, None), (140, None), *every(10, 300, 90, 150)]
    assert firings(one, rounds) == [170]
    assert firings(rule(), [(0, 90), (60, None), (100, 90)]) == [0]


def test_after_two_minutes_without_a_reading_it_begins_anew() -> None:
    """What was in trouble is forgotten, so that scopes that are gone take no room."""
    one = rule(for_s=60)
    rounds: list[tuple[float, float | None]] = [*every(10, 50, 90), (130, None), (171, None), *every(10, 400, 90, 175)]
    assert firings(one, rounds) == [235]
    state, _ = evaluate_rules({"memory": one}, [memory(90)], RuleState(), 0)
    for now_s, left in ((60.0, 1), (120.0, 1), (120.1, 0)):
        state, _ = evaluate_rules({"memory": one}, [], state, now_s)
        assert len(state.watched) == left


def test_a_long_pause_between_rounds_counts_as_a_gap() -> None:
    """Nobody knows what was in between."""
    assert firings(rule(for_s=60), [(0, 90), (500, 90), (530, 90), (560, 90)]) == [560]


def test_each_worker_and_platform_is_judged_by_itself() -> None:
    """A rule about one metric hears no other, and names whom it is about."""
    rules = {"memory": rule(for_s=10), "blocked": rule(metric="block_rate", threshold=0.2)}
    first = [memory(90, "w1"), memory(70, "w2"), Reading("block_rate", "shop", "", 0.3), Reading("other", "", "", 999)]
    state, fired = evaluate_rules(rules, first, RuleState(), 0)
    assert [(each.name, each.reading.scope) for each in fired] == [("blocked", "shop")]
    state, fired = evaluate_rules(rules, [memory(91, "w1"), memory(90, "w2")], state, 10)
    assert [(each.name, each.reading.worker, each.held_s) for each in fired] == [("memory", "w1", 10)]
    _, fired = evaluate_rules(rules, [memory(91, "w1"), memory(90, "w2")], state, 20)
    assert [each.reading.worker for each in fired] == ["w2"]


def test_a_disabled_rule_sleeps() -> None:
    """And forgets what it watched."""
    state, fired = evaluate_rules({"memory": rule(for_s=60)}, [memory(90)], RuleState(), 0)
    state, fired = evaluate_rules({"memory": rule(enabled=False)}, [memory(90)], state, 60)
    assert (dict(state.watched), fired) == ({}, [])


def test_what_is_watched_is_bounded() -> None:
    """However many workers are in trouble; those that are watched stay so."""
    crowd = [memory(90, f"w{number}") for number in range(6000)]
    state, fired = evaluate_rules({"memory": rule()}, crowd, RuleState(), 0)
    assert len(state.watched) == len(fired) == 5000
    state, fired = evaluate_rules({"memory": rule()}, list(reversed(crowd)), state, 10)
    assert (len(state.watched), fired) == (5000, [])


def test_a_firing_that_nobody_heard_is_tried_again() -> None:
    """In the next round, and the state that it is taken from stays as it was."""
    rules = {"memory": rule()}
    state, (fired,) = evaluate_rules(rules, [memory(90)], RuleState(), 0)
    again, refired = evaluate_rules(rules, [memory(90)], state.without_firing(fired), 10)
    assert [each.reading for each in refired] == [memory(90)]
    _, silent = evaluate_rules(rules, [memory(90)], again, 20)
    _, silent_too = evaluate_rules(rules, [memory(90)], state, 20)
    assert silent == silent_too == []
    assert RuleState().without_firing(fired) == RuleState()


def test_thresholds_can_be_replaced() -> None:
    """By metric and level; rules that fire below a mark are not meant."""
    rules = {
        "low": rule(level="warning"),
        "high": rule(level="critical", threshold=90),
        "below": rule(operator="lt", level="critical", threshold=5),
        "lag": rule(metric="loop_lag_ms", threshold=250),
    }
    changed = with_thresholds(rules, {("memory_percent", "critical"): 95, ("cpu_percent", "warning"): 1})
    assert {name: each.threshold for name, each in changed.items()} == {"low": 80, "high": 95, "below": 5, "lag": 250}
    assert rules["high"].threshold == 90
