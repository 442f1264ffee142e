"""The orders that a worker carries out: their names and their functions."""

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
"""The kinds of `optimize`, in the API's words."""


class WorkerActions:
    """The actions of one worker. Called by its command thread."""

    def __init__(
        self,
        guard: Guard,
        engine_port: EnginePort,
        take_over_changes: Callable[[], int],
        leave: Callable[[str], None],
    ) -> None:
        """
        Args:
            guard: cleans up.
            engine_port: rotates pages, contexts and browsers.
            take_over_changes: applies changed settings and returns their version.
            leave: drains the worker, so that a new one takes its place.
        """
        self._guard = guard
        self._engine_port = engine_port
        self._take_over_changes = take_over_changes
        self._leave = leave

    def by_name(self) -> dict[str, Action]:
        """Every known order with its function."""
        return {
            CLEANUP: self.cleanup,
            COLLECT: self.collect,
            OPTIMIZE: self.optimize,
            CONFIGURE: self.configure,
            RESTART: self.restart,
        }

    def cleanup(self) -> Mapping[str, float]:
        """Collects garbage, trims the allocator and drops a share of every cache."""
        begun_s = time.monotonic()
        cleaned = self._guard.clean(thorough=True, urgent=True)
        return {
            "collected": cleaned.collected,
            "cache_entries": cleaned.cache_entries,
            "freed_mb": cleaned.freed_mb,
            "seconds": round(time.monotonic() - begun_s, 3),
        }

    def collect(self) -> Mapping[str, float]:
        """Collects Python's garbage, even if the configuration leaves garbage collection to Python."""
        begun_s = time.monotonic()
        return {"collected": self._guard.collect(), "seconds": round(time.monotonic() - begun_s, 3)}

    def optimize(self, kind: str = "all") -> Mapping[str, object]:
        """`cache` drops a share of every cache. `memory` cleans up, and replaces contexts after the current visits.
        `cleanup`, for emergencies, also closes idle pages and replaces browser and driver. `all`: the first two.

        Raises:
            ValueError: an unknown kind.
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
        """Applies changed settings at once."""
        return {"version": self._take_over_changes()}

    def restart(self, reason: str = "a restart was asked for") -> None:
        """Drains the worker and ends it with exit code 75, so that a new process is started."""
        self._leave(reason)
