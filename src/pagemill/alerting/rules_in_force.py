"""The alert rules with the thresholds that were set over the API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pagemill.alerting.rules import with_thresholds
from pagemill.alerting.thresholds import ThresholdsRequest, thresholds_in_force
from pagemill.config.alerts import AlertRule


def rules_in_force(rules: Mapping[str, AlertRule], put: Mapping[str, Any]) -> Mapping[str, AlertRule]:
    """The rules by name, with the thresholds set over the API.

    Args:
        rules: those of the configuration.
        put: the thresholds as `fleet.overrides` keeps them. If another version of pagemill wrote them and this one
            does not understand them, all of them are ignored.
    """
    try:
        wanted = ThresholdsRequest.model_validate({"thresholds": dict(put)})
    except ValidationError:
        return rules
    return with_thresholds(rules, wanted.by_metric())


def shown_thresholds(rules: Mapping[str, AlertRule], put: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The thresholds in force, with the API's names, levels and units. Arguments as in `rules_in_force`."""
    shown: dict[str, dict[str, float]] = {}
    for each in thresholds_in_force(rules_in_force(rules, put)):
        shown.setdefault(each.name, {})[each.level] = each.value
    return shown
