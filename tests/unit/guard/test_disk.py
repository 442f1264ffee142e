"""Disks that run full are told about once, by their folder; nothing else is."""

from __future__ import annotations

from pathlib import Path

from pagemill.guard.disk import LEAST_FREE_MB, DiskWatch, Room, read_room


class Heard:
    """Alerts that were raised."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str, object]] = []

    def __call__(self, name: str, level: str, message: str, **facts: object) -> None:
        self.alerts.append((name, message, facts["scope"]))


def test_two_folders_on_one_full_disk_make_one_alert() -> None:
    """The message says where, how much, and what to do."""
    heard = Heard()
    watch = DiskWatch([Path("/data"), Path("/data/artifacts")], heard, lambda _folder: Room(Path("/data"), 7, 12.4))
    watch.check()
    assert heard.alerts == [("disk_full", "12 MB are free at /data: make room there, results wait until then", "/data")]


def test_a_disk_with_room_and_one_that_cannot_be_read_are_left_alone() -> None:
    """No news is good news."""
    heard = Heard()
    rooms = {Path("/data"): Room(Path("/data"), 1, LEAST_FREE_MB), Path("/gone"): None}
    DiskWatch(list(rooms), heard, lambda folder: rooms[folder]).check()
    assert heard.alerts == []


def test_a_folder_that_is_not_there_yet_is_read_at_the_one_above(tmp_path: Path) -> None:
    """`data/artifacts` is made when the first artifact is kept."""
    room = read_room(tmp_path / "data" / "artifacts")
    assert room is not None
    assert room.folder == tmp_path
    assert room.free_mb > 0
