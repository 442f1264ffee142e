"""A stand-in for the engine's side, which notes what is asked of it, and samples made to order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pagemill.guard.engine_port import WorkView
from pagemill.guard.probe import Sample

CALM_SAMPLE = Sample(
    rss_mb=80.0, pss_mb={"python": 60.0, "driver": 80.0, "renderers": 60.0}, shm_percent=1.0, cgroup_percent=None
)
"""200 MB in all."""
LIMIT_MB = 1000.0


def sample(**changes: Any) -> Sample:
    """The calm one with changes; `total` scales the renderers so that the sum is that many MB."""
    if (total := changes.pop("total", None)) is not None:
        changes["pss_mb"] = {**CALM_SAMPLE.pss_mb, "renderers": total - 140.0}
    made = replace(CALM_SAMPLE, **changes)
    return replace(made, memory_percent=100 * made.total_pss_mb / LIMIT_MB)


class NotedEnginePort:
    """Does nothing, and keeps the names of what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.work = WorkView(
            visits=0,
            products=1,
            taken=4,
            pages=4,
            rotations={"page": 0, "context": 0, "browser": 0, "driver": 0},
            platform="shop",
        )

    def view(self) -> WorkView:
        return self.work

    def measure_pages(self) -> None:
        self.asked.append("measure_pages")

    def check_pulse(self) -> None:
        self.asked.append("check_pulse")

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        self.asked.append(f"note_sizes {dict(sizes_mb)}")

    def limit_places(self, lanes: int) -> None:
        self.asked.append(f"limit_places {lanes}")

    def save_memory(self, *, on: bool) -> None:
        self.asked.append(f"save_memory {on}")

    def rotate_idle(self) -> None:
        self.asked.append("rotate_idle")

    def rotate_contexts(self) -> None:
        self.asked.append("rotate_contexts")

    def retire_browser(self) -> None:
        self.asked.append("retire_browser")

    def leave(self, reason: str) -> None:
        self.asked.append(f"leave: {reason}")

    def abandon(self, reason: str) -> None:
        self.asked.append(f"abandon: {reason}")

    def stacks(self) -> str:
        return ""

    def taken(self) -> list[str]:
        """What was asked for since the last time, the regular questions left out."""
        taken, self.asked = [each for each in self.asked if each != "measure_pages"], []
        return taken
