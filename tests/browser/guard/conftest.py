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

import pytest
import pytest_asyncio

from pagemill.browser.machine import find_chromium
from pagemill.errors import BrowserUnavailable
from tests.browser.pool.real_pool import group_members, until
from tests.browser.pool.watched_server import WatchedServer, html

_STARTED_S = 20.0


@pytest.fixture(scope="session")
def executable() -> Path:
    """The Chromium of this machine."""
    configured = os.environ.get("PAGEMILL_CHROMIUM")
    try:
        return find_chromium(Path(configured) if configured else None)
    except BrowserUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error}, and CI must not skip")
        pytest.skip(str(error))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where browsers started from now on keep profiles."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WatchedServer]:
    """A server with one good page."""
    async with WatchedServer.open() as server:
        server.replies["/usable"] = html("<h1>usable</h1>")
        yield server


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
