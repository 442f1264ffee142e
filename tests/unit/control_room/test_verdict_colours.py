"""Dashboard and report know every verdict: in the model's order, in a colour that can be seen and told apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pagemill.control_room import dashboard, report
from pagemill.control_room.report.figures import result_figures_of
from pagemill.control_room.report.models import DayReport, FleetFigures
from pagemill.control_room.report.page import report_page
from pagemill.model import Verdict
from tests.unit.control_room.report.report_values import NOW, a_result

STATIC = Path(str(dashboard.__file__)).parent / "static"
SHEETS = {
    "dashboard": (STATIC / "base.css", "verdict-"),
    "report": (Path(str(report.__file__)).with_name("page.html"), ""),
}
"""Where colours are, and what stands before a verdict's name there."""
LEAST_OF_TEXT = 4.5
LEAST_OF_GRAPHICS = 3.0
"""Of WCAG 2.2, criteria 1.4.3 and 1.4.11."""


def colours(place: str) -> list[dict[str, str]]:
    """The light theme's variables and the dark one's, by name."""
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", SHEETS[place][0].read_text())
    assert len(blocks) == 2
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]


def luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_dashboard_lists_the_verdicts_of_the_model() -> None:
    """One that it does not list is missing from the chart, its legend and its caption."""
    listed = re.search(r"export const VERDICTS = (\[[^\]]*\]);", (STATIC / "picture.js").read_text())
    assert listed is not None
    assert json.loads(listed[1]) == list(Verdict)


@pytest.mark.parametrize("place", SHEETS)
def test_every_verdict_can_be_seen_and_told_apart_in_both_themes(place: str) -> None:
    """A colour of its own, which stands out from the card it is drawn on."""
    prefix = SHEETS[place][1]
    for theme in colours(place):
        hues = [theme[f"{prefix}{verdict}"] for verdict in Verdict]
        assert len(set(hues)) == len(hues)
        assert min(contrast(hue, theme["card"]) for hue in hues) >= LEAST_OF_GRAPHICS


def test_what_is_written_on_a_bar_can_be_read_in_both_themes() -> None:
    """The dashboard writes shares on the verdicts' colours."""
    for theme in colours("dashboard"):
        for verdict in Verdict:
            assert contrast(theme[f"verdict-{verdict}"], theme["on-verdict"]) >= LEAST_OF_TEXT, verdict


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_report_shows_every_verdict(verdict: Verdict) -> None:
    """With its words, its number and a colour that the page defines."""
    results = result_figures_of([a_result("p1", verdict=verdict), a_result("p2", verdict=verdict)])
    text = report_page(
        DayReport(title="A day", made_at=NOW, begins_at=NOW, ends_at=NOW, results=results, fleet=FleetFigures())
    )
    words = str(verdict).replace("_", " ")
    assert f'<span class="key" style="background: var(--{verdict})"></span>{words}</th><td class="n">2</td>' in text
    assert text.count(f"--{verdict}: #") == 2
