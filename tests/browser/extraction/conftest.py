"""A Chromium, a page and a tiny shop, all of them on the event loop of the test module."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests.browser.extraction.local_shop import LocalShop

_NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
_CLOSE_S = 5.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def extraction_chromium() -> AsyncIterator[Browser]:
    """One browser for a test module."""
    found = os.environ.get("PAGEMILL_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium was found, and CI must not skip")
        pytest.skip("no Chromium was found: set PAGEMILL_CHROMIUM")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
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


@pytest_asyncio.fixture(loop_scope="module")
async def local_shop() -> AsyncIterator[LocalShop]:
    """An empty shop."""
    async with LocalShop.open() as shop:
        yield shop
