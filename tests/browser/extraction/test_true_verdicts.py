"""Pages on which a verdict was untrue without a word, each as small as it can be, with the verdict that is right."""

from __future__ import annotations

import json

import pytest

from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html
from tests.browser.extraction.shop_reader import ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

GONE = "This product is no longer available"
PAGE = "<!doctype html><meta charset=utf-8><h1>Blue cup</h1><p class=price>12,900원</p><p class=stock>in stock</p>"
EXPECTED = {"name": "Blue cup", "price": 12900}
SHOP = """
extract:
  fields:
    name: h1
    price: {selector: .price, type: number}
    in_stock: {selector: .stock, type: boolean}
judge:
  gone: {text: [This product is no longer available]}
  sold_out: {text: [Sold out], facts: {in_stock: false}}
"""

HIDDEN = {
    "hidden": f"<div hidden>{GONE}</div>",
    "display none": f"<div style='display:none'><p>{GONE}</p></div>",
    "by a style sheet": f"<style>.x {{ display: none }}</style><section class=x><p>{GONE}</p></section>",
    "template": f"<template>{GONE}</template>",
    "comment": f"<!-- {GONE} -->",
    "attribute": f"<div title='{GONE}'></div>",
    "script": f"<script>const text = '{GONE}';</script>",
    "closed details": f"<details><summary>More</summary>{GONE}</details>",
    "closed accordion": f"<div style='height:0;overflow:hidden'><p>{GONE}</p></div>",
    "visibility": f"<div style='visibility:hidden'>{GONE}</div>",
    "opacity": f"<div style='opacity:0'>{GONE}</div>",
    "off screen": f"<div style='position:absolute;left:-9999px'>{GONE}</div>",
    "for screen readers": "<span style='position:absolute;width:1px;height:1px;overflow:hidden'>" + GONE + "</span>",
    "closed dialog": f"<dialog>{GONE}</dialog>",
    "badge": "<span style='display:none'>Sold out</span>",
    "a button that is not there": f"<input type=submit value='{GONE}' style='display:none'>",
    "what is typed": f"<input type=text value='{GONE}'>",
    "half of it": "<p>This product is <span>new, and that one </span>no longer available</p>",
    "half of it is hidden": "<p>This product is <span hidden>no longer</span> available</p>",
}


@pytest.mark.parametrize("markup", HIDDEN.values(), ids=HIDDEN.keys())
async def test_what_nobody_sees_is_no_sign(markup: str, quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """Shops have such texts in every page, and show them when they are true."""
    local_shop.replies["/p/101"] = html(PAGE + markup)
    read = await quick_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "ok", read.judgement


SEEN = {
    "plain": f"<p>{GONE}</p>",
    "over a line break": "<p>This product is<br>no longer available</p>",
    "over elements": "<p>This <b>product</b> is</p><p>no longer <i>available</i></p>",
    "with other spaces": "<p>This product is&nbsp;no longer\n available</p>",
    "hidden from machines only": f"<p aria-hidden=true>{GONE}</p>",
    "with a hidden piece": "<p>This product is <span hidden>a thing that was </span>no longer available</p>",
    "with two hidden pieces": "<style>i {display: none}</style><p>This <i>x</i>product is<i>y</i> no longer available",
    "on a button": f"<form><input type=submit value='{GONE}' disabled></form>",
    "on a button of the page": f"<div><INPUT TYPE=button VALUE='{GONE}'></div>",
    "late": f"<script>setTimeout(() => {{ document.body.innerHTML = '<p>{GONE}</p>'; }}, 100)</script>",
}


@pytest.mark.parametrize("markup", SEEN.values(), ids=SEEN.keys())
async def test_what_a_visitor_reads_is_a_sign(markup: str, quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """However the sentence is spread over the markup."""
    local_shop.replies["/p/101"] = html(f"<!doctype html><meta charset=utf-8><body>{markup}")
    read = await quick_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "gone", read.judgement


@pytest.mark.parametrize(("classes", "verdict"), [("page gone", "gone"), ("page", "ok")])
async def test_a_class_of_the_whole_page_is_a_sign(
    classes: str, verdict: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """The root element stands in nothing that could hide it."""
    local_shop.replies["/p/101"] = html(PAGE.replace("<meta", f"<html class='{classes}'><meta"))
    shop = SHOP.replace("gone: {text:", "gone: {selector: [html.gone], text:")
    read = await quick_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == verdict, read.judgement


def moved(to: str) -> Reply:
    return Reply(status=302, headers=(("location", to),))


ELSEWHERE = {
    "home": moved("/"),
    "login": moved("/login?next=/p/101"),
    "another product": moved("/p/102"),
    "another product by script": html("<script>location.replace('/p/102')</script>"),
    "another product by refresh": html("<meta http-equiv=refresh content='0;url=/p/102'>"),
    "home by history": html(f"{PAGE}<script>history.replaceState(0, '', '/home')</script>"),
}


@pytest.mark.parametrize("reply", ELSEWHERE.values(), ids=ELSEWHERE.keys())
async def test_a_visit_that_ends_elsewhere_is_failed(
    reply: Reply, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """What stands there is not the product, whatever it looks like; the address is told."""
    for path in ("/", "/login", "/p/102"):
        local_shop.replies[path] = html(PAGE.replace("12,900", "100"))
    local_shop.replies["/p/101"] = reply
    read = await shop_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "failed", read.judgement
    assert "the visit ended elsewhere" in read.judgement.reason
    assert read.reading.url != local_shop.url("/p/101")


@pytest.mark.parametrize("to", ["/p/101/blue-cup", "/p/101?color=2", "/goods/101"])
async def test_the_same_product_at_another_address_is_itself(
    to: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Shops send visitors to the address that they like best."""
    local_shop.replies["/p/101"] = (
        moved(to) if "?" not in to else html(f"{PAGE}<script>history.replaceState(0, '', '{to}')</script>")
    )
    local_shop.replies[to.partition("?")[0]] = local_shop.replies.get(to.partition("?")[0], html(PAGE))
    read = await quick_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("ok", local_shop.url(to)), read.judgement


@pytest.mark.parametrize("page", ["<h2>Are you human?</h2>", "<form>Log in</form>", "<body>"])
async def test_a_page_that_says_nothing_is_failed(page: str, quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """Even where the row expects nothing, and some facts hold by default."""
    local_shop.replies["/p/101"] = html(page)
    by_default = "extract: {fields: {name: h1, status: {text_of: body, map: {Sold: sold_out}, else: on_sale}}}"
    for shop in (SHOP, by_default):
        read = await quick_reader.read(shop, local_shop.url("/p/101"))
        assert (read.verdict, read.judgement.reason) == ("failed", "nothing was read")


BUTTON = """
extract:
  fields:
    name: h1
    buy: {selector: button.buy, exists: true}
    closed: {selector: button.buy, attribute: disabled}
judge:
  sold_out: {facts: [{buy: false}, {closed: true}]}
"""


@pytest.mark.parametrize(
    ("markup", "verdict"),
    [
        ("<button class=buy>Buy</button>", "ok"),
        ("<button class=buy disabled>Buy</button>", "sold_out"),
        ("", "sold_out"),
    ],
)
async def test_a_button_can_mean_stock(
    markup: str, verdict: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """By being there, and by being open."""
    local_shop.replies["/p/101"] = html(f"<h1>Blue cup</h1>{markup}")
    assert (await quick_reader.read(BUTTON, local_shop.url("/p/101"), {"name": "Blue cup"})).verdict == verdict


BUTTONS = """
extract:
  fields:
    name: h1
    status:
      selector: button
      visible: true
      map: {contains:품절: sold_out, contains:구매하기|장바구니: on_sale}
judge: {sold_out: {status: sold_out}}
"""


@pytest.mark.parametrize(
    ("buttons", "verdict"),
    [
        ("<button>공유</button><button hidden>품절</button><button>구매하기</button>", "ok"),
        ("<button>공유</button><button>일시품절</button><button hidden>구매하기</button>", "sold_out"),
        ("<button>공유</button><button style='display:none'>품절</button>", "sold_out"),
    ],
)
async def test_the_first_button_that_is_seen_and_known_decides(
    buttons: str, verdict: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """One that nobody sees decides only where no other does; what a review says counts for nothing."""
    local_shop.replies["/p/101"] = html(
        f"<meta charset=utf-8><h1>Blue cup</h1>{buttons}<p>전에 품절이라 기다렸어요</p>"
    )
    read = await quick_reader.read(BUTTONS, local_shop.url("/p/101"), {"name": "Blue cup"})
    assert read.verdict == verdict, read.judgement


@pytest.mark.parametrize(
    ("price", "amount"),
    [
        ("$119<sup>95</sup>", 119.95),
        ("<span>1</span><span>2</span><span>,</span><span>9</span><span>0</span><span>0</span>원", 12900),
        ("<span>$</span><span>129<span>.</span></span><span>50</span>", 129.5),
        ("<span>12,</span><span>900</span><span>원</span>", 12900),
        ("<span>12</span><span>,900</span>원", 12900),
        ("12,&nbsp;900원", 12900),
        ("<b>3</b>만 <b>9,900</b>원", 39900),
        ("$<span>29.</span><span>99</span>", 29.99),
        ("<s>16,000원</s><b>10%</b><b>14,400원 ~</b>", 16000),
        ("<b>35%</b> 12,900원", 12900),
        ("<script>var t = 7;</script><style>.a { width: 5px }</style>12.50", 12.5),
        ("3만 9,900원", 39900),
    ],
)
async def test_prices_are_read_across_elements(
    price: str, amount: float, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """As a visitor reads them."""
    local_shop.replies["/p/101"] = html(f"<meta charset=utf-8><h1>Blue cup</h1><p class=price>{price}</p>")
    shop = "extract: {fields: {name: h1, price: {selector: .price, type: number}}}"
    read = await quick_reader.read(shop, local_shop.url("/p/101"), {"price": amount})
    assert read.verdict == "ok", read.judgement


LONG = json.dumps({"@type": "Product", "description": "x" * 400_000, "name": "Blue cup", "offers": {"price": 12900}})


@pytest.mark.parametrize(
    ("page", "extract"),
    [
        (
            f"<script id=s>var a = '{'x' * 50_000}'; var price = 12900;</script><h1>Blue cup</h1>",
            r"{fields: {name: h1, price: {selector: '#s', regex: 'price = (\d+)', type: number}}}",
        ),
        (f"<script type='application/ld+json'>{LONG}</script>", "{strategy: structured}"),
        (
            f"<script type='application/ld+json'>{LONG}</script>",
            "{strategy: jsonld, fields: {name: name, price: {path: offers.price, type: number}}}",
        ),
    ],
    ids=["script", "structured", "jsonld"],
)
async def test_facts_far_behind_are_read(
    page: str, extract: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Half a megabyte before them does not hide them."""
    local_shop.replies["/p/101"] = html(page)
    read = await quick_reader.read(f"extract: {extract}", local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "ok", read.judgement


@pytest.mark.parametrize(
    "source",
    ["{strategy: state, document: true, ", "{strategy: http, ", "{strategy: api_capture, match: '/p/*', "],
    ids=["state", "http", "api_capture"],
)
async def test_an_address_that_answers_json_is_read(
    source: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """As a page, without one, or as what a page has fetched."""
    local_shop.replies["/p/101"] = answer({"name": "Blue cup", "price": 12900})
    shop = f"extract: {source} fields: {{name: name, price: {{path: price, type: number}}}}}}"
    read = await shop_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "ok", read.judgement


async def test_what_a_page_fills_in_late_is_waited_for(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """Without a sign to wait for: facts that were not said at first, and words that stand for their absence."""
    late = "<h1>Blue cup</h1><p class=price></p><b></b><script>setTimeout(() => {{ {} }}, 400)</script>"
    fill = "document.querySelector('.price').textContent = '12,900'; document.querySelector('b').textContent = '품절';"
    local_shop.replies["/p/101"] = html("<meta charset=utf-8>" + late.format(fill))
    shop = """
extract:
  sources:
    - strategy: structured
    - strategy: dom
      fields:
        name: h1
        price: {selector: .price, type: number}
        status: {text_of: body, map: {품절: sold_out}, else: on_sale}
judge: {sold_out: {status: sold_out}}
"""
    read = await quick_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.facts["price"]) == ("sold_out", 12900), read.judgement


async def test_keys_that_change_with_every_build_are_found_by_what_is_inside(
    quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """A path by the value that a product has and nothing else."""
    state = {"graphqlResponse": {"q_x81": {"menu": 1}, "q_y77": {"sku": "A1", "price": 12900, "name": "Blue cup"}}}
    local_shop.replies["/p/101"] = html(f"<script>window.__STATE__ = {json.dumps(state)}</script>")
    shop = """
extract:
  strategy: state
  variable: __STATE__
  fields:
    name: 'graphqlResponse | values(@) | [?sku] | [0].name'
    price: {path: 'graphqlResponse | values(@) | [?sku] | [0].price', type: number}
"""
    read = await quick_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "ok", read.judgement
