"""The protocol through which the guard reads and steers the engine: plain values, no Playwright objects.

Every call may come from any thread and returns at once. What it starts goes on in the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WorkView:
    """The engine's work at one moment."""

    visits: int
    """Visits with a page."""
    products: int
    """How many products got their result from this process, with a visit or without."""
    taken: int
    """Places that are taken: visits at work that hold a page."""
    pages: int
    """How many pages are open."""
    rotations: Mapping[str, int]
    """How many rotations of each level there were: page, context, browser, driver."""
    platform: str
    """The platform of the batch at work; several are separated by commas; empty if there is none."""


class EnginePort(Protocol):
    """What the guard can ask of the engine, and what it can make the engine do. A protocol because the engine stands
    above this folder."""

    def view(self) -> WorkView:
        """The engine's work at this moment."""
        ...

    def measure_pages(self) -> None:
        """Starts to ask open pages for their JavaScript heaps. The answers are in a later reading."""
        ...

    def check_pulse(self) -> None:
        """Starts to ask the browser whether it answers. One that does not is killed and replaced."""
        ...

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        """Tells the pool the sizes of drivers (by process id) and of browsers without pages (by process group)."""
        ...

    def limit_places(self, places: int) -> None:
        """Sets how many visits may be at work; with 0 none begins."""
        ...

    def save_memory(self, *, on: bool) -> None:
        """Sets whether successors are opened only after the old page or context is closed."""
        ...

    def rotate_idle(self) -> None:
        """Closes the unused pages."""
        ...

    def rotate_contexts(self) -> None:
        """Replaces every context when its visit has ended."""
        ...

    def retire_browser(self) -> None:
        """Replaces browser and driver when their visits have ended."""
        ...

    def leave(self, reason: str) -> None:
        """Drains the worker and ends the process with exit code 75."""
        ...

    def abandon(self, reason: str) -> None:
        """Gives the batches back without the engine, which does not answer, and ends the process with exit code 75."""
        ...

    def stacks(self) -> str:
        """The stacks of every thread and of every task of the loop."""
        ...
