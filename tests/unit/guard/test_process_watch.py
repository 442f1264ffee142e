"""The quick look: processes that took too much or were stopped are killed by themselves; sizes are passed on."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from pagemill.guard.process_tree import Member
from pagemill.guard.process_watch import ProcessWatch
from pagemill.telemetry import events


class Family:
    """Processes that a test describes, and who of them was killed."""

    def __init__(self) -> None:
        self.members = [
            self.one(1, "python", group=1),
            self.one(2, "driver", group=1, mb=110),
            self.one(3, "browser", mb=90),
            self.one(4, "browser", mb=10),
            self.one(5, "gpu", mb=20),
            self.one(6, "utility", mb=30),
            self.one(7, "renderers", mb=50),
            self.one(8, "renderers", mb=60),
        ]
        self.killed: list[int] = []
        self.watch = ProcessWatch(lambda: self.members, 500, 700, lambda pid, _signal: self.killed.append(pid))

    @staticmethod
    def one(pid: int, role: str, *, group: int = 3, mb: float = 40, state: str = "S", ticks: int = 1) -> Member:
        """A member."""
        return Member(pid, 1, role, state, group, ticks, mb)

    def change(self, pid: int, role: str, **facts: object) -> None:
        """Puts another one in the place of that process."""
        facts.setdefault("group", 1 if role in ("python", "driver") else 3)
        self.members = [self.one(pid, role, **facts) if each.pid == pid else each for each in self.members]  # type: ignore[arg-type]


def test_sizes_are_those_of_drivers_and_of_browsers_without_their_pages() -> None:
    """By the driver's process id and the browser's group."""
    family = Family()
    assert family.watch.look() == {2: 110, 3: 150}
    assert family.killed == []


def test_a_page_that_took_too_much_is_killed_alone() -> None:
    """At the first look: a bomb does not wait."""
    family = Family()
    family.change(7, "renderers", mb=501)
    with capture_logs() as lines:
        family.watch.look()
    assert family.killed == [7]
    assert [(line["event"], line["pid"], line["reason"], line["mb"]) for line in lines] == [
        (events.RENDERER_KILLED, 7, "size", 501)
    ]


@pytest.mark.parametrize(("pid", "role"), [(2, "driver"), (3, "browser")])
def test_a_main_process_that_took_too_much_is_killed(pid: int, role: str) -> None:
    """Whatever is left of its browser ends by itself."""
    family = Family()
    family.change(pid, role, mb=700)
    family.watch.look()
    assert family.killed == []
    family.change(pid, role, mb=701)
    with capture_logs() as lines:
        family.watch.look()
    assert family.killed == [pid]
    assert [(line["event"], line["what"], line["reason"]) for line in lines] == [(events.BROWSER_KILLED, role, "size")]


def test_a_stopped_process_is_killed_at_the_second_look() -> None:
    """One look may meet a process that is stopped for a moment only."""
    for pid, role in ((8, "renderers"), (6, "utility"), (2, "driver")):
        family = Family()
        family.change(pid, role, state="T")
        family.watch.look()
        assert family.killed == []
        family.watch.look()
        assert family.killed == [pid]


def test_a_stopped_browser_ends_with_its_whole_group() -> None:
    """And with nothing else: python and driver have another group."""
    family = Family()
    family.change(3, "browser", state="T")
    family.watch.look()
    family.watch.look()
    assert family.killed == [3, 4, 5, 6, 7, 8]


def test_another_process_with_the_same_id_is_not_the_one_that_was_stopped() -> None:
    """Process ids are used again."""
    family = Family()
    family.change(8, "renderers", state="T")
    family.watch.look()
    family.change(8, "renderers", state="T", ticks=99)
    family.watch.look()
    assert family.killed == []


def test_the_worker_itself_is_never_killed() -> None:
    """However large it is; that is the ladder's business."""
    family = Family()
    family.change(1, "python", mb=5000, state="T")
    family.watch.look()
    family.watch.look()
    family.watch.end_all("stuck")
    assert 1 not in family.killed


def test_ending_all_ends_browser_and_driver() -> None:
    """What is left to do when the engine does not do it any more."""
    family = Family()
    family.watch.end_all("stuck")
    assert family.killed == [2, 3, 4, 5, 6, 7, 8]


def test_a_process_that_has_gone_meanwhile_is_nobodys_trouble() -> None:
    """It is not logged as killed."""

    def gone(_pid: int, _signal: int) -> None:
        raise ProcessLookupError

    family = Family()
    family.change(7, "renderers", mb=501)
    with capture_logs() as lines:
        ProcessWatch(lambda: family.members, 500, 700, gone).look()
    assert lines == []
