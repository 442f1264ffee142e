"""Killing what is left of a browser's process group, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagemill.browser.process_group import kill_browser_group


@contextmanager
def asleep(command: list[str], group: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing until the block is left, in that process group or in one of its own."""
    process = subprocess.Popen(command, process_group=group)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def chromium(tmp_path: Path) -> Path:
    """A program with a browser's name that does nothing."""
    program = tmp_path / "chromium"
    program.symlink_to("/bin/sleep")
    return program


def test_every_browser_process_of_the_group_is_killed(chromium: Path) -> None:
    """The leader and whoever it started, and neither another group's nor a stranger in the same group."""
    with (
        asleep([str(chromium), "60"]) as leader,
        asleep([str(chromium), "60"], group=leader.pid) as child,
        asleep([sys.executable, "-S", "-c", "import time; time.sleep(60)"], group=leader.pid) as stranger,
        asleep([str(chromium), "60"]) as another,
    ):
        kill_browser_group(leader.pid)
        assert leader.wait(10) < 0
        assert child.wait(10) < 0
        assert stranger.poll() is None
        assert another.poll() is None


def test_a_group_that_has_ended_is_no_error(chromium: Path) -> None:
    """The usual case: it closed by itself."""
    with asleep([str(chromium), "0"]) as ended:
        ended.wait(10)
    kill_browser_group(ended.pid)


def test_a_process_with_a_strange_name_is_in_nobodys_way(chromium: Path, tmp_path: Path) -> None:
    """The kernel cuts names at 15 bytes, in the middle of a letter if it comes to that."""
    named = tmp_path / "x가나다라마바사"
    named.symlink_to("/bin/sleep")
    with asleep([str(named), "60"]) as strange, asleep([str(chromium), "60"]) as leader:
        assert b"\xeb" in Path(f"/proc/{strange.pid}/stat").read_bytes()
        kill_browser_group(leader.pid)
        assert leader.wait(10) < 0
        assert strange.poll() is None
