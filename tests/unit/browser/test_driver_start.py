"""A driver that does not come up: the caller is told in time, and its process does not stay behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pagemill.browser.flags import LaunchOptions
from pagemill.browser.playwright_launcher import PlaywrightLauncher, _child_pids
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable


@pytest.fixture
def stuck_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright starts this instead of its Node, and never hears from it."""
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(program))


def launcher(timeout_s: float) -> PlaywrightLauncher:
    """One that is never to launch anything."""
    settings = PoolSettings(launch_timeout_s=timeout_s)
    return PlaywrightLauncher(Path("/nowhere"), LaunchOptions((), (), False, False), settings)


@pytest.mark.usefixtures("stuck_driver")
async def test_a_driver_that_does_not_answer_is_killed() -> None:
    """Its deadline is the launch's."""
    before = _child_pids()
    with pytest.raises(BrowserUnavailable, match=r"timeout: start the driver took longer than 0\.1 s"):
        await launcher(0.1).start_driver(lambda: None)
    await gone(before)


@pytest.mark.usefixtures("stuck_driver")
async def test_a_driver_whose_start_is_cancelled_is_killed() -> None:
    """A worker that stops while it starts leaves nothing."""
    before = _child_pids()
    starting = asyncio.create_task(launcher(30).start_driver(lambda: None))
    while _child_pids() == before:
        await asyncio.sleep(0.005)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await gone(before)


async def gone(before: set[int]) -> None:
    """Waits until there are no more child processes than before."""
    async with asyncio.timeout(5):
        while _child_pids() - before:
            await asyncio.sleep(0.005)
    # Playwright's own tasks see the end of the pipe now.
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0.005)
