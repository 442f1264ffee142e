"""The alert rules with the thresholds that were put over the API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pagemill.alerting.rules import with_thresholds
from pagemill.alerting.thresholds import ThresholdsRequest, thresholds_in_force
from pagemill.config.alerts import AlertRule


def rules_in_force(rules: Mapping[str, AlertRule], put: Mapping[str, Any]) -> Mapping[str, AlertRule]:
    """Rules by name.

    Args:
        rules: those of the configuration.
        put: as `fleet.overrides` keeps it. What another version of pagemill has put there and is not understood, is
            left out as a whole.
    """
    try:
        wanted = ThresholdsRequest.model_validate({"thresholds": dict(put)})
    except ValidationError:
        return rules
    return with_thresholds(rules, wanted.by_metric())


def shown_thresholds(rules: Mapping[str, AlertRule], put: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The thresholds in force, by the API's names and levels, in its units. The arguments are those above."""
    shown: dict[str, dict[str, float]] = {}
    for each in thresholds_in_force(rules_in_force(rules, put)):
        shown.setdefault(each.name, {})[each.level] = each.value
    return shown
