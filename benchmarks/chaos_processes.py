"""Finds a run's processes: workers, drivers, browsers and pages below a supervisor, and what fell out of its tree.

Reads only; a process that ends while it is read counts as gone.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Family:
    """Everything below one process; empty when there is none."""

    root_pid: int | None

    def all(self, *, recursive: bool = True) -> list[psutil.Process]:
        """Children, and theirs."""
        if self.root_pid is None:
            return []
        try:
            return psutil.Process(self.root_pid).children(recursive=recursive)
        except psutil.Error:
            return []

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        return [child for child in self.all(recursive=False) if _is_worker(command_line(child))]

    def drivers(self) -> list[psutil.Process]:
        """Playwright's drivers."""
        return [child for child in self.all() if "run-driver" in command_line(child)]

    def browsers(self) -> list[psutil.Process]:
        """Main processes of Chromium."""
        return [child for child in self.all() if _is_browser(command_line(child))]

    def renderers(self) -> list[psutil.Process]:
        """Processes of pages."""
        return [child for child in self.all() if _type(command_line(child)) == "renderer"]

    def is_staffed(self, processes: int) -> bool:
        """Whether so many workers are there and each has a browser."""
        parents: dict[int, int] = {}
        workers, browsers = set(), []
        for child in self.all():
            with contextlib.suppress(psutil.Error):
                parents[child.pid] = child.ppid()
                line = command_line(child)
                if _is_worker(line):
                    workers.add(child.pid)
                elif _is_browser(line):
                    browsers.append(child.pid)
        return len(workers) >= processes and workers <= {_owner(pid, parents, workers) for pid in browsers}

    def zombies(self) -> list[str]:
        """Ended processes that their parents have not taken note of."""
        found = []
        for child in self.all():
            with contextlib.suppress(psutil.Error):
                if child.status() == psutil.STATUS_ZOMBIE:
                    found.append(f"{child.pid} {child.name()}, child of {child.ppid()}")
        return found


def users_of(scratch: Path) -> list[psutil.Process]:
    """Living processes that have this scratch folder as their own or name it in their command line.

    Nothing else may name it: a folder above it can stand in the command line of who started the run.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            mentions = [process.environ().get("TMPDIR", ""), *process.cmdline()]
            if process.status() != psutil.STATUS_ZOMBIE and any(str(scratch) in mention for mention in mentions):
                found.append(process)
    return found


def command_line(process: psutil.Process) -> list[str]:
    """Its words; Chromium rewrites its own with spaces on some versions."""
    try:
        return " ".join(process.cmdline()).split()
    except psutil.Error:
        return []


def _is_worker(line: list[str]) -> bool:
    return "multiprocessing.spawn" in line


def _is_browser(line: list[str]) -> bool:
    return bool(line) and "chrom" in Path(line[0]).name and "crashpad" not in line[0] and not _type(line)


def _type(line: list[str]) -> str:
    return next((part.partition("=")[2] for part in line if part.startswith("--type=")), "")


def _owner(pid: int, parents: dict[int, int], workers: set[int]) -> int | None:
    """The worker that a process stands under."""
    while pid in parents and pid not in workers:
        pid = parents[pid]
    return pid if pid in workers else None
