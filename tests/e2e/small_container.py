"""A small container made of its parts: a memory cgroup with a limit, and a mount namespace with a small /dev/shm.

Owns making and removing them, and measuring from outside. Takes root; `reason_against` says why not where it cannot be.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.e2e.workplace import Workplace

_MIB = 1024 * 1024
_ROOT = Path("/sys/fs/cgroup")
_LOOK_S = 0.2
_REMOVE_S = 10.0
_NAME = "pagemill-test"


@dataclass(frozen=True, slots=True)
class _Files:
    """What the two versions of cgroups call the same things."""

    mount: Path
    limit: str
    swap: str
    peak: str
    usage: str
    cache: str
    kills: str


_V1 = _Files(
    mount=_ROOT / "memory",
    limit="memory.limit_in_bytes",
    swap="memory.memsw.limit_in_bytes",
    peak="memory.max_usage_in_bytes",
    usage="memory.usage_in_bytes",
    cache="total_inactive_file",
    kills="memory.oom_control",
)
_V2 = _Files(
    mount=_ROOT,
    limit="memory.max",
    swap="memory.swap.max",
    peak="memory.peak",
    usage="memory.current",
    cache="inactive_file",
    kills="memory.events",
)


class MemoryGroup:
    """A fresh cgroup with a memory limit; processes that are left in it are killed when it is removed."""

    def __init__(self, limit_mb: int) -> None:
        self.limit_mb = limit_mb
        self.files = _V1 if (_V1.mount / _V1.limit).exists() else _V2
        self.folder = self.files.mount / f"{_NAME}-{os.getpid()}-{time.monotonic_ns()}"

    def make(self) -> None:
        """Makes it.

        Raises:
            OSError: this machine does not allow it.
        """
        if self.files is _V2:
            (_ROOT / "cgroup.subtree_control").write_text("+memory")
        self.folder.mkdir()
        try:
            (self.folder / self.files.limit).write_text(str(self.limit_mb * _MIB))
            with contextlib.suppress(OSError):  # swap is not accounted everywhere
                (self.folder / self.files.swap).write_text("0" if self.files is _V2 else str(self.limit_mb * _MIB))
        except OSError:
            self.remove()
            raise

    def remove(self) -> None:
        """Kills what is left in it, and removes it."""
        deadline_s = time.monotonic() + _REMOVE_S
        while True:
            for pid in self.pids():
                with contextlib.suppress(psutil.Error):
                    psutil.Process(pid).kill()
            try:
                self.folder.rmdir()
                return
            except OSError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_LOOK_S)

    def pids(self) -> list[int]:
        """Processes in it."""
        return [int(line) for line in (self.folder / "cgroup.procs").read_text().split()]

    @property
    def oom_kills(self) -> int:
        """How many of its processes the kernel has killed for memory."""
        return _entry(self.folder / self.files.kills, "oom_kill")

    @property
    def peak_mb(self) -> float:
        """The most it ever held, page cache included: that part the kernel gives back when it must."""
        try:
            return int((self.folder / self.files.peak).read_text()) / _MIB
        except FileNotFoundError:  # version 2 before Linux 5.19
            return 0.0

    @property
    def working_set_mb(self) -> float:
        """What it holds now without the page cache that can be dropped: what container platforms go by."""
        usage = int((self.folder / self.files.usage).read_text())
        return max(0, usage - _entry(self.folder / "memory.stat", self.files.cache)) / _MIB


@dataclass(slots=True)
class Contained:
    """A worker inside, and what was seen of it from outside."""

    process: subprocess.Popen[bytes]
    group: MemoryGroup
    peak_working_set_mb: float = 0.0

    def wait(self, timeout_s: float) -> int:
        """Waits for its end, measuring; its exit code.

        Raises:
            TimeoutError: it goes on.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            self.peak_working_set_mb = max(self.peak_working_set_mb, self.group.working_set_mb)
            try:
                return self.process.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"the worker has not ended after {timeout_s:g} s: {self.facts()}") from None

    def facts(self) -> str:
        """For messages and reports."""
        group = self.group
        return (
            f"peak working set {self.peak_working_set_mb:.0f} of {group.limit_mb} MB "
            f"(with page cache {group.peak_mb:.0f} MB), {group.oom_kills} OOM kills"
        )


@contextmanager
def contained_worker(place: Workplace, *arguments: str, memory_mb: int, shm_mb: int) -> Iterator[Contained]:
    """A worker that sees its limit and its /dev/shm as it would in a container; ended and cleared away on leaving."""
    group = MemoryGroup(memory_mb)
    group.make()
    try:
        worker = [sys.executable, "-m", "pagemill", "worker", *arguments]
        with place.log.open("ab") as log:
            process = subprocess.Popen(
                _inside(group, shm_mb, worker), cwd=place.folder, env=place.environment, stdout=log, stderr=log
            )
        try:
            yield Contained(process, group)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    finally:
        group.remove()


def reason_against() -> str:
    """Why no small container can be made here; empty when one can."""
    if os.geteuid() != 0:
        return "a memory cgroup takes root"
    if shutil.which("unshare") is None:
        return "unshare is not on PATH"
    group = MemoryGroup(100)
    try:
        group.make()
    except OSError as error:
        return f"no memory cgroup can be made: {error}"
    try:
        tried = subprocess.run(_inside(group, 1, ["true"]), capture_output=True, text=True, timeout=20, check=False)
    finally:
        group.remove()
    return f"no namespace with a small /dev/shm can be made: {tried.stderr.strip()}" if tried.returncode else ""


def _inside(group: MemoryGroup, shm_mb: int, command: list[str]) -> list[str]:
    """The command, to be run inside; its process id is that of the process started."""
    script = (
        'echo $$ > "$1/cgroup.procs"'
        ' && mount -t tmpfs -o "size=$3m" tmpfs /dev/shm'
        ' && mount --bind "$1" "$2"'  # a container sees its own group where the machine has the root's
        ' && shift 3 && exec "$@"'
    )
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        str(group.folder),
        str(group.files.mount),
        str(shm_mb),
        *command,
    ]


def _entry(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
