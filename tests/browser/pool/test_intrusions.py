"""Pop-ups, dialogs and downloads neither open, nor stall a lane, nor leave anything behind."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Error as PlaywrightError

from tests.browser.pool.real_pool import (
    WHEN_PARSED,
    RealPool,
    accounted_pages,
    click,
    goto_loaded,
    is_usable,
    local_platform,
    open_pages,
    settled,
    until,
)
from tests.browser.pool.watched_server import Reply, WatchedServer, html, script

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_POPUPS = {
    "window.open": "<script>for (let i = 0; i < 3; i++) window.open('/popup')</script>",
    "blank": "<script>window.open('about:blank')</script>",
    "link": "<a href=/popup target=_blank>x</a><script>document.links[0].click()</script>",
    "opener link": "<a href=/popup target=_blank rel=opener>x</a><script>document.links[0].click()</script>",
    "form": "<form action=/popup target=_blank></form><script>document.forms[0].submit()</script>",
}


@pytest.mark.parametrize("way", _POPUPS)
async def test_pop_ups_do_not_open(shared: RealPool, shop: WatchedServer, way: str) -> None:
    """Chromium knows of no other page, and nothing was loaded for one."""
    shop.replies |= {"/": html(_POPUPS[way]), "/popup": html("popup")}
    platform = local_platform(page=10, context=10, name="popups")
    async with shared.pool.lease(platform) as lease:
        await goto_loaded(lease, shop.shop())
        await asyncio.sleep(0.3)
        assert await until(lambda: not shared.pool.stats().closing)
        assert await open_pages(shared.browser) == 1
        assert await is_usable(lease, shop)
    assert "/popup" not in shop.paths()


@pytest.mark.parametrize("call", ["alert('x')", "confirm('x')", "prompt('x')", "print()"])
async def test_dialogs_do_not_stall(shared: RealPool, shop: WatchedServer, call: str) -> None:
    """The script goes on at once, and the page is read."""
    shop.replies["/"] = html(f"<script>{call}; {call}; document.body.append('went on')</script>")
    async with shared.pool.lease(local_platform()) as lease, asyncio.timeout(5):
        await lease.page.goto(shop.shop(), wait_until="commit", timeout=4000)
        assert "went on" in await lease.page.evaluate(WHEN_PARSED)
        assert await is_usable(lease, shop)


async def test_beforeunload_holds_nobody(shared: RealPool, shop: WatchedServer) -> None:
    """A page that asks to stay is left, and closed, all the same."""
    code = "addEventListener('beforeunload', (event) => { event.preventDefault(); event.returnValue = 'stay'; })"
    shop.replies["/"] = script(code)
    async with shared.pool.lease(local_platform()) as lease:
        for _ in range(2):
            await goto_loaded(lease, shop.shop())
            # Chromium asks only on a page that was touched.
            await click(lease)
            assert await is_usable(lease, shop)
        await goto_loaded(lease, shop.shop())
        await click(lease)
        assert await open_pages(shared.browser) == 1
    assert await settled(shared.pool)
    assert len(shared.launcher.browsers) == 1
    assert await open_pages(shared.browser) == accounted_pages(shared.pool)


_ATTACHMENT = Reply(
    b"x" * 4096, "application/octet-stream", headers=(("content-disposition", "attachment"),), endless=True
)


@pytest.mark.parametrize("way", ["goto", "script", "frame", "link"])
async def test_downloads_are_refused(shared: RealPool, shop: WatchedServer, way: str) -> None:
    """The browser hangs up on an endless one, nothing is left on the disk, and the page goes on."""
    shop.replies |= {
        "/": _ATTACHMENT,
        "/script": script("location = '/'"),
        "/frame": html("<iframe src=/></iframe>"),
        "/link": html("<a href=/ download=x>x</a><script>document.links[0].click()</script>"),
    }
    async with shared.pool.lease(local_platform()) as lease:
        if way == "goto":
            with pytest.raises(PlaywrightError, match="Download is starting"):
                await lease.page.goto(shop.shop(), wait_until="commit", timeout=5000)
        else:
            await lease.page.goto(shop.shop(f"/{way}"), wait_until="commit", timeout=5000)
        await asyncio.sleep(0.3)
        assert "/" in shop.paths() or way == "link"
        assert await until(lambda: shop.hung_up == shop.paths().count("/")), "the download goes on"
        assert await is_usable(lease, shop)
    # Playwright keeps downloads in folders called playwright-artifacts.
    kept = [path for folder in shared.temporary.glob("*artifacts*") for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) == 0
