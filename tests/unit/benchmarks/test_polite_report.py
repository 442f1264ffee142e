"""What is told of a comparison at a polite pace: made-up laps, failed ones among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.polite_figures import Case, Failure, Lap
from benchmarks.polite_report import Table, draw, ratios, write_json

CASE = Case(6)
LAP = Lap(6.5, 325.0, 400.0, 80.0, 0.1, 0.0, 0.002, 0.05, 1.0, 0.0, 120.0)
PEER = Lap(6.5, 650.0, 800.0, 260.0, 0.3, 0.2, None, None, 0.99, 0.0, 125.0)
TABLE = Table(
    {
        CASE: {
            "pagemill": [LAP, LAP],
            "scrapy-playwright": [PEER, Failure("scrapy-playwright: exit code 1,\n (): Traceback")],
            "crawlee-python": [Failure("it did not end")] * 2,
        }
    },
    {"scrapy-playwright": "1.0"},
    ["crawl4ai: pip could not"],
)


def test_the_ratio_is_of_products_per_second_for_each_gb() -> None:
    """20 against 10; only of whom there is a lap, and by round only where both have one."""
    ((name, (ratio, by_round)),) = ratios(TABLE.laps[CASE]).items()
    assert (name, round(ratio, 6), [round(each, 6) for each in by_round]) == ("scrapy-playwright", 2.0, [2.0])


def test_who_failed_or_is_absent_is_told() -> None:
    """In the table, with the reason in one line."""
    told = TABLE.markdown()
    assert "| crawlee-python | failed |" in told
    assert "- crawlee-python failed in 2 of 2: it did not end" in told
    assert "- scrapy-playwright failed in 1 of 2: scrapy-playwright: exit code 1, (): Traceback" in told
    assert "Could not take part: crawl4ai: pip could not" in told
    assert "- pagemill / scrapy-playwright, products/s for each GB: 2.00 (by round: 2.00)" in told


def test_every_row_has_every_column() -> None:
    """Those of the failed too."""
    rows = [line for line in TABLE.markdown().splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert {row.count("|") for row in rows} == {rows[0].count("|")}


def test_figures_and_picture_are_written(tmp_path: Path) -> None:
    """Every lap, failed ones with their reason."""
    write_json(TABLE, tmp_path / "polite.json")
    (case,) = json.loads((tmp_path / "polite.json").read_text())["cases"]
    assert case["per_gb_of"]["scrapy-playwright"]["ratio"] == pytest.approx(2.0)
    assert case["laps"]["pagemill"][0]["per_gb"] == pytest.approx(20.0)
    assert case["laps"]["crawlee-python"] == [{"failed": "it did not end"}] * 2
    draw(TABLE, tmp_path / "polite.png")
    assert (tmp_path / "polite.png").read_bytes()[:4] == b"\x89PNG"
