"""Measures this process only: for processes without a browser. Judges nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OwnUse:
    """What this process uses."""

    rss_mb: float
    pss_mb: float
    cpu_percent: float
    """Since the last measurement, as a share of all CPUs that it may use; 0 at the first measurement."""
    descriptors: int


class OwnProcess:
    """Measures repeatedly. For use by one thread."""

    def __init__(
        self,
        now_s: Callable[[], float] = time.monotonic,
        cpu_s: Callable[[], float] = time.process_time,
        cpus: int | None = None,
    ) -> None:
        """
        Args:
            now_s: monotonic seconds.
            cpu_s: CPU time of this process so far.
            cpus: how many CPUs it may use; by default those that the kernel allows it.
        """
        self._now_s = now_s
        self._cpu_s = cpu_s
        self._cpus = cpus or len(os.sched_getaffinity(0))
        self._process = psutil.Process()
        self._before: tuple[float, float] | None = None

    def measure(self) -> OwnUse:
        """Measures now."""
        memory = self._process.memory_full_info()
        return OwnUse(
            rss_mb=round(memory.rss / _MIB, 1),
            pss_mb=round(memory.pss / _MIB, 1),
            cpu_percent=self._cpu_percent(),
            descriptors=self._process.num_fds(),
        )

    def _cpu_percent(self) -> float:
        now_s, used_s = self._now_s(), self._cpu_s()
        before, self._before = self._before, (now_s, used_s)
        if before is None or now_s <= before[0]:
            return 0.0
        return round(100 * (used_s - before[1]) / (now_s - before[0]) / self._cpus, 1)
