"""Evidence of real pages, also of those that do not answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.async_api import Page
from structlog.testing import capture_logs

from pagemill.extraction.artifacts import ArtifactStore
from tests.browser.extraction.local_shop import LocalShop, html

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_keeps_what_a_page_shows(fresh_page: Page, local_shop: LocalShop, tmp_path: Path) -> None:
    """A JPEG of 1280x800 and the HTML as it is now; the page's own viewport comes back."""
    local_shop.replies["/"] = html("<body><script>document.body.append('상품')</script>")
    await fresh_page.goto(local_shop.url("/"))
    page_html, shot = await ArtifactStore(tmp_path, 10, 10_000_000).capture(fresh_page, ("run", "1"))
    assert "상품</body>" in page_html.read_text(encoding="utf-8")
    assert shot.read_bytes()[:3] == b"\xff\xd8\xff"
    assert fresh_page.viewport_size == {"width": 320, "height": 240}
    assert await fresh_page.evaluate("innerWidth") == 320


async def test_huge_html_is_cut(fresh_page: Page, tmp_path: Path) -> None:
    """Before it is sent."""
    await fresh_page.evaluate("void (document.body.innerHTML = '<i hidden></i>'.repeat(1e6))")
    kept = await ArtifactStore(tmp_path, 10, 10_000_000).capture(fresh_page, ("run", "1"))
    assert kept[0].stat().st_size == 2_000_000


async def test_a_page_that_does_not_answer_costs_seconds(
    fresh_page: Page, local_shop: LocalShop, tmp_path: Path
) -> None:
    """And one line."""
    local_shop.replies["/"] = html("<body><script>setTimeout(() => { for (;;); }, 50)</script>")
    await fresh_page.goto(local_shop.url("/"))
    await fresh_page.wait_for_timeout(200)
    started = time.monotonic()
    with capture_logs() as lines:
        assert await ArtifactStore(tmp_path, 10, 10_000_000).capture(fresh_page, ("run", "1")) == []
    assert time.monotonic() - started < 4
    assert len(lines) == 1


async def test_a_closed_page_costs_nothing(fresh_page: Page, tmp_path: Path) -> None:
    """There is nothing to keep of it."""
    await fresh_page.context.close()
    with capture_logs() as lines:
        assert await ArtifactStore(tmp_path, 10, 10_000_000).capture(fresh_page, ("run", "1")) == []
    assert len(lines) == 1
