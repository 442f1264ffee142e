"""A Chromium, a page and a tiny shop, all of them on the event loop of the test module."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.cdp.launcher import CdpLauncher
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine
from pagemill.browser.opener import BrowserHandle
from pagemill.browser.playwright_launcher import PlaywrightLauncher
from pagemill.config.platform import Platform
from pagemill.config.settings import BrowserSettings, PoolSettings
from tests.browser.extraction.local_shop import LocalShop
from tests.browser.extraction.shop_reader import ShopReader

_NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
_CLOSE_S = 5.0


@pytest.fixture(scope="module")
def chromium_program() -> Path:
    """The Chromium that the tests run with."""
    found = os.environ.get("PAGEMILL_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium was found, and CI must not skip")
        pytest.skip("no Chromium was found: set PAGEMILL_CHROMIUM")
    return Path(found)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def extraction_chromium(chromium_program: Path) -> AsyncIterator[Browser]:
    """One browser for a test module."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_program, args=["--no-sandbox"])
        yield browser
        await asyncio.wait_for(browser.close(), _CLOSE_S)


@pytest_asyncio.fixture(loop_scope="module")
async def fresh_page(extraction_chromium: Browser) -> AsyncIterator[Page]:
    """A page in a context of its own."""
    context = await extraction_chromium.new_context(viewport={"width": 320, "height": 240}, accept_downloads=False)
    yield await context.new_page()
    # A stuck renderer may not let go in time; closing the browser ends it.
    with contextlib.suppress(PlaywrightError, TimeoutError):
        await asyncio.wait_for(context.close(), _CLOSE_S)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def driverless(chromium_program: Path) -> AsyncIterator[tuple[CdpLauncher, BrowserHandle]]:
    """One browser for a test module, over Chromium's own protocol."""
    options = launch_options(BrowserSettings(), examine_machine(), 1, frozenset())
    launcher = CdpLauncher(chromium_program, options, PoolSettings())
    browser = await launcher.launch(await launcher.start_driver(lambda: None), lambda: None)
    yield launcher, browser
    await launcher.close_browser(browser)


@pytest_asyncio.fixture(loop_scope="module")
async def driverless_page(driverless: tuple[CdpLauncher, BrowserHandle]) -> AsyncIterator[Page]:
    """A page that has only what `cdp.page` offers."""
    launcher, browser = driverless
    extract = {"fields": {"name": "h1"}}
    platform = Platform.model_validate({"platform": "test", "hosts": ["127.0.0.1"], "extract": extract})
    context = await launcher.open_context(browser, platform)
    yield (await launcher.open_page(context, platform)).page
    await launcher.close_context(context)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def with_driver(chromium_program: Path) -> AsyncIterator[tuple[PlaywrightLauncher, BrowserHandle]]:
    """One browser for a test module, over Playwright's driver."""
    options = launch_options(BrowserSettings(), examine_machine(), 1, frozenset())
    launcher = PlaywrightLauncher(chromium_program, options, PoolSettings())
    driver = await launcher.start_driver(lambda: None)
    browser = await launcher.launch(driver, lambda: None)
    yield launcher, browser
    await launcher.close_browser(browser)
    await launcher.stop_driver(driver)


@pytest.fixture(params=["protocol", "playwright"])
def shop_reader(request: pytest.FixtureRequest) -> ShopReader:
    """Reads products with pages of either kind."""
    return ShopReader(*request.getfixturevalue("driverless" if request.param == "protocol" else "with_driver"))


@pytest.fixture
def quick_reader(driverless: tuple[CdpLauncher, BrowserHandle]) -> ShopReader:
    """Reads products with pages that have no driver, for what does not depend on that."""
    return ShopReader(*driverless)


@pytest.fixture(params=["playwright", "protocol"])
def either_page(request: pytest.FixtureRequest) -> Page:
    """A page of Playwright's, and one without its driver."""
    page: Page = request.getfixturevalue("fresh_page" if request.param == "playwright" else "driverless_page")
    return page


@pytest_asyncio.fixture(loop_scope="module")
async def local_shop() -> AsyncIterator[LocalShop]:
    """An empty shop."""
    async with LocalShop.open() as shop:
        yield shop
