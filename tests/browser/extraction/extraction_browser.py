"""Fixtures: a Chromium, a page and a tiny shop.

A plugin of the test modules here rather than a conftest, so that its name is its own. All of it lives on the event loop
of the test module.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from extraction_shop import LocalShop
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

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
    shop = LocalShop()
    server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
    shop.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield shop
    server.close()
