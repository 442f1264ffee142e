"""A page whose process ends on its way to the next document is lost: it was not the shop that broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from pagemill.browser.process_group import command_line, kill
from pagemill.errors import PageLost
from pagemill.extraction.navigate import navigate
from pagemill.extraction.own_strategy import OwnStrategy
from pagemill.extraction.visit import Visit
from pagemill.model import PageReading, Product
from tests.browser.extraction.local_shop import LocalShop, html, platform
from tests.browser.extraction.shop_reader import ShopReader
from tests.browser.pool.real_pool import group_members, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


class Goes:
    """A user's strategy that goes to the page by itself."""

    async def read(self, page: Page, visit: Visit) -> PageReading:
        await page.goto(visit.url, wait_until="commit", timeout=10_000)
        raise AssertionError("it has come")


async def by_itself(page: Page, url: str) -> object:
    """As a user's strategy goes there."""
    return await OwnStrategy(Goes(), ()).read(page, Visit(url, Product("1", url), 10))


async def by_navigate(page: Page, url: str) -> object:
    """As all others do."""
    return await navigate(page, url, 10)


@pytest.mark.parametrize("go", [by_navigate, by_itself])
@pytest.mark.parametrize("start", ["/", None], ids=["from a page", "from nowhere"])
async def test_a_page_that_ends_on_its_way_is_lost(
    start: str | None, go: Callable[[Page, str], Awaitable[object]], shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Chromium says that the way was aborted, and then that the page has crashed."""
    local_shop.replies |= {"/": html("<body>"), "/slow": html("", delay_s=60)}
    async with shop_reader.opened(platform({"name": "h1"})) as handle:
        if start is not None:
            await navigate(handle.page, local_shop.url(start), 5)
        going = asyncio.ensure_future(go(handle.page, local_shop.url("/slow")))
        assert await until(lambda: "/slow" in local_shop.asked)
        for process in group_members(shop_reader.browser.group):
            if "--type=renderer" in command_line(process):
                kill(process)
        with pytest.raises(PageLost):
            await going
