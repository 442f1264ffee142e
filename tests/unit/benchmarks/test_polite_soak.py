"""The long run's figures: a made-up course and log of which they are known."""

from __future__ import annotations

from pathlib import Path

from benchmarks.meter import Course
from benchmarks.polite_figures import Case, Lap
from benchmarks.polite_soak import draw, figures, rotations_of, text

LAP = Lap(6.5, 325.0, 400.0, 80.0, 0.1, 0.0, None, None, 1.0, 100.0, 800.0)


def line(event: str, uses: int, reason: str = "uses", platform: str = "", minute: int = 0) -> dict[str, object]:
    """One of the log."""
    at = f"2026-11-28T12:{minute:02}:00Z"
    record: dict[str, object] = {"event": event, "timestamp": at, "reason": reason, "uses": uses}
    return {**record, "platform": platform} if platform else record


LOG: list[dict[str, object]] = [
    line("Page Rotation", 10, platform="shop-01"),
    line("Page Rotation", 7, "idle", "shop-02", 5),
    line("Page Rotation", 9, platform="shop-01", minute=6),
    line("Browser Rotation", 900, minute=9),
    {"event": "Item", "timestamp": "2026-11-28T12:00:00Z"},
]


def test_rotations_are_counted_by_platform_and_reason(tmp_path: Path) -> None:
    """A line without a platform is of all; the most uses are one page's. Start and end are no memory's measure."""
    readings = tuple((float(at), 50.0 if not 100 <= at <= 900 else 300.0 if at < 500 else 330.0) for at in range(1001))
    course = Course(0, (), readings, ())
    rotations = rotations_of(LOG)
    found = figures(Case(6, leak_kb=400), LAP, course, rotations, timeouts=0)
    assert found.rotations == {
        "all": {"browser uses": 1},
        "shop-01": {"page uses": 2},
        "shop-02": {"page idle": 1},
    }
    assert found.most_uses == {"page": 10, "browser": 900}
    assert (found.early_mb, found.late_mb, round(found.ratio, 6)) == (300.0, 330.0, 1.1)
    assert "rotations, shop-01: 2 page uses" in text(found)
    draw(found, course, rotations, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").read_bytes()[:4] == b"\x89PNG"
