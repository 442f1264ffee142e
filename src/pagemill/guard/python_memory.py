"""Python's own memory: what its allocators hold and what its garbage collector costs. Collects and trims on request.

Does not decide when. The C library's values are known with glibc 2.33 or later only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

_MIB = 1024 * 1024

PAUSE_BOUNDS_MS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
"""Upper bounds of the histogram of pauses; one more bucket is for longer ones."""


@dataclass(frozen=True, slots=True)
class PythonMemory:
    """What the allocators hold at one moment. `None` if the C library does not tell."""

    arena_used_mb: float | None = None
    """In use from malloc: blocks above 512 bytes, and everything of libraries in C."""
    arena_free_mb: float | None = None
    """Kept by malloc for later. Memory that a trim gives back to the system still counts here; only RSS shows it."""
    blocks: int = 0
    """Python's small blocks in use: about one per object, and much faster to count than objects."""


@dataclass(frozen=True, slots=True)
class CollectorStats:
    """What the garbage collector has done since a watch was installed."""

    collections: tuple[int, int, int] = (0, 0, 0)
    """How many collections of each generation, youngest first."""
    pause_s: float = 0.0
    """All pauses together. The whole process stands still in them."""
    longest_ms: float = 0.0
    cpu_percent: float = 0.0
    """The share of the process' CPU time since then that was spent in pauses."""
    pauses: tuple[int, ...] = ()
    """How many pauses fall into each bucket: up to each bound of `PAUSE_BOUNDS_MS` and above the one before; last, the
    longer ones. Empty if they were not counted."""


class _Mallinfo2(ctypes.Structure):
    """`struct mallinfo2` of malloc.h."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def python_memory() -> PythonMemory:
    """Measures now; takes some microseconds."""
    blocks = sys.getallocatedblocks()
    mallinfo2 = _function("mallinfo2", _Mallinfo2)
    if mallinfo2 is None:
        return PythonMemory(blocks=blocks)
    info = mallinfo2()
    # The manual speaks of the main arena, but the sums cover all arenas. Large pieces (hblkhd) are counted separately.
    used_mb, free_mb = (info.uordblks + info.hblkhd) / _MIB, info.fordblks / _MIB
    return PythonMemory(round(used_mb, 1), round(free_mb, 1), blocks)


def collect() -> int:
    """Collects all generations. Returns how many objects were unreachable. A `CollectorWatch` measures the time."""
    return gc.collect()


def trim() -> bool:
    """Gives the C library's free memory back to the system. Returns whether any was given back."""
    malloc_trim = _function("malloc_trim", ctypes.c_int, ctypes.c_size_t)
    return malloc_trim is not None and malloc_trim(0) == 1


@cache
def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    function.restype, function.argtypes = result, arguments
    return function  # type: ignore[no-any-return]


class CollectorWatch:
    """Counts the collector's pauses between `install` and `remove`. It keeps only a few numbers, however long it lasts.

    The collector calls it from the thread that triggered it, one collection at a time. `stats` may be called from any.
    """

    def __init__(
        self, clock_s: Callable[[], float] = time.perf_counter, cpu_s: Callable[[], float] = time.process_time
    ) -> None:
        self._clock_s = clock_s
        self._cpu_s = cpu_s
        self._installing = threading.Lock()
        self._since_cpu_s = cpu_s()
        self._began_s: float | None = None
        self._counts = [0, 0, 0]
        self._pause_s = self._pause_cpu_s = 0.0
        self._longest_s = 0.0
        self._pauses = [0] * (len(PAUSE_BOUNDS_MS) + 1)
        self._began_cpu_s = 0.0

    def install(self) -> None:
        """Starts to count from zero; does nothing if it counts already."""
        with self._installing:
            if self._called not in gc.callbacks:
                self._since_cpu_s = self._cpu_s()
                self._began_s = None
                self._counts = [0, 0, 0]
                self._pause_s = self._pause_cpu_s = self._longest_s = 0.0
                self._pauses = [0] * (len(PAUSE_BOUNDS_MS) + 1)
                gc.callbacks.append(self._called)

    def remove(self) -> None:
        """Stops counting; the numbers stay readable."""
        with self._installing, contextlib.suppress(ValueError):
            gc.callbacks.remove(self._called)

    def stats(self) -> CollectorStats:
        """The numbers so far."""
        youngest, middle, oldest = self._counts
        used_cpu_s = self._cpu_s() - self._since_cpu_s
        return CollectorStats(
            collections=(youngest, middle, oldest),
            pause_s=round(self._pause_s, 6),
            longest_ms=round(self._longest_s * 1000, 2),
            cpu_percent=round(100 * self._pause_cpu_s / used_cpu_s, 2) if used_cpu_s > 0 else 0.0,
            pauses=tuple(self._pauses),
        )

    def _called(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began_s = self._clock_s()
            self._began_cpu_s = self._cpu_s()
        elif self._began_s is not None:
            pause_s = self._clock_s() - self._began_s
            self._began_s = None
            self._counts[info["generation"]] += 1
            self._pause_s += pause_s
            self._pause_cpu_s += self._cpu_s() - self._began_cpu_s
            self._longest_s = max(self._longest_s, pause_s)
            self._pauses[bisect_left(PAUSE_BOUNDS_MS, 1000 * pause_s)] += 1
