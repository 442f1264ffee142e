"""The thresholds of `PUT /api/performance/thresholds`, and the rules' metrics that they belong to. Pure.

The names, the two levels and the fractions (instead of percent) are that API's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from pagemill.config.alerts import AlertRule
from pagemill.config.mistakes import Mistake
from pagemill.config.section import Number, Section

_LEVELS = ("warning", "critical")

_Positive = Annotated[Number, Field(gt=0)]
_Fraction = Annotated[Number, Field(gt=0, le=1)]


class ThresholdPair(Section):
    """Two thresholds of one metric."""

    warning: _Positive
    critical: _Positive

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if self.warning >= self.critical:
            raise Mistake("critical must be above warning", f"write more than {self.warning:g}", "critical")
        return self


class FractionPair(ThresholdPair):
    """Both from 0 to 1."""

    warning: _Fraction
    critical: _Fraction


@dataclass(frozen=True, slots=True)
class _Of:
    """The rules' metric that a threshold belongs to."""

    metric: str
    factor: int = 1
    """The factor from the API's unit to the metric's unit."""


class Thresholds(Section):
    """The thresholds that a client sets; those left out stay as they are."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    response_time: Annotated[ThresholdPair | None, _Of("item_ms")] = None
    """Milliseconds of a product's visit."""
    memory_usage: Annotated[FractionPair | None, _Of("memory_percent", 100)] = None
    cpu_usage: Annotated[FractionPair | None, _Of("cpu_percent", 100)] = None
    event_loop_delay: Annotated[ThresholdPair | None, _Of("loop_lag_ms")] = None
    """Milliseconds."""
    error_rate: Annotated[FractionPair | None, _Of("error_rate")] = None


_METRICS = {
    name: mark for name, field in Thresholds.model_fields.items() for mark in field.metadata if isinstance(mark, _Of)
}


class ThresholdsRequest(Section):
    """The body of the request."""

    thresholds: Thresholds

    def by_metric(self) -> dict[tuple[str, str], float]:
        """The thresholds by metric and level, as `rules.with_thresholds` takes them."""
        wanted: dict[tuple[str, str], float] = {}
        for field, of in _METRICS.items():
            marks: ThresholdPair | None = getattr(self.thresholds, field)
            if marks is not None:
                wanted |= {(of.metric, level): round(getattr(marks, level) * of.factor, 6) for level in _LEVELS}
        return wanted


@dataclass(frozen=True, slots=True)
class ThresholdInForce:
    """One threshold in force, in the API's name and unit."""

    name: str
    level: str
    value: float


def thresholds_in_force(rules: Mapping[str, AlertRule]) -> list[ThresholdInForce]:
    """The thresholds of enabled rules. If several rules have one metric and level, the first counts."""
    found: dict[tuple[str, str], ThresholdInForce] = {}
    for field, level, rule, factor in _governed(rules):
        name = to_camel(field)
        found.setdefault((name, level), ThresholdInForce(name, level, round(rule.threshold / factor, 6)))
    return list(found.values())


def without_rule(rules: Mapping[str, AlertRule], thresholds: Mapping[tuple[str, str], float]) -> list[tuple[str, str]]:
    """Metric and level of each threshold that changes no rule, because no rule has both."""
    there = {(rule.metric, level) for _field, level, rule, _factor in _governed(rules)}
    return [pair for pair in thresholds if pair not in there]


def _governed(rules: Mapping[str, AlertRule]) -> Iterator[tuple[str, str, AlertRule, int]]:
    """Field, level, rule and factor of each rule that such a threshold changes, in the API's order."""
    for field, of in _METRICS.items():
        for level in _LEVELS:
            for rule in rules.values():
                if rule.enabled and (rule.metric, rule.level) == (of.metric, level) and rule.operator in ("gt", "gte"):
                    yield field, level, rule, of.factor
