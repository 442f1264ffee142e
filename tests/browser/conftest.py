"""This machine's Chromium, and a watched server, for every test in real Chromium that asks for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pagemill.browser.machine import find_chromium
from pagemill.errors import BrowserUnavailable
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
