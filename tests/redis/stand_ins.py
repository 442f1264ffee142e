"""Children of a supervisor that do as their plan says, importable by spawned processes. They need no browser."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Beat = Callable[[], None]
_BEAT_S = 0.02


def follow_plan(folder: str, plan: list[str], name: str, _burst: bool, on_beat: Beat) -> None:
    """The first child of all does what stands first in the plan, and so on; later ones do what stands last.

    Each leaves a file with its name, its process id and the signals that it has heard.
    """
    number = _claim(Path(folder))
    heard: list[int] = []
    record = Path(folder) / f"{number:03}"

    def hear(signal_number: int, _frame: object) -> None:
        heard.append(signal_number)
        record.write_text(" ".join(map(str, [name, os.getpid(), *heard])))

    signal.signal(signal.SIGTERM, hear)
    signal.signal(signal.SIGINT, hear)
    record.write_text(f"{name} {os.getpid()}")
    BEHAVIOURS[plan[min(number, len(plan) - 1)]](on_beat, heard)


def _claim(folder: Path) -> int:
    for number in range(1000):
        with contextlib.suppress(FileExistsError):
            (folder / f"{number:03}").touch(exist_ok=False)
            return number
    raise AssertionError("too many children")


def beats(on_beat: Beat, heard: list[int]) -> None:
    """Works until it is told to stop."""
    while not heard:
        on_beat()
        time.sleep(_BEAT_S)


def falls_silent(on_beat: Beat, heard: list[int]) -> None:
    """Hangs, and still hears signals."""
    on_beat()
    while not heard:
        time.sleep(_BEAT_S)


def is_deaf(on_beat: Beat, _heard: list[int]) -> None:
    """Hangs, and only SIGKILL ends it; its browser would live on."""
    from pagemill.guard.scratch import scratch_folder  # the others start the sooner for it

    with scratch_folder() as scratch:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"{scratch}/profile"])
        on_beat()
        time.sleep(60)


def drains_slowly(on_beat: Beat, _heard: list[int]) -> None:
    """Beats on, whatever it is told."""
    while True:
        on_beat()
        time.sleep(_BEAT_S)


def is_done(on_beat: Beat, _heard: list[int]) -> None:
    """Found the queues empty."""
    on_beat()


def is_worn_out(on_beat: Beat, _heard: list[int]) -> None:
    """Wants a fresh process."""
    on_beat()
    sys.exit(75)


def crashes(_on_beat: Beat, _heard: list[int]) -> None:
    """Does not even come up."""
    sys.exit(3)


BEHAVIOURS: dict[str, Callable[[Beat, list[int]], None]] = {
    behaviour.__name__: behaviour
    for behaviour in (beats, falls_silent, is_deaf, drains_slowly, is_done, is_worn_out, crashes)
}
