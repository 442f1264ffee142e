"""Pages that lead elsewhere after they have said something: the product is judged where the visit ends."""

from __future__ import annotations

import pytest

from tests.browser.extraction.local_shop import LocalShop, html
from tests.browser.extraction.shop_reader import ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGE = "<!doctype html><meta charset=utf-8><h1>Blue cup</h1><p class=price>12,900</p><footer>Shop</footer>"
EXPECTED = {"name": "Blue cup", "price": 12900}
SHOP = "extract: {fields: {name: h1, price: {selector: .price, type: number}}}"
WITH_READY = "extract: {ready: h1, fields: {name: h1, price: {selector: .price, type: number}}}"


@pytest.mark.parametrize("shop", [SHOP, WITH_READY], ids=["no ready", "ready"])
@pytest.mark.parametrize("move", ["history.replaceState(0, '', '{}')", "history.pushState(0, '', '{}')"])
async def test_an_address_that_the_end_of_the_page_sets_counts(
    move: str, shop: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Everything was said before; the script behind it comes a moment later."""
    for to, verdict in (("/home", "failed"), ("/p/101?color=2", "ok")):
        local_shop.replies["/p/101"] = html(PAGE, f"<script>{move.format(to)}</script>", pause_s=0.2)
        read = await quick_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
        assert (read.verdict, read.reading.url) == (verdict, local_shop.url(to)), read.judgement


@pytest.mark.parametrize("shop", [SHOP, WITH_READY], ids=["no ready", "ready"])
@pytest.mark.parametrize("content", ["1;url={}", "0.5; URL='{}'", "1,{}"])
async def test_a_whole_page_that_refreshes_elsewhere_is_failed(
    content: str, shop: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """A visitor sees the product for a second."""
    local_shop.replies["/home"] = html(PAGE)
    local_shop.replies["/p/101"] = html(f'<meta http-equiv=Refresh content="{content.format("/home")}">{PAGE}')
    read = await shop_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("failed", local_shop.url("/home")), read.judgement


async def test_a_refresh_may_stand_in_a_header(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """As shops do that answer before they know what they have."""
    headers = (("content-type", "text/html; charset=utf-8"), ("refresh", "1;url=/home"))
    local_shop.replies["/home"] = html(PAGE)
    local_shop.replies["/p/101"] = html(PAGE, headers=headers)
    read = await shop_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("failed", local_shop.url("/home")), read.judgement


async def test_what_a_refresh_leads_to_is_read(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """After seconds, and though the page before it had settled."""
    local_shop.replies["/p/101/en"] = html(PAGE)
    local_shop.replies["/p/101"] = html("<meta http-equiv=refresh content='2;url=/p/101/en'><p>One moment</p>")
    read = await shop_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("ok", local_shop.url("/p/101/en")), read.judgement


@pytest.mark.parametrize(
    "markup",
    [
        "<meta http-equiv=refresh content=3>",
        "<meta http-equiv=refresh content='3;url=/p/101'>",
        "<meta http-equiv=refresh content='600;url=/home'>",
        "<noscript><meta http-equiv=refresh content='0;url=/home'></noscript>",
        "<meta http-equiv=refresh content='soon'>",
    ],
)
async def test_a_refresh_that_leads_nowhere_else_is_not_waited_for(
    markup: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Shops keep a page up to date so; nobody sees where a page leads after minutes."""
    local_shop.replies["/p/101"] = html(markup + PAGE)
    read = await quick_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED, timeout_s=2)
    assert (read.verdict, read.reading.url) == ("ok", local_shop.url("/p/101")), read.judgement
    assert local_shop.asked.count("/p/101") == 1


async def test_what_never_loads_does_not_take_all_the_time(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """A frame of somebody's that never answers: what the page lacks is said so, not what it would still say."""
    local_shop.replies["/p/101"] = html(f"{PAGE}<iframe src=/never></iframe>")
    local_shop.replies["/never"] = html("late", delay_s=60)
    shop = "extract: {fields: {name: h1, price: {selector: .price, type: number}, brand: .brand}}"
    read = await quick_reader.read(shop, local_shop.url("/p/101"), EXPECTED | {"brand": "Mill"}, timeout_s=6)
    assert (read.verdict, read.judgement.reason) == ("failed", "the page does not say brand")


@pytest.mark.parametrize("content", ["", "<p>One moment</p>"], ids=["empty", "a word"])
async def test_a_page_that_says_nothing_may_still_lead_to_the_product(
    content: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """By a script that takes its time, long after the page has come to rest."""
    local_shop.replies["/p/101/en"] = html(PAGE)
    move = "<script>setTimeout(() => { location = '/p/101/en' }, 2000)</script>"
    local_shop.replies["/p/101"] = html(content + move)
    read = await shop_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("ok", local_shop.url("/p/101/en")), read.judgement
