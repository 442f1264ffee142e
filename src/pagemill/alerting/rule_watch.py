"""Evaluates the alert rules, one round after another. Of several API processes only the leader does it.

It gets readings from a function and sends alerts by the desk. It does not know where readings come from or where
alerts go. The caller decides when the next round is due.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from pagemill.alerting.alert import Alert
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.rules import FiringRule, Reading, RuleState, evaluate_rules
from pagemill.broker.leadership import Leadership
from pagemill.config.alert_metrics import METRICS
from pagemill.config.alerts import AlertRule
from pagemill.config.remedies import ANY_PLATFORM

LEADER_KEY = "pagemill:alerts:leader"
"""The Redis key of the `Leadership` that a watch is given; the process that holds it evaluates."""

_WORDS = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below"}


class AlertWatch:
    """One process' evaluation of the rules. To be called from one thread."""

    def __init__(
        self,
        readings: Callable[[], Sequence[Reading]],
        rules: Callable[[], Mapping[str, AlertRule]],
        desk: AlertDesk,
        leadership: Leadership,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            readings: gives every metric's value now; called once in each round. Unknown values are left out; a time
                that never comes is infinite.
            rules: gives the rules in force by name; called in each round, because another process may have changed
                them.
            desk: sends the alerts; its cooldown is for rules without one of their own.
            leadership: for `LEADER_KEY`; it must last longer than a few rounds.
            now: the time of day, with its zone.
            now_s: monotonic seconds.
        """
        self._readings = readings
        self._rules = rules
        self._desk = desk
        self._leadership = leadership
        self._now = now
        self._now_s = now_s
        self._state = RuleState()

    def check(self) -> list[FiringRule]:
        """Does one round, if this process leads; returns the rules that fired and were sent.

        A process that takes over the lead begins without state. The fleet's cooldown keeps it from repeating its
        predecessor's alerts.

        Raises:
            RedisError: Redis does not answer; the next round continues with the same state.
        """
        if not self._leadership.hold():
            self._state = RuleState()
            return []
        readings = self._readings()
        cooldown_minutes = self._desk.cooldown_minutes
        state, fired = evaluate_rules(self._rules(), readings, self._state, self._now_s(), cooldown_minutes)
        told = []
        for firing in fired:
            if self._desk.raise_by_rule(alert_of(firing, self._now()), firing.rule.cooldown_minutes):
                told.append(firing)
            else:
                # The fleet's cooldown may end some rounds after the rule's own. So the next round tries again.
                state = state.without_firing(firing)
        self._state = state
        return told

    def close(self) -> None:
        """Lets another process lead at once.

        Raises:
            RedisError: Redis does not answer; the lead ends by itself.
        """
        self._leadership.release()


def alert_of(firing: FiringRule, at: datetime) -> Alert:
    """The alert for a rule that fired."""
    rule, reading = firing.rule, firing.reading
    facts = {
        "metric": rule.metric,
        "value": _number(reading.value),
        "operator": rule.operator,
        "threshold": rule.threshold,
        "held_s": round(firing.held_s, 1),
    }
    if reading.scope:
        facts["platform"] = reading.scope
    return Alert(
        name=firing.name,
        level=rule.level,
        message=_sentence(firing),
        worker=reading.worker,
        at=at,
        scope="@".join(part for part in (reading.scope, reading.worker) if part),
        facts=facts,
        kind=rule.kind_in_force,
        channels=rule.channels,
    )


def _sentence(firing: FiringRule) -> str:
    rule, reading, meaning = firing.rule, firing.reading, METRICS[firing.rule.metric]
    unit = f" {meaning.unit}" if meaning.unit else ""
    place = f" (platform {reading.scope})" if reading.scope else ""
    place += f" (worker {reading.worker})" if reading.worker else ""
    held = f" for {firing.held_s:.0f} s" if rule.for_s else ""
    mark = f"{_WORDS[rule.operator]} {rule.threshold:g}{unit}"
    remedy = f"; {meaning.remedy.format(platform=reading.scope or ANY_PLATFORM)}" if meaning.remedy else ""
    return f"{meaning.text}{place}: {_number(reading.value)}{unit}, {mark}{held}{remedy}"


def _number(value: float) -> float | str:
    """A number rounded for people; infinity becomes text, as JSON has none."""
    return float(f"{value:.4g}") if math.isfinite(value) else "unlimited"
