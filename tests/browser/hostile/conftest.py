"""Lanes on either kind of pages, and a shop, all on the event loop of the test module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.extraction.local_shop import LocalShop
from tests.browser.hostile.lanes import Lanes


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["protocol", "playwright"])
async def lanes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lanes]:
    """Lanes for a test module, with Playwright's driver and without it."""
    async with Lanes.open(request.param, tmp_path_factory.mktemp(request.param)) as lanes:
        yield lanes


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def quick_lanes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lanes]:
    """Lanes whose pages have no driver, for what does not depend on that."""
    async with Lanes.open("protocol", tmp_path_factory.mktemp("quick")) as lanes:
        yield lanes


@pytest_asyncio.fixture(loop_scope="module")
async def local_shop() -> AsyncIterator[LocalShop]:
    """An empty shop."""
    async with LocalShop.open() as shop:
        yield shop
