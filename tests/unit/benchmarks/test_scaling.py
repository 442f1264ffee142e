"""The sums of docs/scaling.md are those of the program, and the program adds up right."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import scaling
from benchmarks.scaling import LINES, MILLIONS, Need, Pace, table
from benchmarks.scaling_figures import RESULTS, Measured, figures_table, scenes_table

DOCUMENT = Path(__file__).parents[3] / "docs" / "scaling.md"
MEASURED = Measured(
    visit_cpu_ms=70,
    chores_us=500,
    chores_commands=4,
    hand_us=10,
    hand_commands=2,
    look_us=4,
    look_commands=2.5,
    redis_visit_us=100,
    redis_visit_commands=8,
    worker_kb=200,
    connections=3,
    hand_connections=1,
    queued_bytes=100,
    view_us=2,
    search_us=0.6,
    row_bytes=1000,
    log_bytes=2000,
    rows_per_s=5000,
    waiting_bytes=50,
)
DAY = 86_400_000
"""Products: a thousand visits each second."""


def need(**changes: float) -> Need:
    return Need(Pace(**{"products": DAY, **changes}), MEASURED)  # type: ignore[arg-type]


def test_the_document_has_the_tables_that_are_printed() -> None:
    """Sums, figures and scenes, of what is in benchmarks/results."""
    text, measured = DOCUMENT.read_text(encoding="utf-8"), Measured.read()
    assert table([Need(Pace(products=million * 1_000_000), measured) for million in MILLIONS]) in text
    assert figures_table(measured) in text
    fleet = json.loads((RESULTS / "fleet.json").read_text(encoding="utf-8"))
    assert scenes_table(fleet) in text
    assert all(scene["errors"] == 0 for scene in fleet["scenes"])


def test_the_document_states_each_default() -> None:
    """What the table takes for granted, by the name of its option."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("shops", "wait_s", "visit_s", "lanes", "worker_cores", "worker_mb", "kept_days", "machine_cores"):
        assert f"| `--{name.replace('_', '-')}` | {getattr(Pace(), name):,} |" in text, name


def test_visits_places_and_lanes_follow_from_the_pace() -> None:
    """A thousand visits a second of 2 s each, with 3.5 s before the next one of a lane."""
    thousand = need()
    assert thousand.visits_per_s == 1000
    assert thousand.visits_at_work == 2000
    assert thousand.lanes == 5500
    assert thousand.visits_per_minute_and_shop == 10_000
    assert thousand.cores == pytest.approx(100)
    assert need(hours=12).visits_per_s == 2000


@pytest.mark.parametrize(
    ("changes", "bound", "workers"),
    [
        ({}, "places", 239),  # 2,000 visits at work, 12 places of which 7 in 10 are planned with
        ({"wait_s": 30}, "lanes", 1334),  # 32,000 lanes, 24 of each worker
        ({"visit_s": 0.1, "wait_s": 0}, "CPU", 50),
        ({"worker_mb": 1000}, "places", 572),  # memory for five
    ],
)
def test_what_there_is_least_of_decides(changes: dict[str, float], bound: str, workers: int) -> None:
    """How many workers there are is the most of three sums."""
    asked = need(**changes)
    assert (asked.bound, asked.workers) == (bound, workers)


def test_machines_are_counted_by_cores_and_by_memory() -> None:
    """Whichever is short."""
    assert need().machines == 7  # 100 cores of 16
    assert need(machine_mb=8192).machines == 37  # 239 * 380 MB and 2,000 pages of 80 MB, of 6,963 MB each


def test_redis_and_postgresql_add_up() -> None:
    """For a fleet of 239 workers."""
    asked = need()
    assert asked.redis_commands_per_s == 239 * (4 + 6 * 2) + 8000
    assert asked.redis_cores == pytest.approx((239 * (500 + 6 * 10) + 1000 * 100) / 1e6)
    assert asked.redis_idle_commands_per_s == pytest.approx(239 * 4 + 2390 * 6 * 2.5)
    assert asked.redis_idle_cores == pytest.approx((239 * 500 + 2390 * 6 * 4) / 1e6)
    assert asked.connections == 239 * 9
    assert asked.redis_view_cores == pytest.approx((239 * 2 + DAY / 50 * 0.6 / 60) / 1e6)
    assert asked.redis_mb == pytest.approx(DAY * 100 / 2**20 + 239 * 200 / 1024)
    assert asked.rows_per_s == pytest.approx(1040)
    assert asked.database_connections == 239 * 5
    assert asked.writers == pytest.approx(0.208)
    assert asked.disk_gb == pytest.approx(DAY * (30 * 1000 + 50) / 1e9)
    assert need(at_once=0.1).redis_view_cores == pytest.approx((239 * 2 + DAY / 500 * 0.6 / 60) / 1e6)


def test_own_figures_are_put_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By options, for one number of products or for the three."""
    monkeypatch.setattr(sys, "argv", ["scaling", "--products", "5000000", "--shops", "12"])
    assert scaling.main() == 0
    printed = capsys.readouterr().out
    own = Need(replace(Pace(), products=5_000_000, shops=12), Measured.read())
    assert printed.startswith(table([own]) + "\n\n")
    assert printed.startswith("|  | 5 million a day |")
    assert len(table([own]).splitlines()) == 2 + len(LINES)
