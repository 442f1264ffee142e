"""The thresholds of the API: their names and units, their limits, and the rules that they change."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pagemill.alerting.rules import with_thresholds
from pagemill.alerting.thresholds import ThresholdsRequest, thresholds_in_force, without_rule
from pagemill.config.alerts import AlertRule, AlertRules

EXAMPLE = {
    "thresholds": {
        "responseTime": {"warning": 1000, "critical": 5000},
        "memoryUsage": {"warning": 0.8, "critical": 0.9},
        "cpuUsage": {"warning": 0.7, "critical": 0.9},
        "eventLoopDelay": {"warning": 10, "critical": 50},
        "errorRate": {"warning": 0.05, "critical": 0.1},
    }
}
"""As clients send it."""


def in_force(rules: dict[str, AlertRule]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for each in thresholds_in_force(rules):
        found.setdefault(each.name, {})[each.level] = each.value
    return found


def test_a_request_becomes_thresholds_of_metrics() -> None:
    """Fractions become percent, but for a rate."""
    assert ThresholdsRequest.model_validate(EXAMPLE).by_metric() == {
        ("item_ms", "warning"): 1000,
        ("item_ms", "critical"): 5000,
        ("memory_percent", "warning"): 80,
        ("memory_percent", "critical"): 90,
        ("cpu_percent", "warning"): 70,
        ("cpu_percent", "critical"): 90,
        ("loop_lag_ms", "warning"): 10,
        ("loop_lag_ms", "critical"): 50,
        ("error_rate", "warning"): 0.05,
        ("error_rate", "critical"): 0.1,
    }


def test_what_was_set_is_what_is_in_force() -> None:
    """There and back; each of them changes a rule that pagemill comes with."""
    wanted = ThresholdsRequest.model_validate(EXAMPLE).by_metric()
    shipped = AlertRules().rules
    assert without_rule(shipped, wanted) == []
    assert in_force(with_thresholds(shipped, wanted)) == EXAMPLE["thresholds"]


def test_what_a_client_leaves_out_stays() -> None:
    """One of them may be set alone."""
    request = ThresholdsRequest.model_validate({"thresholds": {"cpuUsage": {"warning": 0.5, "critical": 0.6}}})
    changed = in_force(with_thresholds(AlertRules().rules, request.by_metric()))
    assert changed["cpuUsage"] == {"warning": 0.5, "critical": 0.6}
    assert changed["responseTime"] == {"warning": 10_000, "critical": 30_000}


@pytest.mark.parametrize(
    "thresholds",
    [
        {"memoryUsage": {"warning": 0.9, "critical": 0.8}},
        {"memoryUsage": {"warning": 0.8, "critical": 0.8}},
        {"memoryUsage": {"warning": 80, "critical": 90}},
        {"memoryUsage": {"warning": 0, "critical": 0.9}},
        {"responseTime": {"warning": -1, "critical": 5}},
        {"responseTime": {"warning": 1, "critical": float("inf")}},
        {"responseTime": {"warning": float("nan"), "critical": 5}},
        {"responseTime": {"warning": "1", "critical": 5}},
        {"responseTime": {"warning": 1}},
        {"responseTimes": {"warning": 1, "critical": 2}},
    ],
)
def test_what_makes_no_sense_is_refused(thresholds: dict[str, Any]) -> None:
    """Nothing of such a request is taken."""
    with pytest.raises(ValidationError):
        ThresholdsRequest.model_validate({"thresholds": thresholds})


def test_a_threshold_without_a_rule_is_told() -> None:
    """A rule that was removed or switched off cannot be changed."""
    rules = {
        "off": AlertRule(metric="cpu_percent", threshold=70, enabled=False),
        "on": AlertRule(metric="cpu_percent", threshold=90, level="critical"),
        "second": AlertRule(metric="cpu_percent", threshold=95, level="critical"),
    }
    wanted = {("cpu_percent", "warning"): 50.0, ("cpu_percent", "critical"): 60.0}
    assert without_rule(rules, wanted) == [("cpu_percent", "warning")]
    assert in_force(rules) == {"cpuUsage": {"critical": 0.9}}
