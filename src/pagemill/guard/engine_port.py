"""The protocol by which the guard reads and steers the engine: plain values, no Playwright objects.

Every call may come from any thread and returns at once; what it starts goes on over there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WorkView:
    """The engine's work at one moment."""

    visits: int
    """Of pages."""
    products: int
    """How many have their result from this process, with a visit or without."""
    taken: int
    """Places: visits at work that hold a page."""
    pages: int
    """How many pages are open."""
    rotations: Mapping[str, int]
    """By level: page, context, browser, driver."""
    platform: str
    """Whose batches are at work, several with commas between; empty when none is."""


class EnginePort(Protocol):
    """The engine's side: what can be asked of it, and the levers that the guard pulls. A protocol because the engine
    stands above this folder."""

    def view(self) -> WorkView:
        """What goes on."""
        ...

    def measure_pages(self) -> None:
        """Begins to ask live pages for their JavaScript heaps; the answers come with a later reading."""
        ...

    def check_pulse(self) -> None:
        """Begins to ask the browser whether it answers; one that does not is killed and replaced."""
        ...

    def note_sizes(self, sizes_mb: Mapping[int, float]) -> None:
        """Tells the pool how large drivers (by process id) and browsers without their pages (by group) are."""
        ...

    def limit_places(self, places: int) -> None:
        """At most so many visits are at work; with 0 none begins."""
        ...

    def save_memory(self, *, on: bool) -> None:
        """Whether successors are opened only when what they replace has gone."""
        ...

    def rotate_idle(self) -> None:
        """Closes the pages that nobody uses."""
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
        """Gives the batch back without the engine, which does not answer any more, and ends the process with 75."""
        ...

    def stacks(self) -> str:
        """What every thread and every task of the loop is doing."""
        ...
