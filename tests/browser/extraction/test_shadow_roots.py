"""What stands in open shadow roots is read and seen like everything else."""

from __future__ import annotations

import pytest

from tests.browser.extraction.local_shop import LocalShop, html
from tests.browser.extraction.shop_reader import ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HEAD = "<!doctype html><meta charset=utf-8><h1>Blue cup</h1>"
PRICE = "<p class=price>12,900</p>"
SHOP = "extract: {fields: {name: h1, price: {selector: .price, type: number}}}"
EXPECTED = {"name": "Blue cup", "price": 12900}
MOST_ROOTS = 1000


def declared(inner: str, light: str = "", host: str = "product-card") -> str:
    """A host whose shadow root stands in the document that the server sends."""
    return f"<{host}><template shadowrootmode=open>{inner}</template>{light}</{host}>"


def attached(inner: str, light: str = "", after_ms: int | None = None) -> str:
    """A host that a script gives its shadow root, which is no change of the document."""
    attach = f"document.querySelector('#host').attachShadow({{mode: 'open'}}).innerHTML = {inner!r};"
    timed = attach if after_ms is None else f"setTimeout(() => {{ {attach} }}, {after_ms})"
    return f"<div id=host>{light}</div><script>{timed}</script>"


PAGES = {
    "declared": declared(PRICE),
    "attached": attached(PRICE),
    "nested": declared("<section>" + declared(PRICE, host="price-box") + "</section>"),
    "later": attached(PRICE, after_ms=150),
    "given to a slot": declared("<b><slot></slot></b>", PRICE),
    "a slot within the price": declared("<p class=price><slot name=amount>0</slot></p>", "<i slot=amount>12,900</i>"),
    "a host within the price": "<p class=price>" + declared("<b>12,900</b>", "<s>15,000</s>") + "</p>",
    "the slot's own": declared("<p class=price><slot>12,900</slot></p>"),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
@pytest.mark.parametrize("ready", ["", "ready: .price, "], ids=["no ready", "ready"])
async def test_a_price_is_read(page: str, ready: str, shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """By an ordinary selector, whatever way it came there, and whether it is waited for or not."""
    if ready and page == PAGES["later"]:
        page = attached(PRICE, after_ms=2500)
    local_shop.replies["/p/1"] = html(HEAD + page)
    shop = SHOP.replace("{fields", "{" + ready + "fields")
    read = await shop_reader.read(shop, local_shop.url("/p/1"), EXPECTED, timeout_s=6)
    assert read.verdict == "ok", read.judgement


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("main product-card .price", 12900),
        ("main > product-card section .price", 12900),
        (".none, main price-box p", 12900),
        ("price-box product-card .price", None),
        ("product-card > .price", None),
        (".price:not(main .price, [title='a, b'])", 12900),
    ],
)
async def test_a_space_crosses_into_a_shadow_root(
    selector: str, found: int | None, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """As it means "somewhere within", in the order in which things are nested."""
    inner = "<section>" + declared(PRICE, host="price-box") + "</section>"
    local_shop.replies["/p/1"] = html(HEAD, "<main>", declared(inner), "</main>")
    shop = f'extract: {{fields: {{name: h1, price: {{selector: "{selector}", type: number}}}}}}'
    read = await quick_reader.read(shop, local_shop.url("/p/1"), EXPECTED)
    assert read.facts.get("price") == found, read.judgement


async def test_the_document_itself_comes_first(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """What a shadow root has is read where the document has nothing."""
    local_shop.replies["/p/1"] = html(HEAD, declared("<p class=price>1</p>"), PRICE)
    assert (await quick_reader.read(SHOP, local_shop.url("/p/1"), EXPECTED)).verdict == "ok"


RULES = {
    "a list, in its order": ("{selector: [.sale, .price], type: number}", 12900),
    "an attribute": ("{selector: .price, attribute: data-price, type: number}", 12900),
    "what is visible": ("{selector: .offer, visible: true, type: number}", 12900),
    "presence": ("{selector: .price, exists: true}", True),
    "presence that is seen": ("{selector: .gift, exists: true, visible: true}", False),
    "words": ("{text_of: .offers, map: {Sold out: -1, A gift: -2, In stock: 12900}}", 12900),
    "words of all the page": ("{text_of: body, map: {Sold out: -1, A gift: -2, In stock: 12900}}", 12900),
}


@pytest.mark.parametrize(("rule", "value"), RULES.values(), ids=RULES.keys())
async def test_every_way_to_read_an_element_holds(
    rule: str, value: object, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Also what is hidden is hidden, by what is around it in the shadow root and by its host."""
    inner = (
        "<style>.off { opacity: 0 }</style><div class=offers><p class=price data-price=12900>12,900</p>"
        "<div style='display: none'><p class=offer>1</p><p class=gift>A gift</p></div>"
        "<div class=off><p class=offer>2</p><slot></slot></div><p class=offer>12,900</p><p>In<br>stock</p></div>"
    )
    light = "<p class=offer>3</p><p class=gift>A gift</p><p slot=nowhere class=offer>4</p><p slot=nowhere>Sold out</p>"
    hidden = "<div style='visibility: hidden'>" + declared("<p class=offer>5</p><p class=gift>Sold out</p>") + "</div>"
    local_shop.replies["/p/1"] = html(HEAD, hidden, declared(inner, light))
    shop = f"extract: {{fields: {{name: h1, price: {rule}}}}}"
    read = await quick_reader.read(shop, local_shop.url("/p/1"), {"name": "Blue cup"})
    assert read.facts.get("price") == value, read.reading.told


SIGNS = {
    "text": ("text: [no longer available]", declared("<p>This product is no<br>longer available</p>"), "gone"),
    "text across slots": (
        "text: [no longer available]",
        declared("no <slot></slot>", "longer <b>available</b>"),
        "gone",
    ),
    "text of a button": ("text: [Not sold]", declared("<input type=submit value='Not sold any more'>"), "gone"),
    "text in a place": ("text: [{in: .notice, says: gone away}]", declared("<p class=notice>Gone away</p>"), "gone"),
    "selector": ("selector: [.notice]", declared("<p class=notice>Gone</p>"), "gone"),
    "hidden selector": ("selector: [.notice]", declared("<p class=notice hidden>Gone</p>"), "ok"),
    "hidden text": ("text: [no longer available]", declared("<p hidden>no longer available</p>"), "ok"),
    "text that nothing draws": ("text: [no longer available]", declared("", "<p>no longer available</p>"), "ok"),
    "styles": ("text: [gone]", declared("<style>.gone { color: red }</style><p class=gone>Here</p>"), "ok"),
}


@pytest.mark.parametrize(("sign", "page", "verdict"), SIGNS.values(), ids=SIGNS.keys())
async def test_signs_are_seen(
    sign: str, page: str, verdict: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """And those that no visitor sees are not."""
    local_shop.replies["/p/1"] = html(HEAD, PRICE, page)
    read = await shop_reader.read(f"{SHOP}\njudge: {{gone: {{{sign}}}}}", local_shop.url("/p/1"), EXPECTED)
    assert read.verdict == verdict, read.judgement


async def test_a_change_within_a_shadow_root_is_waited_for(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """The page does not stay quiet while it fills one, for as long as it would be waited for otherwise."""
    steps = "".join(
        f"setTimeout(() => {{ document.querySelector('#host').shadowRoot.firstChild.dataset.step = {n} }}, {n * 200});"
        for n in range(1, 6)
    )
    late = (
        "setTimeout(() => { document.querySelector('#host').shadowRoot.firstChild.innerHTML = '<i>Mill</i>' }, 1200);"
    )
    local_shop.replies["/p/1"] = html(HEAD, attached("<p></p>"), f"<script>{steps}{late}</script>")
    read = await quick_reader.read(
        "extract: {fields: {name: h1, brand: i}}", local_shop.url("/p/1"), {"name": "Blue cup"}
    )
    assert read.facts.get("brand") == "Mill", read.judgement


async def test_too_many_shadow_roots_are_told(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """What was not looked at may hold it: neither absence nor an `else` is said."""
    local_shop.replies["/p/1"] = html(HEAD, declared("<b></b>") * (MOST_ROOTS + 1))
    shop = (
        "extract: {fields: {name: h1, price: {selector: .price, type: number}, gift: {selector: .gift, exists: true}}}"
    )
    read = await quick_reader.read(shop, local_shop.url("/p/1"), EXPECTED)
    assert read.facts == {"name": "Blue cup"}
    assert f"there are more than {MOST_ROOTS} shadow roots" in read.judgement.reason, read.judgement
