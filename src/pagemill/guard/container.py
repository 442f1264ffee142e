"""The container's memory limit, its use, and how many processes the kernel has killed for it. Judges nothing.

The limits come from `proclimits`, which knows cgroup version 1 and 2 and the whole chain of groups: the tightest limit
is often above the worker's own group, on a pod or a slice. The groups are looked up for every question, because
`proclimits` remembers them although a process can be moved. That costs half a millisecond.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import proclimits
import psutil

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ContainerMemory:
    """The tightest limit, and what everything under it uses, without page cache that the kernel can drop.

    If several levels have limits, limit minus `used_mb` is what may still be used at every level.
    """

    limit_mb: float
    used_mb: float

    @property
    def percent(self) -> float:
        """How much of the limit is used."""
        return round(100 * self.used_mb / self.limit_mb, 1) if self.limit_mb else 100.0


def container_memory() -> ContainerMemory | None:
    """Limit and use now; `None` if nothing limits this process below the machine's memory."""
    proclimits.clear_cache()
    budget = proclimits.get_memory_budget()
    return None if budget is None else ContainerMemory(budget.limit / _MIB, budget.used / _MIB)


def memory_limit_mb() -> int:
    """The memory this process may use: the container's limit, or the machine's memory where that is smaller."""
    proclimits.clear_cache()
    machine_bytes = int(psutil.virtual_memory().total)
    # The raw limit is used, because a limit holds even if its use cannot be read.
    limit_bytes = proclimits.describe().raw_memory_limit
    return (machine_bytes if limit_bytes is None else min(machine_bytes, limit_bytes)) // _MIB


def cores() -> int:
    """How many cores this process may use: the container's quota or the process' CPU affinity; at least one."""
    proclimits.clear_cache()
    quota = proclimits.get_cpu_limit()
    own = len(os.sched_getaffinity(0))
    return own if quota is None else max(1, min(own, round(quota)))


def oom_kills() -> int:
    """How many processes the kernel has killed because a group reached its limit; 0 if it does not tell.

    Counted in this process' own group and in the group that carries the limit, which others may share.
    """
    proclimits.clear_cache()
    found = proclimits.describe()
    source = found.memory_source
    if source is None or not source.levels:
        return 0
    own = source.levels[0]
    levels = {own, found.memory_limit_level or own}
    if source.interface is proclimits.Interface.CGROUP_V2:
        # Version 2 counts a kill in the victim's group and in all groups above it.
        return max(_counter(Path(level, "memory.events")) for level in levels)
    # Version 1 counts a kill in the victim's group only.
    return sum(_counter(Path(level, "memory.oom_control")) for level in levels)


def _counter(path: Path) -> int:
    try:
        counters = dict(line.split() for line in path.read_text().splitlines())
        return int(counters.get("oom_kill", 0))
    except (OSError, ValueError):
        return 0
