"""The alert rules with the thresholds that were put over the API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pagemill.config.alerts import AlertRule
from pagemill.ops.alerting.rules import with_thresholds
from pagemill.ops.alerting.thresholds import ThresholdsRequest


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
