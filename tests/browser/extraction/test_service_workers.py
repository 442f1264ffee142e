"""A shop may have service workers, and a page may wait for them; none of them ever answers for the shop."""

from __future__ import annotations

import asyncio

import pytest

from pagemill.extraction.strategy import load_strategy
from pagemill.model import Product
from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html
from tests.browser.extraction.shop_reader import ShopReader, platform_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS = {"price": {"selector": ".price", "type": "number"}}
SCRIPT = (("content-type", "text/javascript"),)
ANSWERS_ALL = """
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    const path = new URL(event.request.url).pathname;
    const type = { "content-type": path.startsWith("/api") ? "application/json" : "text/html" };
    const said = path.startsWith("/api") ? '{"price": 1}' : "<b class=price>1</b>";
    if (/^.(p|api|scoped)/.test(path)) event.respondWith(new Response(said, { headers: type }));
  });
"""
REGISTERS = "ServiceWorkerContainer.prototype.register.call(navigator.serviceWorker, '/sw.js')"
FETCHES = "fetch('/api').then(a => a.json()).then(a => document.querySelector('.price').textContent = a.price)"


def _stock(shop: LocalShop, price: int) -> None:
    shop.replies["/sw.js"] = Reply((ANSWERS_ALL.encode(),), headers=SCRIPT)
    shop.replies["/api"] = answer({"price": price})
    shop.replies["/p"] = html(f"<b class=price>{price}</b><script>{REGISTERS}</script>")
    # As a page does that has its data from a worker's cache, where there is one in control.
    shop.replies["/waits"] = html(
        "<b class=price></b><script>let controlled = new Promise((done) =>"
        " navigator.serviceWorker.addEventListener('controllerchange', done));"
        f"{REGISTERS}.then(() => navigator.serviceWorker.ready)"
        ".then(() => navigator.serviceWorker.controller || Promise.race([controlled,"
        f" new Promise((done) => setTimeout(done, 500))])).then(() => {FETCHES})</script>"
    )


async def test_a_page_that_waits_for_its_service_worker_is_read(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Its data come from the shop, also when the worker is there and in control; visit by visit."""
    platform = platform_of({"extract": {"strategy": "dom", "fields": FIELDS, "ready": ".price:not(:empty)"}})
    reader = load_strategy(platform)
    read = []
    async with shop_reader.opened(platform) as handle:
        for price in (100, 200, 300):
            _stock(local_shop, price)
            product = Product("1", local_shop.url("/waits"), {"price": price})
            one = await shop_reader.read_with(reader, handle, platform, product)
            read.append((one.verdict, one.facts.get("price")))
    assert read == [("ok", 100), ("ok", 200), ("ok", 300)]
    assert "/sw.js" in local_shop.asked
    assert local_shop.asked.count("/api") == 3


@pytest.mark.parametrize("scope", ["/", "/scoped/"])
async def test_the_next_products_are_read_from_the_shop(
    scope: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """In the page that registered a worker, in one opened beside it before, and in one opened after."""
    platform = platform_of({"extract": {"strategy": "dom", "fields": FIELDS}})
    reader = load_strategy(platform)
    registers = REGISTERS.replace("'/sw.js'", f"'/sw.js', {{scope: '{scope}'}}")
    until_active = (
        f"async () => {{ const entry = await {registers}; const worker = entry.installing || entry.active;"
        "while (worker.state !== 'activated') await new Promise((done) => setTimeout(done, 20)); return worker.state }"
    )
    read = []
    opener, browser = shop_reader.opener, shop_reader.browser
    context = await opener.open_context(browser, platform)
    try:
        first, beside = [await opener.open_page(context, platform) for _ in range(2)]
        _stock(local_shop, 100)
        await first.page.goto(local_shop.url("/p"), wait_until="commit", timeout=5000)
        assert await first.page.evaluate(until_active) == "activated"
        after = await opener.open_page(context, platform)
        for price, handle in enumerate((first, beside, after), 200):
            for path in ("/p", "/scoped/p"):
                _stock(local_shop, price)
                local_shop.replies["/scoped/p"] = html(f"<b class=price>{price}</b>")
                product = Product("1", local_shop.url(path), {"price": price})
                read.append((await shop_reader.read_with(reader, handle, platform, product)).verdict)
    finally:
        await opener.close_context(context)
    assert read == ["ok"] * 6


async def test_what_has_ended_is_forgotten(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """A browser sees thousands of contexts, each of which may meet a worker."""
    platform = platform_of({"extract": {"strategy": "dom", "fields": FIELDS, "ready": ".price:not(:empty)"}})
    workers = quick_reader.browser.native.workers
    for _ in range(2):
        _stock(local_shop, 100)
        read = await quick_reader.read(platform, local_shop.url("/waits"), {"price": 100})
        assert read.verdict == "ok"
    async with asyncio.timeout(10):
        while workers._sessions or workers._starts:
            await asyncio.sleep(0.05)
    assert not workers._pages
    assert not workers._warned
