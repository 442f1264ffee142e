"""Reads the processes of one worker from /proc: which there are, their states, and the private memory of each.

Only reads; ends no process. A process that vanishes while it is read is normal and counts as gone.

The tree is built from each process' parent. The kernel's shortcut, /proc/PID/task/*/children, is not used: there is one
file per thread, some eight times as many as processes, and proc(5) says that it may leave out children while processes
begin and end. Other programs' processes are remembered, so that they are read only once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_MIB = 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_READ_ALL_EVERY = 60
"""After so many looks the remembered processes are read again, because an id may now belong to one of ours."""

_TYPES = {
    b"renderer": "renderers",
    b"gpu-process": "gpu",
    b"utility": "utility",
    b"zygote": "browser",
    b"broker": "browser",
}
"""Roles by the value of Chromium's switch --type."""
_LASTING = frozenset({"renderers", "gpu", "utility"})
"""Roles that a process keeps. Other roles may change: a fork has its parent's command line until it starts its own
program, and so has a zygote's child until it overwrites it."""
_BROWSER = _LASTING | {"browser"}


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a worker."""

    pid: int
    parent: int
    role: str
    """python (the root), driver, browser, renderers, gpu, utility or other."""
    state: str
    """The kernel's letter: R runs, S sleeps, D waits for a disk, T is stopped, Z has ended but was not waited for."""
    group: int
    started_ticks: int
    """Clock ticks since the machine started. Together with `pid` it identifies a process for good."""
    private_mb: float
    """Resident and not shared. Memory that a fork has not written to yet counts for both parent and child."""
    cpu_s: float = 0.0
    """CPU time, including that of its ended children."""
    cpu_system_s: float = 0.0
    """The part of `cpu_s` that was spent in the kernel."""


class Stat(NamedTuple):
    """What /proc/PID/stat says of a process; see `Member`."""

    name: bytes
    state: str
    parent: int
    group: int
    started_ticks: int
    cpu_s: float = 0.0
    cpu_system_s: float = 0.0


class ProcessTree:
    """The processes below one process, and browsers that lost their parent in it. For use by one thread."""

    def __init__(self, root_pid: int, *, proc: Path = _PROC) -> None:
        self.root_pid = root_pid
        self.proc = proc
        self._looks = 0
        self._strangers: set[int] = set()
        self._groups: set[int] = set()
        """Process groups of the browsers seen so far. A browser whose driver was killed becomes a child of init."""
        self._roles: dict[tuple[int, int], str] = {}

    def members(self) -> list[Member]:
        """The processes that are there now, in the order of their ids."""
        stats = self._ours(self._look())
        members = []
        for pid, stat in sorted(stats.items()):
            private = private_mb(pid, proc=self.proc)
            if private is not None:
                role = self._role(pid, stat)
                known = (pid, stat.parent, role, stat.state, stat.group, stat.started_ticks)
                members.append(Member(*known, private, stat.cpu_s, stat.cpu_system_s))
        self._remember(members, stats)
        return members

    def _look(self) -> dict[int, Stat]:
        if self._looks % _READ_ALL_EVERY == 0:
            self._strangers.clear()
        self._looks += 1
        listed = set(_process_ids(self.proc))
        self._strangers &= listed
        read = ((pid, read_stat(pid, proc=self.proc)) for pid in listed - self._strangers)
        return {pid: stat for pid, stat in read if stat is not None}

    def _ours(self, stats: Mapping[int, Stat]) -> dict[int, Stat]:
        children: dict[int, list[int]] = {}
        for pid, stat in stats.items():
            children.setdefault(stat.parent, []).append(pid)
        waiting = [pid for pid, stat in stats.items() if pid == self.root_pid or stat.group in self._groups]
        ours: dict[int, Stat] = {}
        while waiting:
            pid = waiting.pop()
            if pid not in ours:
                ours[pid] = stats[pid]
                waiting += children.get(pid, ())
        for pid, stat in stats.items():
            # If the root is init, as in many containers, it may become the parent of a process whose own has vanished.
            if pid not in ours and (stat.parent == 0 or stat.parent in stats or stat.parent in self._strangers):
                self._strangers.add(pid)
        return ours

    def _role(self, pid: int, stat: Stat) -> str:
        if pid == self.root_pid:
            return "python"
        return self._roles.get((pid, stat.started_ticks)) or _role(_read_command(self.proc, pid), stat.name)

    def _remember(self, members: Iterable[Member], stats: Mapping[int, Stat]) -> None:
        own_group = stats[self.root_pid].group if self.root_pid in stats else 0
        seen = {each.group for each in members if each.role in _BROWSER and each.group not in (0, own_group)}
        if not seen <= self._groups:
            self._strangers.clear()  # some may belong to a browser that was not known yet
        self._groups = seen
        self._roles = {(each.pid, each.started_ticks): each.role for each in members if each.role in _LASTING}


def private_mb(pid: int, *, proc: Path = _PROC) -> float | None:
    """A process' private memory in MB; 0 if it has ended but was not waited for, `None` if there is no such process."""
    try:
        resident, shared = read_bytes(f"{proc}/{pid}/statm").split()[1:3]
        return (int(resident) - int(shared)) * _PAGE_BYTES / _MIB
    except (OSError, ValueError):
        return None


def private_mb_by_process(group: int) -> dict[int, float]:
    """The private memory of each process of a process group, in MB. Fast enough to call at every rotation."""
    private: dict[int, float] = {}
    for pid in _process_ids(_PROC):
        try:
            is_member = os.getpgid(pid) == group
        except OSError:
            continue
        if is_member and (megabytes := private_mb(pid)) is not None:
            private[pid] = megabytes
    return private


def read_bytes(path: str) -> bytes:
    """A small file's content. Several times as fast as Python's `Path.read_bytes`, which counts for so many files.

    Raises:
        OSError: it cannot be read; `ProcessLookupError` if its process has ended.
    """
    with FileIO(path) as file:
        return file.readall()


def _process_ids(proc: Path) -> Iterable[int]:
    with os.scandir(proc) as entries:
        return [int(entry.name) for entry in entries if entry.name.isdecimal()]


def read_stat(pid: int, *, proc: Path = _PROC) -> Stat | None:
    """One process' state; `None` if it has ended and was waited for."""
    try:
        content = read_bytes(f"{proc}/{pid}/stat")
        # The name is in parentheses and may contain any character, also parentheses.
        before, _, after = content.rpartition(b")")
        fields = after.split()
        # User and kernel time of the process itself, then the same of its ended children.
        user, system, childrens_user, childrens_system = map(int, fields[11:15])
        system_s = (system + childrens_system) / _TICKS_PER_S
        cpu_s = (user + childrens_user) / _TICKS_PER_S + system_s
        name, state = before.partition(b"(")[2], fields[0].decode()
        return Stat(name, state, int(fields[1]), int(fields[2]), int(fields[19]), cpu_s, system_s)
    except (OSError, ValueError, IndexError):
        return None


def _read_command(proc: Path, pid: int) -> bytes:
    try:
        return read_bytes(f"{proc}/{pid}/cmdline").replace(b"\0", b" ")
    except OSError:
        return b""


def _role(command: bytes, name: bytes) -> str:
    _, found, rest = command.partition(b"--type=")
    if found:
        return _TYPES.get(rest.split(maxsplit=1)[0] if rest.strip() else b"", "other")
    if b"--headless" in command or b"chrom" in name:
        return "browser"
    if b"run-driver" in command:
        return "driver"
    return "other"
