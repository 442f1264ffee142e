"""What a worker does when it is told to: each order's name, and what carries it out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pagemill.fleet.orders import Action
from pagemill.guard.caches import CACHES
from pagemill.guard.engine_port import EnginePort
from pagemill.guard.guard import Guard

CLEANUP = "cleanup"
COLLECT = "collect"
OPTIMIZE = "optimize"
CONFIGURE = "configure"
RESTART = "restart"

OPTIMIZATIONS = ("all", "cache", "memory", "cleanup")
"""What `optimize` may be about; the words are those of the API."""


class WorkerActions:
    """One worker's. Called by its command thread."""

    def __init__(
        self,
        guard: Guard,
        engine_port: EnginePort,
        take_over_changes: Callable[[], int],
        leave: Callable[[str], None],
    ) -> None:
        """
        Args:
            guard: cleans.
            engine_port: rotates.
            take_over_changes: puts changed settings into force; their version.
            leave: drains the worker, so that a fresh one takes its place.
        """
        self._guard = guard
        self._engine_port = engine_port
        self._take_over_changes = take_over_changes
        self._leave = leave

    def by_name(self) -> dict[str, Action]:
        """Every order that is known."""
        return {
            CLEANUP: self.cleanup,
            COLLECT: self.collect,
            OPTIMIZE: self.optimize,
            CONFIGURE: self.configure,
            RESTART: self.restart,
        }

    def cleanup(self) -> Mapping[str, float]:
        """Collects garbage, trims the allocator and takes a share of every cache."""
        begun_s = time.monotonic()
        cleaned = self._guard.clean(thorough=True, urgent=True)
        return {
            "collected": cleaned.collected,
            "cache_entries": cleaned.cache_entries,
            "freed_mb": cleaned.freed_mb,
            "seconds": round(time.monotonic() - begun_s, 3),
        }

    def collect(self) -> Mapping[str, float]:
        """Collects Python's garbage, also where the configuration leaves that to Python."""
        begun_s = time.monotonic()
        return {"collected": self._guard.collect(), "seconds": round(time.monotonic() - begun_s, 3)}

    def optimize(self, kind: str = "all") -> Mapping[str, object]:
        """`cache`: a share of every cache; `memory`: a cleaning, and fresh contexts after the visits under way;
        `cleanup`, for emergencies: idle pages closed, browser and driver replaced as well; `all`: the first two.

        Raises:
            ValueError: another kind.
        """
        if kind not in OPTIMIZATIONS:
            raise ValueError(f"{kind!r} is not known: use one of {', '.join(OPTIMIZATIONS)}")
        if kind == "cache":
            return {"cache_entries": CACHES.cleanup(self._guard.settings.cache_cleanup_ratio), "freed_mb": 0.0}
        done = dict(self.cleanup())
        if kind == "cleanup":
            self._engine_port.rotate_idle()
            self._engine_port.retire_browser()
        else:
            self._engine_port.rotate_contexts()
        return done

    def configure(self) -> Mapping[str, int]:
        """Takes changed settings over at once."""
        return {"version": self._take_over_changes()}

    def restart(self, reason: str = "a restart was asked for") -> None:
        """Drains, and ends with exit code 75 for a fresh process."""
        self._leave(reason)
