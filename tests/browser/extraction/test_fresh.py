"""What is judged was asked of the shop for this visit, whatever the shop lets a browser keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.extraction.strategy import load_strategy
from pagemill.model import Product
from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html
from tests.browser.extraction.shop_reader import ShopReader, platform_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_OLD = "Mon, 01 Jan 2024 00:00:00 GMT"
KEPT: dict[str, tuple[tuple[str, str], ...]] = {
    "max-age": (("cache-control", "max-age=3600"),),
    "immutable": (("cache-control", "public, max-age=31536000, immutable"),),
    "Last-Modified alone": (("last-modified", _OLD),),
    "ETag": (("etag", '"1"'), ("cache-control", "max-age=3600")),
    "stale-while-revalidate": (("cache-control", "max-age=0, stale-while-revalidate=3600"),),
    "Expires": (("expires", "Fri, 01 Jan 2100 00:00:00 GMT"),),
}
Headers = tuple[tuple[str, str], ...]
PRICE = {"name": "h1", "price": {"selector": ".price", "type": "number"}}
IN_JSON = {"name": "data.name", "price": {"path": "data.price", "type": "number"}}
EXTRACT: dict[str, dict[str, Any]] = {
    "dom": {"strategy": "dom", "fields": PRICE},
    "structured": {"strategy": "structured"},
    "api_capture": {"strategy": "api_capture", "match": "**/api/{id}", "fields": IN_JSON},
    "in_page_fetch": {
        "strategy": "in_page_fetch",
        "fields": PRICE,
        "fetch": {"url": "/api/{id}", "fields": IN_JSON, "sample_every": 10},
    },
}
SCRIPT: Headers = (("content-type", "text/javascript"), ("cache-control", "max-age=3600"))


def _page(price: int, headers: Headers, body: str = "") -> Reply:
    said = f'{{"@type":"Product","name":"Shirt","offers":{{"price":"{price}","priceCurrency":"KRW"}}}}'
    ld = f"<script type=application/ld+json>{said}</script>"
    text = f"{ld}<script src=/app.js></script><h1>Shirt</h1><p class=price>{price}</p>{body}"
    return html(text, headers=(("content-type", "text/html; charset=utf-8"), *headers))


def _stock(shop: LocalShop, price: int, headers: Headers, body: str = "<script>fetch('/api/1')</script>") -> None:
    """The same price in the page and in the API, both to be kept for as long as the headers say."""
    kept = (("content-type", "application/json"), *headers)
    shop.replies["/p"] = _page(price, headers, body)
    shop.replies["/api/1"] = answer({"data": {"name": "Shirt", "price": price}}, headers=kept)
    shop.replies["/app.js"] = Reply((b"window.ran = true",), headers=SCRIPT)


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("strategy", EXTRACT)
async def test_a_price_that_changes_between_visits_is_seen(
    strategy: str, kept: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """In the same page, visit by visit; the shop is asked each time for what the strategy reads."""
    platform = platform_of({"extract": EXTRACT[strategy]})
    reader = load_strategy(platform)
    read, light = [], []
    async with shop_reader.opened(platform) as handle:
        for price in range(100, 105):
            _stock(local_shop, price, KEPT[kept])
            product = Product("1", local_shop.url("/p"), {"name": "Shirt", "price": price})
            one = await shop_reader.read_with(reader, handle, platform, product)
            read.append((one.verdict, one.facts["price"]))
            light.append(one.reading.light)
    assert read == [("ok", price) for price in range(100, 105)]
    assert local_shop.asked.count("/api/1" if strategy in ("api_capture", "in_page_fetch") else "/p") >= 5
    assert any(light) == (strategy == "in_page_fetch")


async def test_scripts_come_from_the_cache(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Three visits: page and API asked three times, the script once."""
    platform = platform_of({"extract": EXTRACT["api_capture"]})
    reader = load_strategy(platform)
    async with shop_reader.opened(platform) as handle:
        for _ in range(3):
            _stock(local_shop, 100, KEPT["max-age"])
            await shop_reader.read_with(reader, handle, platform, Product("1", local_shop.url("/p"), {}))
        assert await handle.page.evaluate("() => window.ran") is True
    counts = {path: local_shop.asked.count(path) for path in ("/p", "/api/1", "/app.js")}
    assert counts == {"/p": 3, "/api/1": 3, "/app.js": 1}


def _shown(way: str) -> str:
    return f"<script>{way}.then(a => a.json()).then(a => show(a.data.price), () => show('none'))</script>"


_WAYS: dict[str, Callable[[LocalShop], str]] = {
    "preloaded": lambda shop: (
        "<link rel=preload as=fetch crossorigin href=/api/1>"
        "<script>addEventListener('load', () => fetch('/api/1').then(a => a.json()).then(a => show(a.data.price)))"
        "</script>"
    ),
    "prefetched": lambda shop: "<link rel=prefetch href=/api/1>" + _shown("fetch('/api/1')"),
    "force-cache": lambda shop: _shown("fetch('/api/1', {cache: 'force-cache'})"),
    "a redirect that is kept": lambda shop: _shown("fetch('/moved')"),
    "XMLHttpRequest": lambda shop: (
        "<script>const x = new XMLHttpRequest(); x.open('GET', '/api/1'); x.responseType = 'json';"
        "x.onload = () => show(x.response.data.price); x.send()</script>"
    ),
    "a worker": lambda shop: (
        "<script>const code = `fetch('${location.origin}/api/1').then(a => a.json()).then(a => postMessage(a))`;"
        "new Worker(URL.createObjectURL(new Blob([code]))).onmessage = (e) => show(e.data.data.price)</script>"
    ),
    "a frame": lambda shop: (
        "<iframe srcdoc=\"<script>fetch('/api/1').then(a => a.json()).then(a => parent.show(a.data.price))</script>\">"
        "</iframe>"
    ),
}
_SHOW = "<script>function show(price) { document.querySelector('.late').textContent = price }</script>"


@pytest.mark.parametrize("way", _WAYS)
async def test_however_a_page_fetches_the_shop_is_asked(
    way: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """The price that the page puts there late is the shop's of this visit."""
    late = {"price": {"selector": ".late", "type": "number"}}
    platform = platform_of({"extract": {"strategy": "dom", "fields": late, "ready": ".late:not(:empty)"}})
    reader = load_strategy(platform)
    prices = []
    local_shop.replies["/moved"] = Reply(
        status=301, headers=(("location", "/api/1"), ("cache-control", "max-age=3600"))
    )
    async with shop_reader.opened(platform) as handle:
        for price in (100, 200, 300):
            _stock(local_shop, price, KEPT["max-age"], f"<b class=late></b>{_SHOW}{_WAYS[way](local_shop)}")
            one = await shop_reader.read_with(reader, handle, platform, Product("1", local_shop.url("/p"), {}))
            prices.append(one.facts.get("price"))
    assert prices == [100, 200, 300]


async def test_a_shared_worker_asks_the_shop(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """No page's rules hold for it; with Playwright's driver in between, nobody reaches it."""
    late = {"price": {"selector": ".late", "type": "number"}}
    platform = platform_of({"extract": {"strategy": "dom", "fields": late, "ready": ".late:not(:empty)"}})
    reader = load_strategy(platform)
    code = "onconnect = (e) => fetch('/api/1').then(a => a.json()).then(a => e.ports[0].postMessage(a.data.price))"
    local_shop.replies["/shared.js"] = Reply((code.encode(),), headers=SCRIPT)
    asks = "<script>new SharedWorker('/shared.js').port.onmessage = (e) => show(e.data)</script>"
    prices = []
    async with quick_reader.opened(platform) as handle:
        for price in (100, 200):
            _stock(local_shop, price, KEPT["max-age"], f"<b class=late></b>{_SHOW}{asks}")
            one = await quick_reader.read_with(reader, handle, platform, Product("1", local_shop.url("/p"), {}))
            prices.append(one.facts.get("price"))
    assert prices == [100, 200]


async def test_going_back_asks_the_shop(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """A page that sends its visitor back shows what the shop says now."""
    platform = platform_of({"extract": EXTRACT["dom"]})
    back = html("<script>addEventListener('load', () => setTimeout(() => history.back(), 50))</script>")
    reader = load_strategy(platform)
    async with shop_reader.opened(platform) as handle:
        _stock(local_shop, 100, KEPT["max-age"], "")
        await shop_reader.read_with(reader, handle, platform, Product("1", local_shop.url("/p"), {}))
        _stock(local_shop, 200, KEPT["max-age"], "")
        local_shop.replies["/back"] = back
        await handle.page.goto(local_shop.url("/back"), wait_until="commit", timeout=5000)
        async with asyncio.timeout(10):
            while not (shown := await _price_shown(handle.page)):
                await asyncio.sleep(0.05)
    assert shown == "200"
    assert local_shop.asked.count("/p") == 2


async def _price_shown(page: Page) -> str | None:
    try:
        price: str | None = await page.evaluate("() => document.querySelector('.price')?.textContent")
    except PlaywrightError:  # it is on its way
        return None
    return price


async def test_another_origin_is_asked_as_the_page_would_ask(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """The header that has the cache step aside is no reason to ask for leave in a preflight."""
    api = local_shop.url("/api/1").replace("127.0.0.1", "localhost")
    platform = platform_of({"extract": {**EXTRACT["api_capture"], "match": "**/api/{id}"}})
    reader = load_strategy(platform)
    allowed = (*KEPT["max-age"], ("access-control-allow-origin", "*"))
    read = []
    async with shop_reader.opened(platform) as handle:
        for price in (100, 200):
            _stock(local_shop, price, allowed, f"<script>fetch('{api}')</script>")
            one = await shop_reader.read_with(reader, handle, platform, Product("1", local_shop.url("/p"), {}))
            read.append(one.facts["price"])
    assert read == [100, 200]
    assert "OPTIONS" not in local_shop.methods


async def test_what_is_sent_and_what_is_streamed_stays_whole(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """A body that the page posts arrives, and an event stream flows while it is open."""
    stream = (("content-type", "text/event-stream"),)
    local_shop.replies["/stream"] = Reply(
        (b"data: one\n\n", b"data: two\n\n"), headers=stream, pause_s=0.3, has_length=False
    )
    local_shop.replies["/echo"] = answer({})
    platform = platform_of({"extract": EXTRACT["dom"]})
    async with shop_reader.opened(platform) as handle:
        _stock(local_shop, 100, (), "")
        await handle.page.goto(local_shop.url("/p"), wait_until="commit", timeout=5000)
        heard = await handle.page.evaluate("""async () => {
          const posted = await fetch("/echo", { method: "POST", body: "a=1" });
          const first = await new Promise((done) => {
            new EventSource("/stream").onmessage = (event) => done(event.data);
          });
          return [posted.status, first];
        }""")
    assert heard == [200, "one"]
    assert ("POST", "/echo") in list(zip(local_shop.methods, local_shop.asked, strict=True))
