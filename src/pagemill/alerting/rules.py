"""Decides which alert rules fire, from the fleet's readings and the state of the last round. Pure.

A rule fires when its condition has held for `for_s`. It fires again only after the condition ended or the rule's
cooldown is over. While a reading is missing, its time does not count; after two minutes without it, the condition is
forgotten. So the state holds only what is in trouble now.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pagemill.config.alerts import AlertRule

MISSING_S = 120.0
_MOST_WATCHED = 5000

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric of `config.alert_metrics`."""

    metric: str
    scope: str
    """A platform's name, or empty."""
    worker: str
    """The worker's name; empty if the value is the whole fleet's."""
    value: float
    """Infinite for `never`, for example minutes left; NaN counts as missing."""


@dataclass(frozen=True, slots=True)
class FiringRule:
    """A rule whose condition has held for long enough, for one worker or platform."""

    name: str
    rule: AlertRule
    reading: Reading
    held_s: float


WatchKey = tuple[str, str, str]
"""A rule's name, scope and worker."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A condition that holds, or that held until its reading went missing."""

    held_s: float
    seen_s: float
    was_missing: bool = False
    fired_s: float | None = None


@dataclass(frozen=True, slots=True)
class RuleState:
    """The state that one round passes to the next."""

    watched: Mapping[WatchKey, Watched] = field(default_factory=dict)

    def without_firing(self, firing: FiringRule) -> RuleState:
        """The state without that firing, so that the next round tries again."""
        key = (firing.name, firing.reading.scope, firing.reading.worker)
        if key not in self.watched:
            return self
        return RuleState({**self.watched, key: replace(self.watched[key], fired_s=None)})


def evaluate_rules(
    rules: Mapping[str, AlertRule],
    readings: Sequence[Reading],
    state: RuleState,
    now_s: float,
    cooldown_minutes: float = 15,
) -> tuple[RuleState, list[FiringRule]]:
    """Evaluates the rules once.

    Args:
        rules: by name.
        readings: of all metrics, workers and platforms; if one has several values, the last counts.
        state: what the previous round returned; empty at first.
        now_s: monotonic seconds.
        cooldown_minutes: for rules without one of their own. With 0 a rule fires once until its condition ends.

    Returns:
        The state for the next round, and the rules that fired, in their order.
    """
    by_metric: dict[str, dict[tuple[str, str], Reading]] = {}
    for reading in readings:
        if not math.isnan(reading.value):
            by_metric.setdefault(reading.metric, {})[reading.scope, reading.worker] = reading
    watched: dict[WatchKey, Watched] = {}
    fired: list[FiringRule] = []
    begun = 0
    for name, rule in rules.items():
        if not rule.enabled:
            continue
        found = by_metric.get(rule.metric, {})
        watched |= _missing(name, found, state, now_s)
        cooldown_s = 60 * (cooldown_minutes if rule.cooldown_minutes is None else rule.cooldown_minutes)
        for (scope, worker), reading in found.items():
            if not _COMPARE[rule.operator](reading.value, rule.threshold):
                continue
            key = (name, scope, worker)
            before = state.watched.get(key)
            if before is None and len(state.watched) + begun >= _MOST_WATCHED:
                continue
            begun += before is None
            now = _held_on(before, now_s)
            if _is_due(now, rule, cooldown_s, now_s):
                fired.append(FiringRule(name, rule, reading, now.held_s))
                now = replace(now, fired_s=now_s)
            watched[key] = now
    return RuleState(watched), fired


def with_thresholds(
    rules: Mapping[str, AlertRule], thresholds: Mapping[tuple[str, str], float]
) -> dict[str, AlertRule]:
    """The rules with new thresholds, by metric and level. Rules that fire below a threshold keep theirs."""
    changed = {}
    for name, rule in rules.items():
        threshold = thresholds.get((rule.metric, rule.level))
        replaces = threshold is not None and rule.operator in ("gt", "gte")
        changed[name] = rule.model_copy(update={"threshold": threshold}) if replaces else rule
    return changed


def _missing(
    name: str, found: Mapping[tuple[str, str], Reading], state: RuleState, now_s: float
) -> dict[WatchKey, Watched]:
    """The rule's watched conditions that have no reading now but had one within `MISSING_S`."""
    return {
        key: replace(watched, was_missing=True)
        for key, watched in state.watched.items()
        if key[0] == name and key[1:] not in found and now_s - watched.seen_s <= MISSING_S
    }


def _held_on(before: Watched | None, now_s: float) -> Watched:
    if before is None or now_s - before.seen_s > MISSING_S:
        return Watched(0.0, now_s)
    more_s = 0.0 if before.was_missing else now_s - before.seen_s
    return Watched(before.held_s + more_s, now_s, fired_s=before.fired_s)


def _is_due(watched: Watched, rule: AlertRule, cooldown_s: float, now_s: float) -> bool:
    if watched.held_s < rule.for_s:
        return False
    return watched.fired_s is None or 0 < cooldown_s <= now_s - watched.fired_s
