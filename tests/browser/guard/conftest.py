"""A Chromium that nobody drives: started by a parent that can be killed, and ended by its process group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from tests.browser.pool.real_pool import group_members, until

_STARTED_S = 20.0


@dataclass(frozen=True)
class Undriven:
    """A Chromium in a process group of its own, which its parent does not end."""

    parent: subprocess.Popen[str]
    group: int

    def orphan(self) -> None:
        """Kills the parent; the browser goes on."""
        self.parent.kill()
        self.parent.wait(10)

    def kill(self) -> None:
        """Ends the browser, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)


@pytest_asyncio.fixture
async def undriven(executable: Path, temporary: Path) -> AsyncIterator[Undriven]:
    """One that shows an empty page."""
    command = [
        *(str(executable), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"),
        *(f"--user-data-dir={temporary}/profile", "about:blank"),
    ]
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({command!r}, stderr=subprocess.DEVNULL, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        chromium = Undriven(parent, int(parent.stdout.readline()))
    try:
        assert await until(lambda: _has_renderer(chromium.group), _STARTED_S)
        await asyncio.sleep(0.5)  # its other processes
        yield chromium
    finally:
        chromium.kill()
        chromium.orphan()
    assert await until(lambda: not group_members(chromium.group))


def _has_renderer(group: int) -> bool:
    for pid in group_members(group):
        with contextlib.suppress(OSError):
            if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
    return False
