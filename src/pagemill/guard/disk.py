"""Watches the free space where a worker writes: results, artifacts, Chromium's profiles. Frees nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pagemill.guard.leak_watch import RaiseAlert

_MIB = 1024 * 1024
LEAST_FREE_MB = 100
"""With less, SQLite and Chromium may fail at any moment."""


@dataclass(frozen=True, slots=True)
class Room:
    """The free space on the disk of a folder."""

    folder: Path
    device: int
    free_mb: float


def read_room(folder: Path) -> Room | None:
    """The space at a folder, or at the nearest existing folder above it; `None` if it cannot be read."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        status, device = os.statvfs(folder), folder.stat().st_dev
    except OSError:
        return None
    return Room(folder, device, status.f_bavail * status.f_frsize / _MIB)


class DiskWatch:
    """Raises an alert for every disk that runs full."""

    def __init__(
        self, folders: Sequence[Path], alert: RaiseAlert, read: Callable[[Path], Room | None] = read_room
    ) -> None:
        self._folders = [folder.absolute() for folder in folders]
        self._alert = alert
        self._read = read

    def check(self) -> None:
        """Looks once. Several folders on one disk cause one alert."""
        rooms = {room.device: room for folder in self._folders if (room := self._read(folder)) is not None}
        for room in rooms.values():
            if room.free_mb < LEAST_FREE_MB:
                self._alert(
                    "disk_full",
                    "critical",
                    f"{room.free_mb:.0f} MB are free at {room.folder}: make room there, results wait until then",
                    scope=str(room.folder),
                )
