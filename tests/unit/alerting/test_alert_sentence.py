"""What an alert says: where there is a command that helps most often, it is named with the platform."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pagemill.alerting.rule_watch import alert_of
from pagemill.alerting.rules import FiringRule, Reading
from pagemill.config.alerts import shipped_rules

AT = datetime(2026, 11, 29, tzinfo=UTC)


def message(rule: str, metric: str, scope: str = "", worker: str = "") -> str:
    """What that shipped rule says of a reading of 0.5."""
    firing = FiringRule(rule, shipped_rules()[rule], Reading(metric, scope, worker, 0.5), 60.0)
    return alert_of(firing, AT).message


@pytest.mark.parametrize("rule", ["error-rate-warning", "error-rate-critical"])
def test_alert_about_failed_products_names_the_command_that_looks_again(rule: str) -> None:
    """With the platform that it is about, so that it can be copied."""
    assert "`pagemill mend kurly`" in message(rule, "error_rate", scope="kurly")
    assert message(rule, "error_rate", scope="kurly").startswith("share of failed products")


def test_other_alerts_name_no_command_that_does_not_help() -> None:
    """A shop that blocks has not changed its pages, and a worker has none."""
    assert "mend" not in message("blocked", "block_rate", scope="kurly")
    assert "mend" not in message("memory-warning", "memory_percent", worker="w1")
