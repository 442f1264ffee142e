"""Pydantic models of `config/alerts.yaml`: which readings of the fleet raise an alert, what people are told of runs,
and through which channels.

The defaults are those of the file that comes with pagemill. `alerting.rules` evaluates the rules, `alerting.delivery`
delivers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pagemill.config.alert_channels import AlertChannel, ChannelName, address_key
from pagemill.config.alert_metrics import METRICS, Metric
from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.notices import RunNotices, WatchedNotices, channel_mistakes
from pagemill.config.section import Flag, Number, Section

Operator = Literal["gt", "gte", "lt", "lte"]
AlertLevel = Literal["warning", "critical"]
AlertKind = Literal["performance", "critical", "predictive"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a rule's name", "use up to 63 small letters, digits, - and _")
    return value


RuleName = Annotated[str, AfterValidator(_check_name)]
CooldownMinutes = Annotated[Number, Field(ge=0, le=1440)]


class AlertRule(Section):
    """One condition, and what to do when it holds."""

    metric: Metric
    operator: Operator = "gt"
    threshold: Number
    for_s: Number = Field(default=0, ge=0, le=86_400)
    level: AlertLevel = "warning"
    kind: AlertKind | None = None
    cooldown_minutes: CooldownMinutes | None = None
    channels: tuple[str, ...] | None = None
    enabled: Flag = True

    @property
    def kind_in_force(self) -> AlertKind:
        """The kind from the file, or the one that goes with metric and level."""
        if self.kind is not None:
            return self.kind
        if METRICS[self.metric].is_forecast:
            return "predictive"
        return "critical" if self.level == "critical" else "performance"


def _pair(name: str, metric: str, warning: float, critical: float, for_s: float) -> dict[str, AlertRule]:
    return {
        f"{name}-warning": AlertRule(metric=metric, threshold=warning, for_s=for_s),
        f"{name}-critical": AlertRule(metric=metric, threshold=critical, for_s=for_s, level="critical"),
    }


def shipped_rules() -> dict[str, AlertRule]:
    """The rules of the `config/alerts.yaml` that comes with pagemill, which gives the reason of each."""
    return {
        **_pair("memory", "memory_percent", 80, 90, 60),
        **_pair("item-time", "item_ms", 10_000, 30_000, 60),
        **_pair("cpu", "cpu_percent", 70, 90, 300),
        **_pair("loop-lag", "loop_lag_ms", 250, 1000, 60),
        **_pair("error-rate", "error_rate", 0.05, 0.1, 60),
        "gc-cpu": AlertRule(metric="gc_percent", threshold=10, for_s=180),
        "objects-growth": AlertRule(
            metric="python_objects_growth", threshold=50_000, for_s=300, kind="predictive", cooldown_minutes=60
        ),
        "memory-runs-out": AlertRule(metric="memory_minutes_left", operator="lt", threshold=60, for_s=60),
        "worker-silent": AlertRule(metric="silent_s", threshold=60, level="critical"),
        "oom-kill": AlertRule(metric="oom_kills", threshold=0, level="critical"),
        "run-stranded": AlertRule(metric="stranded_batches", threshold=0, for_s=30, level="critical"),
        "run-broken-off": AlertRule(metric="broken_off_runs", threshold=0, level="critical", cooldown_minutes=60),
        "queue-stuck": AlertRule(metric="queue_stuck_s", threshold=600),
        "blocked": AlertRule(metric="block_rate", threshold=0.2, for_s=60),
    }


class AlertRules(Section):
    """`config/alerts.yaml`. Rules in it replace all default rules."""

    rules: dict[RuleName, AlertRule] = Field(default_factory=shipped_rules)
    channels: dict[ChannelName, AlertChannel] = Field(default_factory=dict)
    runs: RunNotices = RunNotices()
    watched: WatchedNotices = WatchedNotices()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if found := [*self._unknown_channels(), *self._same_addresses()]:
            raise Mistakes(found)
        return self

    def _unknown_channels(self) -> Iterator[Mistake]:
        for name, rule in self.rules.items():
            yield from channel_mistakes(rule.channels, self.channels, "rules", name)
        yield from channel_mistakes(self.runs.channels, self.channels, "runs")
        yield from channel_mistakes(self.watched.channels, self.channels, "watched")

    def _same_addresses(self) -> Iterator[Mistake]:
        first: dict[str, str] = {}
        for name in self.channels:
            other = first.setdefault(address_key(name), name)
            if other != name:
                message = f"would have the same variable for its address as {other}"
                yield Mistake(message, "give one of the two another name", "channels", name)
