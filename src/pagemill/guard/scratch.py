"""The worker's scratch folder: Chromium's profiles and all temporary files are below it and are removed with it.

Also removes what dead workers left: their folders, and browsers that outlived them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from pagemill.guard.process_tree import read_stat
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_PREFIX = "pagemill-worker-"


@contextmanager
def scratch_folder(base: Path | None = None) -> Iterator[Path]:
    """This process' scratch folder, also set as TMPDIR for the processes that it starts. Removed at the end.

    Before that, remains of dead workers in the same base are removed.
    """
    base = base or Path(tempfile.gettempdir())
    sweep(base)
    # The start time tells this process from a later one with the same id.
    folder = base / f"{_PREFIX}{os.getpid()}-{_started_ticks(os.getpid())}"
    folder.mkdir(mode=0o700)
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        if before is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


def sweep(base: Path) -> int:
    """Kills the browsers and removes the folders of dead workers. Returns how many folders were removed."""
    dead = [folder for folder in base.glob(f"{_PREFIX}*") if folder.is_dir() and not _owner_lives(folder)]
    for folder in dead:
        killed = _kill_users_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
        log.warning(events.ORPHANS_SWEPT, folder=str(folder), killed=killed)
    return len(dead)


def _owner_lives(folder: Path) -> bool:
    pid, _, ticks = folder.name.removeprefix(_PREFIX).partition("-")
    if not pid.isdecimal() or not ticks.isdecimal():
        return True  # it is another program's: we cannot judge
    return _started_ticks(int(pid)) == int(ticks)


def _started_ticks(pid: int) -> int | None:
    """When a process started, in the kernel's ticks since the machine started; `None` if it has ended.

    The time of day is not used: it changes when the clock is set, and then a living worker would count as dead.
    """
    stat = read_stat(pid)
    return None if stat is None or stat.state in "ZX" else stat.started_ticks


def _kill_users_of(folder: Path) -> int:
    """Kills processes that have the folder in their command line, and the other members of their process groups."""
    needle = f"{folder}{os.sep}"
    killed = 0
    for process in psutil.process_iter(["cmdline"]):
        if any(needle in argument for argument in process.info["cmdline"] or ()):
            # The parent first: otherwise it would start new children, or end normally and hide that they were killed.
            for victim in (process, *_children(process)):
                with contextlib.suppress(psutil.Error):
                    victim.kill()
                    killed += 1
    return killed


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []
