"""The end of a process is told once, and a watch that is no longer wanted keeps nothing open."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagemill.browser.exit_watch import ExitWatch


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


async def test_a_killed_process_is_told_once(sleeper: subprocess.Popen[bytes]) -> None:
    """Also before its parent has asked for its end."""
    told: list[int] = []
    ExitWatch(sleeper.pid, lambda: told.append(1))
    await asyncio.sleep(0.01)
    assert not told
    os.kill(sleeper.pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)
    assert told == [1]


async def test_a_process_that_has_gone_already_is_told_too(sleeper: subprocess.Popen[bytes]) -> None:
    """Not from within the constructor: its caller is not ready for it."""
    sleeper.kill()
    sleeper.wait()
    told: list[int] = []
    ExitWatch(sleeper.pid, lambda: told.append(1))
    assert told == []
    await asyncio.sleep(0.01)
    assert told == [1]


async def test_a_cancelled_watch_says_nothing_and_keeps_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    """Hundreds of drivers may come and go in a worker's life."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(100):
        watch = ExitWatch(sleeper.pid, lambda: pytest.fail("it was cancelled"))
        watch.cancel()
        watch.cancel()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    sleeper.kill()
    sleeper.wait()
    await asyncio.sleep(0.01)
