"""A page that stays in use gives back what its documents left, on a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.pool.real_pool import local_platform, real_pool, settled, visit
from tests.browser.pool.watched_server import WatchedServer, html

pytestmark = pytest.mark.browser

_LITTER = "<script>let n = 40; while (n--) new Array(131072).fill(n + 0.5)</script><h1>done</h1>"
"""40 MB that nothing holds."""


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["cdp", "playwright"])
async def test_garbage_is_collected_between_visits(
    executable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """After every second one here; V8 by itself would leave it for later."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    platform = local_platform(page=100, context=100)
    async with WatchedServer.open() as server, real_pool(executable, tmp_path, kind=kind, page_gc_uses=2) as real:
        server.replies["/"] = html(_LITTER)
        heaps_mb = []
        for _ in range(4):
            await visit(real.pool, platform, server.shop())
            assert await settled(real.pool)
            heaps_mb += await real.pool.measure_pages()
        assert max(heaps_mb[1::2]) < 10 < min(heaps_mb[::2])
