"""Every fault of the practice shop, in a real browser."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Error, Page

from pagemill.demo.catalogue import PLATFORM_PATHS, CatalogueRow, generate
from pagemill.demo.faults import FAULTS
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Verdict
from tests.browser.demo.chromium_visits import Chromium, Visit, judge, read

pytestmark = pytest.mark.browser

PATIENCE_S = 1.5
"""Long enough for a page that will come, on a busy machine too; a slow one has its own."""
QUICK = {"slow": "&seconds=1", "huge": "&mb=3", "eats-memory": "&mb=48"}
"""Smaller amounts than the defaults, so that the tests stay quick."""


CASES = [
    (fault.kind, platform)
    for fault in FAULTS.values()
    for platform in (("demo-jsonld",) if fault.right_verdict is Verdict.FAILED else PLATFORM_PATHS)
]
"""Where a verdict is right in spite of the fault, every platform must show it; a failure is the same everywhere."""


def row_with(fault: str, shop: StorefrontProcess, platform: str = "demo-hydrated") -> CatalogueRow:
    return next(generate(platform, shop.base_url, 1, faults=[fault], fault_every=1))


def url_with(fault: str, shop: StorefrontProcess, platform: str = "demo-hydrated") -> str:
    return row_with(fault, shop, platform).product.url + QUICK.get(fault, "")


async def visit_twice(page: Page, url: str, right: Verdict) -> Visit:
    """A retry in a fresh page, as a lane would make it."""
    patience_s = PATIENCE_S if right is Verdict.FAILED else 15.0
    visit = await read(page, url, patience_s)
    if visit.arrived or right is Verdict.FAILED:
        return visit
    return await read(await page.context.new_page(), url, patience_s)


@pytest.mark.parametrize(("fault", "platform"), CASES)
def test_fault_leads_to_its_right_verdict(
    chromium: Chromium, shop: StorefrontProcess, fault: str, platform: str
) -> None:
    """On every platform, a reader that waits for the ready sign and retries comes to the documented verdict."""
    row = row_with(fault, shop, platform)
    url = url_with(fault, shop, platform)
    visit = chromium.visit(lambda page: visit_twice(page, url, row.right_verdict))
    assert judge(visit, row.product) is row.right_verdict, visit
    assert shop.hits().faults[fault] >= 1


@pytest.mark.parametrize("fault", ["crash", "crash-late"])
def test_crash_takes_the_renderer_away(chromium: Chromium, shop: StorefrontProcess, fault: str) -> None:
    """The page really crashes, and soon."""

    async def look(page: Page) -> None:
        crashed = asyncio.Event()
        page.on("crash", lambda _: crashed.set())
        await page.goto(url_with(fault, shop), wait_until="commit")
        await asyncio.wait_for(crashed.wait(), 10)

    chromium.visit(look)


@pytest.mark.parametrize("fault", ["endless-script", "endless-script-late"])
def test_endless_script_leaves_a_page_that_does_not_answer(
    chromium: Chromium, shop: StorefrontProcess, fault: str
) -> None:
    """The page's main thread never comes back."""

    async def look(page: Page) -> None:
        await page.goto(url_with(fault, shop), wait_until="commit")
        if fault == "endless-script-late":
            await page.wait_for_selector("body[data-ready]", state="attached")
        with pytest.raises(TimeoutError):
            # It still answers between its beginning and the script.
            for _ in range(100):
                await asyncio.wait_for(page.evaluate("1"), 1)
                await asyncio.sleep(0.02)

    chromium.visit(look)


def test_dialogs_open(chromium: Chromium, shop: StorefrontProcess) -> None:
    """Three dialogs, one after another."""
    kinds: list[str] = []

    async def look(page: Page) -> None:
        async def dismiss(dialog: Any) -> None:
            kinds.append(dialog.type)
            await dialog.dismiss()

        page.on("dialog", dismiss)
        await read(page, url_with("dialog", shop))

    chromium.visit(look)
    assert kinds == ["alert", "confirm", "prompt"]


def test_popups_open(chromium: Chromium, shop: StorefrontProcess) -> None:
    """Three more windows in the same context."""

    async def look(page: Page) -> int:
        await read(page, url_with("popup", shop))
        return len(page.context.pages)

    assert chromium.visit(look) == 4


def test_download_is_refused_by_a_browser_without_downloads(chromium: Chromium, shop: StorefrontProcess) -> None:
    """The document is an attachment: there is no page to read."""

    async def look(page: Page) -> str:
        with pytest.raises(Error) as caught:
            await page.goto(url_with("download", shop), wait_until="commit")
        return str(caught.value)

    assert "Download is starting" in chromium.visit(look)


@pytest.mark.parametrize("fault", ["redirect-elsewhere", "script-elsewhere", "iframe-elsewhere"])
def test_elsewhere_is_another_host_and_counts(chromium: Chromium, shop: StorefrontProcess, fault: str) -> None:
    """A browser that does not refuse really arrives at the other host, and the shop knows."""

    async def look(page: Page) -> None:
        async with page.expect_response(lambda response: response.url.endswith("/elsewhere")) as caught:
            await page.goto(url_with(fault, shop), wait_until="commit")
        assert (await caught.value).url.startswith("http://localhost:")

    chromium.visit(look)
    assert shop.hits().paths["/elsewhere"] >= 1


def test_eats_memory_grows_the_heap(chromium: Chromium, shop: StorefrontProcess) -> None:
    """The JS heap holds at least what was asked for."""

    async def look(page: Page) -> float:
        await read(page, url_with("eats-memory", shop))
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return next(float(metric["value"]) for metric in metrics if metric["name"] == "JSHeapUsedSize")

    assert chromium.visit(look) > 48 * 1024 * 1024


@pytest.mark.parametrize("platform", ["demo-hydrated", "demo-jsonld"])
def test_rename_takes_the_facts_away_later(chromium: Chromium, shop: StorefrontProcess, platform: str) -> None:
    """A reader that comes late finds nothing."""

    async def look(page: Page) -> None:
        await page.goto(url_with("rename", shop, platform), wait_until="commit")
        await page.wait_for_selector("body[data-ready]", state="attached")
        await page.wait_for_function("() => !document.querySelector('h1.name, script[type*=ld]')", timeout=5000)

    chromium.visit(look)


def test_history_loop_keeps_coming_back(chromium: Chromium, shop: StorefrontProcess) -> None:
    """One visit becomes many."""
    row = row_with("history-loop", shop)

    async def look(page: Page) -> None:
        await read(page, row.product.url, PATIENCE_S)

    chromium.visit(look)
    assert shop.hits(row.product.id).visits > 2


def test_print_is_asked_for(chromium: Chromium, shop: StorefrontProcess) -> None:
    """The page calls `window.print` and goes on."""

    async def look(page: Page) -> bool:
        await page.add_init_script("window.print = () => { window.printed = true; };")
        await read(page, url_with("print", shop))
        return bool(await page.evaluate("window.printed"))

    assert chromium.visit(look)
