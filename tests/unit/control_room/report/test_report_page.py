"""A report as one HTML file: nothing from elsewhere, nothing that runs, and text stays text."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

from pagemill.control_room.report.figures import result_figures_of
from pagemill.control_room.report.models import (
    AlertLine,
    DayReport,
    FleetFigures,
    MemoryPoint,
    Rotations,
    RunLine,
    RunReport,
)
from pagemill.control_room.report.page import report_page
from pagemill.model import Difference, Verdict
from tests.unit.control_room.report.report_values import NOW, a_result

HOSTILE = "<script>alert(1)</script>\"'&"


class _Reader(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    return reader


def a_run_report() -> RunReport:
    """With everything that a page can show, and hostile text wherever text comes from outside."""
    results = result_figures_of(
        [
            *(a_result(f"p{n}", took_s=1 + n / 10, ended_at=NOW + timedelta(minutes=n)) for n in range(60)),
            a_result(HOSTILE, verdict=Verdict.FAILED, reason=HOSTILE, ended_at=NOW),
            a_result("d", verdict=Verdict.CHANGED, differences=(Difference(HOSTILE, 1, 2),), ended_at=NOW),
        ]
    )
    memory = tuple(
        MemoryPoint(at=NOW + timedelta(minutes=n), pss_mb={"python": 100.0, "renderers": 300.0 + n}) for n in range(60)
    )
    alert = AlertLine(at=NOW, level="critical", name="leak", scope="", worker=HOSTILE, message=HOSTILE)
    fleet = FleetFigures(
        workers=1,
        peak_mb=459,
        memory=memory,
        rotations=(Rotations(level="page", count=6), Rotations(level="browser", count=1, reasons={HOSTILE: 1})),
        alerts=(alert,),
        known_from=NOW,
    )
    run = RunLine(run="r1", platform=HOSTILE, source="a.csv", created_at=NOW, products=62, done=62)
    return RunReport(
        title=f"Run {HOSTILE}",
        made_at=NOW,
        begins_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        run=run,
        results=results,
        fleet=fleet,
        recommendations=(HOSTILE,),
    )


def test_the_page_is_one_file_that_runs_nothing() -> None:
    """No script, no address of anything to load, two charts as SVG inside."""
    text = report_page(a_run_report())
    reader = read(text)
    assert "script" not in reader.tags
    assert "link" not in reader.tags and "img" not in reader.tags
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name in ("src", "xlink:href")]
    assert not re.search(r"url\(|@import", text)
    assert reader.tags.count("svg") == 2
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def test_text_from_outside_stays_text() -> None:
    """Wherever it stands."""
    text = report_page(a_run_report())
    assert "<script" not in text
    assert read(text).text.count(HOSTILE) >= 8


def test_the_page_says_what_the_report_says() -> None:
    """Figures, tables with captions, charts with a sentence each."""
    reader = read(report_page(a_run_report()))
    for said in ("62", "Failed and blocked products", "Slowest products", "459 MB", "Products per minute over time"):
        assert said in reader.text
    assert reader.tags.count("table") == reader.tags.count("caption")


def test_an_empty_day_has_a_page_too() -> None:
    """With a word in place of what is not known."""
    report = DayReport(
        title="2026-11-20 (UTC)",
        made_at=NOW,
        begins_at=NOW - timedelta(days=1),
        ends_at=NOW,
        results=result_figures_of([]),
        fleet=FleetFigures(),
    )
    text = read(report_page(report)).text
    assert "Too little to draw" in text
    assert "history does not reach back" in text
