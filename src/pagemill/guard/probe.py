"""Measures a worker: the memory of its process tree by role, and other things that can run out. Judges nothing.

PSS shares each common memory page between the processes that use it, so sums are true; summed RSS overcounts a Chromium
about three times. A process that vanishes while it is read is normal and counts as gone.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pagemill.guard.container import container_memory, memory_limit_mb, oom_kills
from pagemill.guard.process_tree import Member, ProcessTree, private_mb, private_mb_by_process, read_bytes
from pagemill.guard.python_memory import PythonMemory, python_memory

__all__ = [
    "EngineReading",
    "MachineMemory",
    "Probe",
    "Sample",
    "machine_memory",
    "memory_limit_mb",
    "private_mb_by_process",
    "take_sample",
]

_MIB = 1024 * 1024
_SHM = Path("/dev/shm")  # noqa: S108 - the kernel's shared memory, not a temporary file

_SCRATCH_EVERY = 6
"""Only in every sixth sample: walking the scratch folder takes longer, the more the browser does."""
_SCRATCH_ENTRIES = 10_000
"""How many entries are looked at; each takes some 5 microseconds."""
_LEAST_TEMPORARY_MB = 1024.0
"""The worker may have at least so much: its profiles are small, and others may have filled the disk."""
_BLOCK_BYTES = 512
"""The unit of st_blocks, whatever the file system."""


@dataclass(frozen=True, slots=True)
class EngineReading:
    """What only the engine knows. Heaps are `None` until a page was asked."""

    js_heap_mb: float | None = None
    """The JavaScript heaps of all open pages together."""
    largest_js_heap_mb: float | None = None
    """The largest heap of one page."""
    loop_lag_s: float = 0.0
    """The longest time since the last reading for which the event loop did not run."""
    standstill_s: float = 0.0
    """For how long the loop has not run now."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of a worker. A percentage is `None` if there is no limit to compare with."""

    rss_mb: float
    """RSS of the Python process alone."""
    pss_mb: Mapping[str, float]
    """By role: python, driver, browser, renderers, gpu, utility, other."""
    shm_percent: float | None
    cgroup_percent: float | None
    """The container's working set, without page cache that can be dropped, as a share of its tightest limit."""
    memory_percent: float | None = None
    """The memory of the worker's own processes, as a share of the probe's limit."""
    machine_percent: float = 0.0
    """The share of the machine's memory that is not available."""
    cgroup_limit_mb: float | None = None
    """The container's tightest limit."""
    machine_mb: float = 0.0
    """The machine's memory."""
    swap_mb: float = 0.0
    """The swapped-out memory of the worker's processes."""
    descriptors: int = 0
    """Open descriptors of the Python process."""
    descriptor_limit: int | None = None
    zombies: int = 0
    """Processes of the tree that have ended but were not waited for."""
    processes: Mapping[str, int] = field(default_factory=dict)
    """How many processes there are, by role."""
    oom_kills: int = 0
    """How many processes of the container the kernel has killed so far."""
    temporary_mb: float = 0.0
    """On disk below the scratch folder. Up to some samples old; with very many files only a part of it."""
    temporary_percent: float = 0.0
    """The same, as a share of what it may have there: half of its files plus the free space, at least 1 GB."""
    python: PythonMemory = field(default_factory=PythonMemory)
    js_heap_mb: float | None = None
    largest_js_heap_mb: float | None = None
    loop_lag_s: float = 0.0
    """The event loop's longest delay since the last sample; see `EngineReading`."""
    standstill_s: float = 0.0
    cpu_s: float = 0.0
    """CPU time of the process tree since the worker began, without processes whose parent did not wait for them."""
    cpu_system_s: float = 0.0
    """The part of `cpu_s` that was spent in the kernel; the rest is user time."""

    @property
    def total_pss_mb(self) -> float:
        """PSS of the whole process tree."""
        return sum(self.pss_mb.values())


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """The machine's available memory and swap space."""

    available_mb: int
    swap_mb: int


def machine_memory() -> MachineMemory:
    """Available memory and the size of the swap space."""
    return MachineMemory(int(psutil.virtual_memory().available) // _MIB, int(psutil.swap_memory().total) // _MIB)


@dataclass(slots=True)
class _Sums:
    """The memory of the process tree, in MB."""

    rss_of_root: float = 0.0
    swap: float = 0.0
    pss: dict[str, float] = field(default_factory=dict)


class Probe:
    """Measures one worker repeatedly. For use by one thread."""

    def __init__(
        self,
        limit_mb: float,
        scratch: Path | None = None,
        engine: Callable[[], EngineReading] = EngineReading,
        *,
        tree: ProcessTree | None = None,
        shm: Path = _SHM,
        scratch_entries: int = _SCRATCH_ENTRIES,
    ) -> None:
        """
        Args:
            limit_mb: what 100 percent of the worker's own memory is.
            scratch: the folder of its temporary files.
            engine: gives the latest of what only the engine knows; must return at once.
            tree: the processes to measure; by default this process' tree.
            shm: where shared memory is mounted.
            scratch_entries: how many files and folders are looked at, at most.
        """
        self.tree = tree or ProcessTree(os.getpid())
        self._limit_mb = limit_mb
        self._scratch = scratch
        self._engine = engine
        self._shm = shm
        self._scratch_entries = scratch_entries
        self._samples = 0
        self._temporary_mb = self._temporary_percent = 0.0

    def sample(self) -> Sample:
        """Measures now."""
        if self._scratch is not None and self._samples % _SCRATCH_EVERY == 0:
            self._temporary_mb = round(_folder_mb(self._scratch, self._scratch_entries), 1)
            share_mb = (self._temporary_mb + _free_mb(self._scratch)) / 2
            self._temporary_percent = round(100 * self._temporary_mb / max(_LEAST_TEMPORARY_MB, share_mb), 1)
        self._samples += 1
        members = self.tree.members()
        living = [member for member in members if member.state != "Z"]
        sums = self._sums(living)
        container = container_memory()
        machine = psutil.virtual_memory()
        engine = self._engine()
        process = f"{self.tree.proc}/{self.tree.root_pid}"
        return Sample(
            rss_mb=round(sums.rss_of_root, 1),
            pss_mb={role: round(megabytes, 1) for role, megabytes in sorted(sums.pss.items())},
            shm_percent=_shm_percent(self._shm),
            cgroup_percent=None if container is None else container.percent,
            cgroup_limit_mb=None if container is None else round(container.limit_mb, 1),
            memory_percent=round(100 * sum(sums.pss.values()) / self._limit_mb, 1) if self._limit_mb else None,
            machine_percent=round(100 * (1 - machine.available / machine.total), 1),
            machine_mb=round(machine.total / _MIB, 1),
            swap_mb=round(sums.swap, 1),
            descriptors=_descriptors(process),
            descriptor_limit=_descriptor_limit(process),
            zombies=len(members) - len(living),
            processes=dict(sorted(Counter(member.role for member in living).items())),
            oom_kills=oom_kills(),
            temporary_mb=self._temporary_mb,
            temporary_percent=self._temporary_percent,
            python=python_memory(),
            js_heap_mb=engine.js_heap_mb,
            largest_js_heap_mb=engine.largest_js_heap_mb,
            loop_lag_s=engine.loop_lag_s,
            standstill_s=engine.standstill_s,
            cpu_s=round(sum(member.cpu_s for member in members), 2),
            cpu_system_s=round(sum(member.cpu_system_s for member in members), 2),
        )

    def _sums(self, members: Sequence[Member]) -> _Sums:
        sums = _Sums()
        for member in members:
            try:
                sizes = _sizes_mb(f"{self.tree.proc}/{member.pid}/smaps_rollup")
                pss_mb = sizes["Pss"]
            except (OSError, KeyError):
                # Another user's process, or a kernel without these sums: its private memory at least is counted. A
                # process that has vanished has none any more.
                own_mb = private_mb(member.pid, proc=self.tree.proc)
                if own_mb is None:
                    continue
                sizes, pss_mb = {}, own_mb
            sums.pss[member.role] = sums.pss.get(member.role, 0.0) + pss_mb
            sums.swap += sizes.get("SwapPss", 0.0)
            if member.pid == self.tree.root_pid:
                sums.rss_of_root = sizes.get("Rss", pss_mb)
        return sums


def take_sample(root_pid: int | None = None, *, shm: Path = _SHM) -> Sample:
    """Measures the tree below a process once, this one by default."""
    return Probe(memory_limit_mb(), tree=ProcessTree(root_pid or os.getpid()), shm=shm).sample()


def _sizes_mb(smaps_rollup: str) -> dict[str, float]:
    """The kernel's sums over a process' mappings, by their names in the file."""
    sizes = {}
    # The first line is the range of addresses.
    for line in read_bytes(smaps_rollup).splitlines()[1:]:
        name, _, kilobytes = line.partition(b":")
        sizes[name.decode()] = int(kilobytes.split()[0]) / 1024
    return sizes


def _shm_percent(shm: Path) -> float | None:
    try:
        status = os.statvfs(shm)
    except OSError:
        return None
    if not status.f_blocks:
        return None
    return round(100 * (1 - status.f_bfree / status.f_blocks), 1)


def _descriptors(process: str) -> int:
    try:
        with os.scandir(f"{process}/fd") as entries:
            return sum(1 for _ in entries)
    except OSError:
        return 0


def _descriptor_limit(process: str) -> int | None:
    try:
        for line in read_bytes(f"{process}/limits").splitlines():
            if line.startswith(b"Max open files"):
                return int(line.split()[3])
    except (OSError, ValueError):
        pass
    return None


def _free_mb(folder: Path) -> float:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0.0
    return status.f_bavail * status.f_frsize / _MIB


def _folder_mb(folder: Path, most_entries: int) -> float:
    """What the files below a folder take on disk; stops after `most_entries`."""
    used_bytes, left = 0, most_entries
    waiting = [str(folder)]
    while waiting and left > 0:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        break
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    used_bytes += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
        except OSError:
            continue  # a browser is removing its profile
    return used_bytes / _MIB
