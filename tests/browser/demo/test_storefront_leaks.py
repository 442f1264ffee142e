"""The pages that leak on purpose: a reused page grows, and only what docs/storefront.md says gives it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import CDPSession, Page

from pagemill.demo.storefront import StorefrontProcess
from tests.browser.demo.chromium_visits import Chromium

pytestmark = pytest.mark.browser

WARM_UP_VISITS = 3
VISITS = 15
LEAK_KB = 1024


async def own_mb(browser_session: CDPSession) -> float:
    """What all processes of this browser have written to; files that other browsers map too are left out."""
    processes = (await browser_session.send("SystemInfo.getProcessInfo"))["processInfo"]
    return sum(_process_own_kb(process["id"]) for process in processes) / 1024


def _process_own_kb(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))


async def visit_often(page: Page, base_url: str, query: str, first: int, count: int) -> None:
    for number in range(first, first + count):
        await page.goto(f"{base_url}/hydrated/p/l-{number}.ok?weight=light{query}", wait_until="commit")
        await page.wait_for_selector("body[data-ready]", state="attached")
    # Without this, garbage that waits for the collector hides the difference between a leak and none.
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    await session.detach()


@pytest.fixture
def base_url(shop: StorefrontProcess) -> str:
    return shop.base_url


def test_reused_page_grows_more_where_it_leaks(chromium: Chromium, base_url: str) -> None:
    """The same visits with and without the leak, in one page each: the difference is the leak (seen: twice its KB)."""

    async def growth_mb(page: Page, query: str) -> float:
        browser_session = await chromium.browser.new_browser_cdp_session()
        await visit_often(page, base_url, query, 0, WARM_UP_VISITS)
        before_mb = await own_mb(browser_session)
        await visit_often(page, base_url, query, WARM_UP_VISITS, VISITS)
        grown_mb = await own_mb(browser_session) - before_mb
        await browser_session.detach()
        return grown_mb

    clean_mb = chromium.visit(lambda page: growth_mb(page, ""))
    leaky_mb = chromium.visit(lambda page: growth_mb(page, f"&leak={LEAK_KB}"))
    assert leaky_mb > clean_mb + VISITS * LEAK_KB / 1024


def test_fresh_page_gives_back_the_names_and_a_fresh_context_the_storage(chromium: Chromium, base_url: str) -> None:
    """What closing the page does not free, closing the context does."""

    async def look(page: Page) -> tuple[float, float, float]:
        browser_session = await chromium.browser.new_browser_cdp_session()
        context = await chromium.browser.new_context()
        leaky = await context.new_page()
        await visit_often(leaky, base_url, f"&leak={LEAK_KB}", 0, VISITS)
        grown_mb = await own_mb(browser_session)
        assert await leaky.evaluate("window.name.length") == VISITS * LEAK_KB * 1024
        await leaky.close()
        fresh = await context.new_page()
        await visit_often(fresh, base_url, "", 0, 1)
        assert await fresh.evaluate("window.name.length") == 0
        assert await fresh.evaluate("caches.open('leak').then(c => c.keys()).then(k => k.length)") == VISITS
        without_page_mb = await own_mb(browser_session)
        await context.close()
        await visit_often(page, base_url, "", 0, 1)
        assert not await page.evaluate("caches.has('leak')")
        return grown_mb, without_page_mb, await own_mb(browser_session)

    grown_mb, without_page_mb, without_context_mb = chromium.visit(look)
    assert without_page_mb < grown_mb - VISITS * LEAK_KB / 1024
    assert without_context_mb < without_page_mb - VISITS * LEAK_KB / 2048


def test_leak_in_the_document_dies_with_it(chromium: Chromium, base_url: str) -> None:
    """Listeners and nodes are there while the page is shown, and gone after the next one and a collection."""

    async def listeners(page: Page) -> tuple[float, float]:
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")

        async def count() -> float:
            metrics = (await session.send("Performance.getMetrics"))["metrics"]
            return next(float(metric["value"]) for metric in metrics if metric["name"] == "JSEventListeners")

        await visit_often(page, base_url, f"&leak={LEAK_KB}", 0, 1)
        during = await count()
        await visit_often(page, base_url, "", 1, 1)
        return during, await count()

    during, after = chromium.visit(listeners)
    assert during >= LEAK_KB
    assert after < 100
