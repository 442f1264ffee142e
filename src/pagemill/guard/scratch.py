"""The worker's scratch folder: Chromium's profiles and everything temporary live below it and go away with it.

Also sweeps what dead workers left: their folders, and browsers that outlived them.
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
    """This process' scratch folder, also set as TMPDIR for the processes it starts; removed on leaving.

    Remains of dead workers in the same base are swept first.
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
    """Kills browsers and removes folders of workers that are dead; the number of folders removed."""
    dead = [folder for folder in base.glob(f"{_PREFIX}*") if folder.is_dir() and not _owner_lives(folder)]
    for folder in dead:
        killed = _kill_users_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
        log.warning(events.ORPHANS_SWEPT, folder=str(folder), killed=killed)
    return len(dead)


def _owner_lives(folder: Path) -> bool:
    pid, _, ticks = folder.name.removeprefix(_PREFIX).partition("-")
    if not pid.isdecimal() or not ticks.isdecimal():
        return True  # not ours to judge
    return _started_ticks(int(pid)) == int(ticks)


def _started_ticks(pid: int) -> int | None:
    """When a process started, in the kernel's ticks since the machine did; `None` when it has ended.

    A time of day would not do: it moves when the clock is set, and a living worker would be taken for a dead one.
    """
    stat = read_stat(pid)
    return None if stat is None or stat.state in "ZX" else stat.started_ticks


def _kill_users_of(folder: Path) -> int:
    """Kills processes that name the folder in their command line, with their process groups' members."""
    needle = f"{folder}{os.sep}"
    killed = 0
    for process in psutil.process_iter(["cmdline"]):
        if any(needle in argument for argument in process.info["cmdline"] or ()):
            # The parent first: it would replace its children, or end well and hide that it was killed.
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
