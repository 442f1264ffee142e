"""Runs a command and measures its whole process tree: CPU time with that of the dead, and memory over time.

CPU time is what the kernel charged: of the living as `/proc` tells it, of the dead as `wait4` told whoever reaped
them, in the end this process, which adopts every orphan. Memory is the sum of each process's PSS, so that pages which
several share count once. Nothing has to be known about the command, and it is not slowed but by the reading itself.
"""

from __future__ import annotations

import bisect
import contextlib
import ctypes
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_CPU_EVERY_S = 0.1
_PSS_EVERY_S = 0.5
_ORPHANS_S = 15.0


@dataclass(frozen=True, slots=True)
class Course:
    """What a command took. Times are seconds since the epoch; CPU time is in seconds since the command's start."""

    exit_code: int
    cpu: tuple[tuple[float, float], ...]
    """Time and CPU time until then, rising."""
    pss: tuple[tuple[float, float], ...]
    """Time and MB of all processes together."""
    left_behind: tuple[str, ...]
    """Processes that had to be killed long after the command had ended."""

    def cpu_s_between(self, begin: float, end: float) -> float:
        """CPU seconds between two moments, interpolated between readings a tenth of a second apart."""
        return self._cpu_s_until(end) - self._cpu_s_until(begin)

    def peak_pss_mb(self) -> float:
        """The largest sum."""
        return max((mb for _at, mb in self.pss), default=0.0)

    def pss_mb_at(self, moment: float) -> float:
        """The last reading until then."""
        return next((mb for at, mb in reversed(self.pss) if at <= moment), 0.0)

    def _cpu_s_until(self, moment: float) -> float:
        after = bisect.bisect_left(self.cpu, (moment, 0.0))
        if after == 0:
            return self.cpu[0][1]
        if after == len(self.cpu):
            return self.cpu[-1][1]
        (begin, before_s), (end, after_s) = self.cpu[after - 1], self.cpu[after]
        return before_s + (after_s - before_s) * (moment - begin) / (end - begin)


def measured(
    command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], output: Path, timeout_s: float
) -> Course:
    """Runs a command to its end, with everything it prints in a file.

    Raises:
        TimeoutError: it did not end in time; it and all that it started are killed.
    """
    with _adopting_orphans():
        return _measured(command, cwd, environment, output, timeout_s)


def _measured(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], output: Path, timeout_s: float
) -> Course:
    strangers = {child.pid for child in psutil.Process().children()}
    with output.open("wb") as stream:
        main = subprocess.Popen(list(command), cwd=cwd, env=dict(environment), stdout=stream, stderr=stream)
    tree = _Tree(main, strangers)
    try:
        deadline_s = time.monotonic() + timeout_s
        while tree.exit_code is None:
            tree.read()
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{command[0]} did not end within {timeout_s:g} s; its output is in {output}")
            time.sleep(_CPU_EVERY_S)
        deadline_s = time.monotonic() + _ORPHANS_S
        while tree.living() and time.monotonic() < deadline_s:
            time.sleep(_CPU_EVERY_S)
            tree.read()
        left_behind = tuple(" ".join(_command_line(process))[:100] for process in tree.living())
    finally:
        tree.kill()
    tree.read()
    assert tree.exit_code is not None
    return Course(tree.exit_code, tuple(tree.cpu), tuple(tree.pss), left_behind)


class _Tree:
    """The processes of one command."""

    def __init__(self, main: subprocess.Popen[bytes], strangers: set[int]) -> None:
        self._main = main
        self._strangers = strangers
        self._dead_s = 0.0
        self._next_pss_s = 0.0
        self.exit_code: int | None = None
        self.cpu: list[tuple[float, float]] = [(time.time(), 0.0)]
        self.pss: list[tuple[float, float]] = []

    def living(self) -> list[psutil.Process]:
        """Everything below this process that was not there before, zombies left out."""
        below = []
        for child in psutil.Process().children():
            if child.pid not in self._strangers:
                with contextlib.suppress(psutil.Error):
                    below += [child, *child.children(recursive=True)]
        return [process for process in below if _is_alive(process)]

    def read(self) -> None:
        """Takes a reading of CPU time, now and then of memory, and reaps what has ended."""
        self._reap()
        living = self.living()
        # The sum falls for a moment when a process has ended and is not reaped yet: time does not run backwards.
        cpu_s = max(self.cpu[-1][1], self._dead_s + sum(map(_cpu_s, living)))
        self.cpu.append((time.time(), cpu_s))
        if living and time.monotonic() >= self._next_pss_s:
            self._next_pss_s = time.monotonic() + _PSS_EVERY_S
            self.pss.append((time.time(), sum(map(_pss_mb, living))))

    def kill(self) -> None:
        """Ends whatever is left."""
        while living := self.living():
            for process in living:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.05)
            self._reap()

    def _reap(self) -> None:
        for child in psutil.Process().children():
            if child.pid in self._strangers:
                continue
            with contextlib.suppress(ChildProcessError):
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid == 0:
                    continue
                self._dead_s += usage.ru_utime + usage.ru_stime
                if pid == self._main.pid:
                    # Popen has been told nothing of its end, and must not wait for a process that is not there.
                    self._main.returncode = self.exit_code = os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Makes this process the parent of whoever loses its own below it."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot adopt orphans")
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _pss_mb(process: psutil.Process) -> float:
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
