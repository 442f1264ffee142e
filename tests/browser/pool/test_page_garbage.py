"""A page that stays in use gives back what its documents left, on a real Chromium."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pagemill.browser import upkeep
from pagemill.browser.pool import BrowserPool
from tests.browser.pool.real_pool import local_platform, real_pool, settled, visit
from tests.browser.pool.watched_server import WatchedServer, html

pytestmark = pytest.mark.browser

_LITTER = "<script>let n = 40; while (n--) new Array(131072).fill(n + 0.5)</script><h1>done</h1>"
"""40 MB that nothing holds."""
_PAUSE_S = 0.15
"""Longer than the time between two visits of a lane that does not wait."""


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["cdp", "playwright"])
async def test_garbage_is_collected_between_visits(
    executable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """After every second one here; V8 by itself would leave it for later."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    platform, heaps_mb = local_platform(page=100, context=100), []
    async with WatchedServer.open() as server, real_pool(executable, tmp_path, kind=kind, page_gc_uses=2) as real:
        server.replies["/"] = html(_LITTER)
        for _ in range(4):
            await visit(real.pool, platform, server.shop())
            assert await settled(real.pool)
            heaps_mb += await real.pool.measure_pages()
            await asyncio.sleep(_PAUSE_S)
    assert max(heaps_mb[1::2]) < 10 < min(heaps_mb[::2])


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["cdp", "playwright"])
async def test_a_page_that_is_wanted_collects_when_its_next_document_has_come(
    executable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The document that is left is garbage by then, so it takes less time; and no visit waits for it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(upkeep, "_PAUSE_S", 60)
    platform = local_platform(page=100, context=100)
    async with WatchedServer.open() as server, real_pool(executable, tmp_path, kind=kind, page_gc_uses=2) as real:
        server.replies["/"] = html(_LITTER)
        for _ in range(2):
            await visit(real.pool, platform, server.shop())
        assert await settled(real.pool)
        assert await real.pool.measure_pages() > [10]
        server.replies["/"] = html("<h1>done</h1>")
        await visit(real.pool, platform, server.shop())
        await _falls_below(real.pool, 10)


async def _falls_below(pool: BrowserPool, most_mb: float) -> None:
    """Waits for the page's heap: Chromium collects in a task of its own."""
    async with asyncio.timeout(5):
        while max(await pool.measure_pages()) >= most_mb:
            await asyncio.sleep(0.02)
