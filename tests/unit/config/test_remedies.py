"""What to do about a condition is said in the same words, whoever found it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

import pagemill
from pagemill.alerting.rule_watch import alert_of
from pagemill.alerting.rules import FiringRule, Reading
from pagemill.config.alerts import shipped_rules
from pagemill.config.remedies import ANY_PLATFORM, Remedy
from pagemill.control_room.figures.recommendations import recommendations
from pagemill.control_room.figures.trend import Trend
from pagemill.control_room.report.advice import report_advice
from pagemill.control_room.report.models import FleetFigures, ResultFigures
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.view import FleetPicture, Rates

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("remedy", "verdict", "rule", "rates"),
    [
        (Remedy.BLOCKED, "blocked", "blocked", Rates(block_rate=0.5)),
        (Remedy.FAILED, "failed", "error-rate-warning", Rates(error_rate=0.5)),
    ],
)
def test_alert_report_and_recommendation_end_in_the_same_words(
    remedy: Remedy, verdict: str, rule: str, rates: Rates
) -> None:
    """Whoever reads two of them is not sent two ways."""
    words = remedy.format(platform=ANY_PLATFORM)
    worker = WorkerSnapshot("w", 1, "host", (), 1, 4, 150.0, 160.0, 9)
    (recommended,) = recommendations(FleetPicture(NOW, (worker,), {"w": rates}), Trend())
    (reported,) = report_advice(ResultFigures(products=10, verdicts={verdict: 10}), FleetFigures())
    shipped = shipped_rules()[rule]
    alert = alert_of(FiringRule(rule, shipped, Reading(shipped.metric, "shop", "", 0.5), 60.0), NOW)
    assert recommended.endswith(f": {words}.")
    assert reported.endswith(f": {words}.")
    assert alert.message.endswith(f"; {remedy.format(platform='shop')}")


def test_every_remedy_is_given_and_stands_nowhere_else() -> None:
    """A line that nobody says is not kept, and no sentence is written a second time."""
    table = "config/remedies.py"
    root = Path(pagemill.__file__).parent
    texts = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.py")}
    given = {name for text in texts.values() for name in re.findall(r"Remedy\.([A-Z_]+)", text)}
    assert given == set(Remedy.__members__)
    again = [
        (file, remedy.name) for file, text in texts.items() if file != table for remedy in Remedy if remedy in text
    ]
    assert again == []


def test_a_remedy_has_only_places_for_names_that_are_known() -> None:
    """A platform's and a run's."""
    assert {field for remedy in Remedy for _, field, _, _ in Formatter().parse(remedy)} <= {None, "platform", "run"}
