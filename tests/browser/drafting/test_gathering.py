"""What one visit of a page brings to light, and that a draft is tried on the pages without another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pagemill.config.section import MsRange
from pagemill.drafting.evidence import PageEvidence, PageRole, SeenElement, Steadiness
from pagemill.drafting.gather import AskedPage, Gathering, preliminary
from pagemill.drafting.probe import probe_pages
from pagemill.drafting.reading import MOST_ELEMENTS
from pagemill.drafting.trial import try_draft
from pagemill.errors import VisitFailed
from tests.browser.extraction.local_shop import LocalShop, answer, html
from tests.browser.extraction.shop_reader import platform_of
from tests.browser.pool.real_pool import LAUNCHERS, real_pool

pytestmark = pytest.mark.browser

AT_ONCE = MsRange(low_ms=0, high_ms=0)
HEAD = "<!doctype html><meta charset=utf-8><title>Blue cup | Shop</title>"
FULL = f"""{HEAD}
<meta property="og:title" content="Blue cup">
<script id=state type=application/json>{{"product": {{"name": "Blue cup", "price": 12900}}}}</script>
<script type=application/json data-part=other>{{"product": {{"sku": "x"}}}}</script>
<script>window.SHOP = {{"goods": {{"price": 12900}}}}; const Declared = {{"item": {{"price": 12900}}}};</script>
<script>window["mad" + "e"] = {{}}; window.made.product = {{price: 12900, self: window.made}};</script>
<p id=wait>Loading your product</p>
<main>
  <h1>Blue cup</h1>
  <dl><dt>Price</dt><dd class=amount-now>12,900</dd></dl>
  <div class=cents>$119<sup>95</sup></div>
  <s>16,000</s>
  <div class=hidden style="display:none">Hidden words</div>
  <button disabled data-testid=buy>Sold out</button>
  <img src=/a.jpg alt="A cup">
  <div class=links-to-buy><a class=to-basket href=#>To the basket</a><a class=to-buy href=#>Buy it</a></div>
  <nav class=menu><a href=/1>Page 1</a>{"".join(f"<a href=/{n}>Page {n}</a>" for n in range(2, 9))}</nav>
  <shop-box><template shadowrootmode=open><b class=inner>In the shadow</b></template></shop-box>
</main>
<script>
  fetch("/api/goods/1").then((said) => said.json()).then((said) => {{
    setTimeout(() => {{
      document.querySelector("#wait").remove();
      document.querySelector("main").insertAdjacentHTML("beforeend", "<p class=late>" + said.stock + " left</p>");
    }}, 700);
  }});
  alert("Only today");
</script>"""


@asynccontextmanager
async def gathered(
    executable: Path, temporary: Path, kind: str, *pages: AskedPage
) -> AsyncIterator[tuple[Gathering, list[PageEvidence]]]:
    """The pages, open, and what they hold."""
    platform = preliminary("local", pages, {}, timeout_ms=5000)
    async with real_pool(executable, temporary, len(pages), kind=kind) as real:
        gathering = Gathering(real.pool, platform, AT_ONCE)
        try:
            yield gathering, await gathering.visit_all(pages)
        finally:
            await gathering.close()


def element(evidence: PageEvidence, text: str) -> SeenElement:
    """The one element with that text."""
    found = [one for one in evidence.elements if one.text == text and one.tag != "meta"]
    assert len(found) == 1, (text, found)
    return found[0]


@pytest.mark.parametrize("kind", LAUNCHERS)
async def test_all_of_a_page_is_gathered(kind: str, executable: Path, temporary: Path) -> None:
    """Texts, states, answers, dialogs and elements, also those that come late; each selector finds its element."""
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = html(FULL)
        shop.replies["/api/goods/1"] = answer({"stock": 7})
        page = AskedPage(shop.url("/p/1"), PageRole.ON_SALE, {"price": 12900})
        async with gathered(executable, temporary, kind, page) as (gathering, [evidence]):
            selectors = [selector.css for one in evidence.elements for selector in one.selectors]
            [probed] = await probe_pages([gathering.pages[0].lease], selectors)
    texts = [one.text for one in evidence.elements for _ in one.selectors]
    tags = [one.tag for one in evidence.elements for _ in one.selectors]
    wrong = [
        (css, text, found.text)
        for css, text, tag, found in zip(selectors, texts, tags, probed, strict=True)
        if tag not in ("meta", "img") and found.text != text and found.matches
    ]
    assert wrong == []
    assert (evidence.status, evidence.title, evidence.expected) == (200, "Blue cup | Shop", {"price": 12900})
    assert "12,900" in evidence.text and "7 left" in evidence.text and "Hidden words" not in evidence.text
    assert evidence.passing == ("Loading your product",)
    assert evidence.dialogs == ("Only today",)
    states = {one.script or one.variable: one.document for one in evidence.states}
    assert states["#state"]["product"]["price"] == 12900
    assert states['[data-part="other"]'] == {"product": {"sku": "x"}}
    assert states["SHOP"]["goods"]["price"] == states["Declared"]["item"]["price"] == 12900
    assert states["made"]["product"]["price"] == 12900
    assert [(one.url, one.document) for one in evidence.answers] == [(shop.url("/api/goods/1"), {"stock": 7})]
    assert element(evidence, "12,900").near == "Price"
    assert element(evidence, "$119 95").selectors[0].css == ".cents"
    assert element(evidence, "16,000").struck and not element(evidence, "12,900").struck
    assert not element(evidence, "Hidden words").visible and element(evidence, "7 left").visible
    assert element(evidence, "Blue cup").font_px > element(evidence, "12,900").font_px
    sold = element(evidence, "Sold out")
    assert (sold.tag, "disabled" in sold.attributes) == ("button", True)
    assert sold.selectors[0].css == '[data-testid="buy"]' and sold.selectors[0].steadiness is Steadiness.MEANT
    assert ".links-to-buy a" in [one.css for one in element(evidence, "To the basket").selectors]
    assert ".links-to-buy a" not in [one.css for one in element(evidence, "Buy it").selectors]
    assert ".menu a" not in [one.css for one in element(evidence, "Page 1").selectors], "many links are a menu"
    assert element(evidence, "In the shadow").selectors[0].css == ".inner"
    assert [one.selectors[0].css for one in evidence.elements if one.tag == "meta"] == ['meta[property="og:title"]']


WORDS = ("price", "goods-detail", "soldOut", "btn_buy", "Preisbox", "prezzo-attuale", "price__value", "c-price", "row2")
HASHES = ("css-1x2y3z", "sc-bdVaJa", "x7f3a", "_3kFQx", "svelte-1abcdef", "jsx-1234567", "bYvKqW", "5f8a9c")
HALVES = {
    "Price_k2": "Price_",
    "Goods_price__3kFQx": "Goods_price__",
    "Title-sc-1ab2c3-0": "Title-sc-",
    "styles-module__name--x8Kd2": "styles-module__name--",
    "makeStyles-cost-12": "makeStyles-cost-",
}


async def test_a_hash_is_no_name(executable: Path, temporary: Path) -> None:
    """What a build makes anew is in no selector: a class that is a word is named, what is a word of others is kept."""
    every = [*WORDS, *HASHES, *HALVES]
    text = "".join(f"<div class='{token}'>text {at}</div>" for at, token in enumerate(every))
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = html(HEAD, f"<body><main>{text}</main>")
        async with gathered(executable, temporary, "cdp", AskedPage(shop.url("/p/1"), PageRole.ON_SALE)) as (
            _,
            [evidence],
        ):
            pass
    for at, token in enumerate(every):
        selectors = element(evidence, f"text {at}").selectors
        best = selectors[0]
        if token in WORDS:
            assert (best.css, best.steadiness) == (f".{token}", Steadiness.NAMED)
        elif token in HASHES:
            assert {one.steadiness for one in selectors} == {Steadiness.PLACED}, (token, selectors)
        else:
            half = f':is([class^="{HALVES[token]}"], [class*=" {HALVES[token]}"])'
            assert (best.css, best.steadiness) == (half, Steadiness.WORDED)
        assert not any(one in selector.css for selector in selectors for one in (*HASHES, "3kFQx", "1ab2c3", "x8Kd2"))


async def test_what_belongs_to_the_product_is_in_no_selector(executable: Path, temporary: Path) -> None:
    """Its number and its words in the address would find nothing on another page."""
    body = "<main><p id=price-blue-cup-small class=p-4711>12,900</p></main>"
    async with LocalShop.open() as shop:
        shop.replies["/p/blue-cup-small/4711"] = html(HEAD, body)
        asked = AskedPage(shop.url("/p/blue-cup-small/4711"), PageRole.ON_SALE)
        async with gathered(executable, temporary, "cdp", asked) as (_, [evidence]):
            pass
    selectors = [one.css for one in element(evidence, "12,900").selectors]
    assert selectors and not any("4711" in css or "blue" in css for css in selectors)


async def test_a_bound_that_is_met_is_told(executable: Path, temporary: Path) -> None:
    """The elements near the top of the page are kept."""
    lines = "".join(f"<p>Line {at}</p>" for at in range(MOST_ELEMENTS + 500))
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = html(HEAD, f"<h1>Blue cup</h1>{lines}")
        async with gathered(executable, temporary, "cdp", AskedPage(shop.url("/p/1"), PageRole.ON_SALE)) as (
            _,
            [evidence],
        ):
            pass
    assert any(f"{MOST_ELEMENTS} are looked at" in trouble for trouble in evidence.troubles), evidence.troubles
    assert 1000 < len(evidence.elements) <= MOST_ELEMENTS
    assert element(evidence, "Blue cup") and element(evidence, "Line 0")


@pytest.mark.parametrize("kind", LAUNCHERS)
async def test_a_draft_is_tried_without_another_visit(kind: str, executable: Path, temporary: Path) -> None:
    """Elements, states, what is published, and answers that were heard long before; a status alone settles a page."""
    published = '<script type="application/ld+json">{"@type": "Product", "name": "Blue cup", "brand": "Acme"}</script>'
    sources: list[dict[str, Any]] = [
        {"strategy": "api_capture", "match": "/api/goods/{id}", "fields": {"stock": "stock"}},
        {"strategy": "state", "script": "#state", "fields": {"price": {"path": "product.price", "type": "number"}}},
        {"strategy": "state", "variable": "made", "fields": {"list_price": "product.price"}},
        {"strategy": "structured", "fields": ["brand"]},
        {"strategy": "dom", "fields": {"name": "h1", "status": {"text_of": "button", "map": {"Sold out": "sold_out"}}}},
    ]
    draft = platform_of(
        {
            "product": {"id": r"/p/(?P<id>\d+)"},
            "extract": {"sources": sources},
            "judge": {"gone": {"status": [404]}, "sold_out": {"facts": {"status": "sold_out"}}},
        }
    )
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = html(FULL.replace("<main>", f"{published}<main>"))
        shop.replies["/api/goods/1"] = answer({"stock": 7})
        asked = [AskedPage(shop.url("/p/1"), PageRole.SOLD_OUT), AskedPage(shop.url("/p/2"), PageRole.GONE)]
        async with gathered(executable, temporary, kind, *asked) as (gathering, _):
            before = list(shop.asked)
            first, second = await try_draft(draft, gathering.pages, wait_ms=AT_ONCE)
            assert shop.asked == before
            wrong = replace(gathering.pages[0], evidence=replace(gathering.pages[0].evidence, role=PageRole.ON_SALE))
            [other] = await try_draft(draft, [wrong], wait_ms=AT_ONCE)
    assert first.reading is not None
    said = {"stock": 7, "price": 12900, "list_price": 12900, "brand": "Acme", "name": "Blue cup"}
    assert first.reading.facts == said | {"status": "sold_out"}, first.reading.troubles
    assert first.is_right and second.is_right and second.judgement.reason == "HTTP 404"
    assert not other.is_right
    assert sorted(path for path in before if path.startswith("/p/")) == ["/p/1", "/p/2"]


async def test_only_an_http_source_asks_again(executable: Path, temporary: Path) -> None:
    """Once per page."""
    draft = platform_of(
        {
            "product": {"id": r"/p/(?P<id>\d+)"},
            "extract": {"strategy": "http", "url": "/api/goods/{id}", "fields": {"name": "name"}},
        }
    )
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = html(HEAD, "<h1>Blue cup</h1>")
        shop.replies["/api/goods/1"] = answer({"name": "Blue cup"})
        asked = AskedPage(shop.url("/p/1"), PageRole.ON_SALE)
        async with gathered(executable, temporary, "cdp", asked) as (gathering, _):
            [tried] = await try_draft(draft, gathering.pages, wait_ms=AT_ONCE)
    assert tried.is_right and tried.reading is not None and tried.reading.facts == {"name": "Blue cup"}
    assert shop.asked.count("/api/goods/1") == shop.asked.count("/p/1") == 1


async def test_no_other_host_is_visited(executable: Path, temporary: Path) -> None:
    """Where a page leads elsewhere, that is said with the remedy."""
    async with LocalShop.open() as shop:
        elsewhere = shop.url("/p/2").replace("127.0.0.1", "localhost")
        shop.replies["/p/1"] = html("", status=302, headers=(("location", elsewhere),))
        with pytest.raises(VisitFailed, match=r"host localhost is not one of .*--host"):
            async with gathered(executable, temporary, "cdp", AskedPage(shop.url("/p/1"), PageRole.ON_SALE)):
                pass
    assert "/p/2" not in shop.asked


async def test_a_page_that_does_not_answer_is_named(executable: Path, temporary: Path) -> None:
    """With its address and how long it was waited for."""
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = html(HEAD, delay_s=30)
        with pytest.raises(VisitFailed, match=r"/p/1 could not be read: timeout: .* 5 s"):
            async with gathered(executable, temporary, "cdp", AskedPage(shop.url("/p/1"), PageRole.ON_SALE)):
                pass


async def test_json_itself_is_a_page(executable: Path, temporary: Path) -> None:
    """An API's address: the whole document is what stands there."""
    async with LocalShop.open() as shop:
        shop.replies["/p/1"] = answer({"name": "Blue cup"})
        async with gathered(executable, temporary, "cdp", AskedPage(shop.url("/p/1"), PageRole.ON_SALE)) as (
            _,
            [evidence],
        ):
            pass
    [state] = evidence.states
    assert (state.script, state.variable, state.document) == (None, None, {"name": "Blue cup"})
    assert evidence.elements == () and evidence.answers == ()


@pytest.mark.parametrize("pause_ms", [0, 1])
async def test_pages_are_visited_one_after_another_if_there_is_a_pause(
    executable: Path, temporary: Path, pause_ms: int
) -> None:
    """Without one, as in a shop of the user's own, the second is asked for before the first has come to rest."""
    late = "<p>Cup</p><script>setTimeout(() => fetch('/late' + location.pathname), 700);</script>"
    asked = [f"/p/{at}" for at in (1, 2)]
    async with LocalShop.open() as shop, real_pool(executable, temporary, 2, kind="cdp") as real:
        shop.replies |= {path: html(HEAD, late) for path in asked} | {f"/late{path}": answer({}) for path in asked}
        pages = [AskedPage(shop.url(path), PageRole.ON_SALE) for path in asked]
        pace = MsRange(low_ms=pause_ms, high_ms=pause_ms)
        gathering = Gathering(real.pool, preliminary("local", pages, {}, timeout_ms=5000), pace)
        try:
            found = await gathering.visit_all(pages)
        finally:
            await gathering.close()
        order = [path for path in shop.asked if "/p/" in path]
    assert [one.url for one in found] == [page.url for page in pages]
    assert (order.index("/p/2") < order.index("/late/p/1")) is (pause_ms == 0)
