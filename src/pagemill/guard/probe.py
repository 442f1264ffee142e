"""Measures: memory of the whole process tree by role, /dev/shm, the container's limit. Judges nothing.

PSS shares each common memory page between the processes that use it, so sums are true; summed RSS overcounts a Chromium
about three times. A process that vanishes while it is read is normal and counts as gone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

_MIB = 1024 * 1024
_SHM = Path("/dev/shm")  # noqa: S108 - the kernel's shared memory, not a temporary file

_ROLES = {
    "renderer": "renderers",
    "gpu-process": "gpu",
    "utility": "utility",
    "zygote": "browser",
    "broker": "browser",
}
_CGROUPS = Path("/sys/fs/cgroup")
"""Version 2 has its files here, version 1 in the folder `memory` below."""
_V1_UNLIMITED_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of a worker. Percentages are `None` where there is nothing to measure against."""

    rss_mb: float
    """RSS of the Python process alone."""
    pss_mb: Mapping[str, float]
    """By role: python, driver, browser, renderers, gpu, utility, other."""
    shm_percent: float | None
    cgroup_percent: float | None

    @property
    def total_pss_mb(self) -> float:
        """The whole process tree."""
        return sum(self.pss_mb.values())


def take_sample(root_pid: int | None = None, *, shm: Path = _SHM, cgroups: Path = _CGROUPS) -> Sample:
    """Measures the tree below a process, this one by default."""
    root = psutil.Process(root_pid)
    by_role: dict[str, float] = {}
    rss_mb = 0.0
    for process in _tree(root):
        try:
            role = "python" if process.pid == root.pid else _role(process)
            by_role[role] = by_role.get(role, 0.0) + _pss_mb(process)
            if process.pid == root.pid:
                rss_mb = process.memory_info().rss / _MIB
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            continue
    return Sample(
        rss_mb=round(rss_mb, 1),
        pss_mb={role: round(megabytes, 1) for role, megabytes in sorted(by_role.items())},
        shm_percent=_shm_percent(shm),
        cgroup_percent=_cgroup_percent(cgroups),
    )


def private_mb_by_process(group: int) -> dict[int, float]:
    """Memory that each process of a process group has for itself, in MB; cheap enough for every rotation."""
    private: dict[int, float] = {}
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        try:
            if os.getpgid(int(entry.name)) != group:
                continue
            resident, shared = Path(entry.path, "statm").read_text().split()[1:3]
        except (OSError, ValueError):
            continue
        private[int(entry.name)] = (int(resident) - int(shared)) * page_bytes / _MIB
    return private


def memory_limit_mb(cgroups: Path = _CGROUPS) -> int:
    """The memory this process may use: the container's limit, or the machine's memory where that is smaller."""
    machine_bytes = int(psutil.virtual_memory().total)
    limit = _cgroup_limit_bytes(cgroups)
    return min(machine_bytes, limit or machine_bytes) // _MIB


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _pss_mb(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / _MIB


def _role(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    _, found, rest = line.partition("--type=")
    if found:
        return _ROLES.get(rest.split(maxsplit=1)[0], "other")
    if "--headless" in line or "chrom" in process.name():
        return "browser"
    if "run-driver" in line:
        return "driver"
    return "other"


def _shm_percent(shm: Path) -> float | None:
    try:
        status = os.statvfs(shm)
    except OSError:
        return None
    if not status.f_blocks:
        return None
    return round(100 * (1 - status.f_bfree / status.f_blocks), 1)


def _cgroup_percent(cgroups: Path) -> float | None:
    limit = _cgroup_limit_bytes(cgroups)
    used = _read_bytes(cgroups / "memory.current") or _read_bytes(cgroups / "memory" / "memory.usage_in_bytes")
    if limit is None or used is None:
        return None
    return round(100 * used / limit, 1)


def _cgroup_limit_bytes(cgroups: Path) -> int | None:
    """The limit as a container sees its own group, version 2 or 1; `None` without one."""
    limit = _read_bytes(cgroups / "memory.max") or _read_bytes(cgroups / "memory" / "memory.limit_in_bytes")
    return None if limit is None or limit >= _V1_UNLIMITED_BYTES else limit


def _read_bytes(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """What the machine as a whole has left."""

    available_mb: int
    swap_mb: int


def machine_memory() -> MachineMemory:
    """Free memory and the size of the swap space."""
    return MachineMemory(int(psutil.virtual_memory().available) // _MIB, int(psutil.swap_memory().total) // _MIB)
