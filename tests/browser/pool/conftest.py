"""A Chromium, a server and pools, all of them on the event loop of the test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pagemill.browser.machine import find_chromium
from pagemill.errors import BrowserUnavailable
from tests.browser.pool.real_pool import RealPool, real_pool
from tests.browser.pool.watched_server import WatchedServer, html


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
    """Where drivers and browsers started from now on keep profiles."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WatchedServer]:
    """A server with one good page."""
    async with WatchedServer.open() as server:
        server.replies["/usable"] = html("<h1>usable</h1>")
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealPool]:
    """One pool of one page for a module whose tests do no harm to the browser."""
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("shared")
        patch.setenv("TMPDIR", str(temporary))
        async with real_pool(executable, temporary) as real:
            yield real


@pytest_asyncio.fixture(loop_scope="module")
async def shop(shared: RealPool) -> AsyncIterator[WatchedServer]:
    """The server for tests of the shared pool, which live on its module's loop."""
    async with WatchedServer.open() as server:
        server.replies["/usable"] = html("<h1>usable</h1>")
        yield server
