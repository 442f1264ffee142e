"""A Chromium, a server and pools, all of them on the event loop of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.pool.real_pool import RealPool, real_pool
from tests.browser.pool.watched_server import WatchedServer, html


@pytest.fixture(scope="module", params=["cdp", "playwright"])
def opener_kind(request: pytest.FixtureRequest) -> str:
    """Who opens pages: both must hold the same things."""
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(
    executable: Path, opener_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealPool]:
    """One pool of one page for a module whose tests do no harm to the browser."""
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("shared")
        patch.setenv("TMPDIR", str(temporary))
        async with real_pool(executable, temporary, kind=opener_kind) as real:
            yield real


@pytest_asyncio.fixture(loop_scope="module")
async def shop(shared: RealPool) -> AsyncIterator[WatchedServer]:
    """The server for tests of the shared pool, which live on its module's loop."""
    async with WatchedServer.open() as server:
        server.replies["/usable"] = html("<h1>usable</h1>")
        yield server
