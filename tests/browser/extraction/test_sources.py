"""Several sources of one product: asked in order of preference, put together field by field, in one visit of the
page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.extraction.local_shop import LocalShop, answer, html
from tests.browser.extraction.shop_reader import ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGE = """<!doctype html><title>Shop</title><meta property="og:title" content="Cup - Shop">
<h1>Blue cup</h1><p class=price>12,900원</p><button>장바구니</button>"""


async def test_a_page_alone(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """The short form is a list of one source."""
    local_shop.replies["/p/101"] = html(PAGE)
    shop = "extract: {fields: {name: h1, price: {selector: .price, type: number}}}"
    read = await shop_reader.read(shop, local_shop.url("/p/101"), {"name": "Blue cup", "price": 12900})
    assert (read.verdict, read.facts) == ("ok", {"name": "Blue cup", "price": 12900})


CAPTURE = """
product: {id: '/goods/(?P<id>\\d+)'}
extract:
  sources:
    - strategy: api_capture
      match: '**/api/goods/{id}/basic/**'
      within_ms: 1500
      fields:
        name: goods.name
        price: {path: 'goods.sale || goods.list', type: number}
        status: {path: goods.type, map: {ON_SALE: on_sale, SOLD_OUT: sold_out, '*': off_sale}}
    - strategy: state
      script: '#__NEXT_DATA__'
      fields: {name: 'queries[].goods.name | [0]'}
    - strategy: dom
      fields:
        name: {selector: ['meta[property="og:title"]', h1], attribute: content, regex: '^(.*?)(?: - Shop.*)?$'}
        status: {text_of: body, map: {품절|재입고: sold_out}, else: on_sale}
judge:
  gone: {dialog: [판매 중인 상품이 아닙니다], url: [/today]}
  off_sale: {facts: {status: off_sale}}
  sold_out: {facts: {status: sold_out}}
"""
FETCHES = "<script>fetch('/api/goods/999/basic/x'); fetch('/api/goods/101/basic/x')</script>"


async def test_the_products_own_answer_counts(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Another product's comes first, and has everything as well."""
    local_shop.replies["/goods/101"] = html(PAGE + FETCHES)
    local_shop.replies["/api/goods/999/basic/x"] = answer({"goods": {"name": "Red", "list": 1, "type": "ON_SALE"}})
    own = {"goods": {"name": "Blue", "list": 5, "sale": None, "type": "ON_SALE"}}
    local_shop.replies["/api/goods/101/basic/x"] = answer(own, delay_s=0.2)
    read = await shop_reader.read(CAPTURE, local_shop.url("/goods/101"), {"name": "Blue", "price": 5})
    assert (read.verdict, read.facts) == ("ok", {"name": "Blue", "price": 5, "status": "on_sale"})


@pytest.mark.parametrize(
    ("sources", "status"),
    [
        ("{fields: {name: h1, s: {text_of: body, map: {Sold out: sold_out}, else: on_sale}}}, STATE", "sold_out"),
        ("{fields: {name: h1, s: {selector: .none, map: {x: y}, else: on_sale}}}, STATE", "sold_out"),
        (
            "{strategy: http, url: '/api/{id}', fields: {name: name, s: {path: s, map: {A: a}, else: on_sale}}}, STATE",
            "sold_out",
        ),
        ("{fields: {name: h1, s: {text_of: body, map: {Sold out: sold_out}, else: on_sale}}}", "on_sale"),
    ],
)
async def test_what_is_said_counts_before_what_is_said_otherwise(
    sources: str, status: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """An `else` holds where nothing was found, in no source."""
    state = "{strategy: state, variable: S, fields: {s: s}}"
    local_shop.replies["/goods/101"] = html(PAGE + "<script>var S = {s: 'sold_out'};</script>")
    local_shop.replies["/api/101"] = answer({"name": "Blue cup"})
    shop = f"product: {{id: '/goods/(?P<id>\\d+)'}}\nextract: {{sources: [{sources.replace('STATE', state)}]}}"
    rules = "\njudge: {sold_out: {facts: {s: sold_out}}}"
    read = await quick_reader.read(shop + rules, local_shop.url("/goods/101"), {"name": "Blue cup", "s": "on_sale"})
    assert read.facts["s"] == status, read.judgement


LISTING = """
product: {id: '/goods/(?P<id>\\d+)'}
extract:
  strategy: api_capture
  match: /api/items
  within_ms: 1500
  fields: {name: name, price: {path: price, type: number}}
"""
OTHER, OWN = {"id": 102, "name": "Red", "price": 1}, {"id": 101, "name": "Blue", "price": 5}


@pytest.mark.parametrize(
    ("ids", "items", "verdict"),
    [
        ([102, 101], [OTHER, OWN], "ok"),
        ([102, 101], [OTHER], "failed"),
        ([102], {"name": "Red", "price": 1}, "failed"),
        ([101], {"name": "Blue", "price": 5}, "ok"),
    ],
)
async def test_an_answer_about_several_products_is_read_for_this_one(
    ids: list[int], items: Any, verdict: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Whichever stands first; and one that has nothing of the product says nothing of it."""
    asking = json.dumps({"ids": ids} if len(ids) > 1 else {"id": ids[0]})
    script = f"<script>fetch('/api/items', {{method: 'POST', body: '{asking}'}})</script>"
    local_shop.replies["/goods/101"] = html(PAGE + script)
    local_shop.replies["/api/items"] = answer(items)
    read = await shop_reader.read(LISTING, local_shop.url("/goods/101"), {"name": "Blue", "price": 5})
    assert read.verdict == verdict, read.judgement


async def test_others_stand_in_for_an_answer_that_does_not_come(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """A sold-out page fetches nothing: its words are read, after the answer's own time and not the visit's."""
    local_shop.replies["/goods/102"] = html(PAGE.replace("장바구니", "품절"))
    read = await shop_reader.read(CAPTURE, local_shop.url("/goods/102"), {"name": "Cup", "price": 5}, timeout_s=30)
    assert (read.verdict, read.facts) == ("sold_out", {"name": "Cup", "status": "sold_out"})


async def test_a_dialog_is_a_sign(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """It opens before anything else, and the page leads away behind it."""
    local_shop.replies["/goods/103"] = html(
        "<script>alert('판매 중인 상품이 아닙니다');location.replace('/today')</script>"
    )
    local_shop.replies["/today"] = html("<h1>Today</h1>")
    read = await shop_reader.read(CAPTURE, local_shop.url("/goods/103"), {"name": "Cup"})
    assert read.verdict == "gone", read.judgement


async def test_http_needs_no_page(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """The page behind it is visited only where the answer does not do."""
    local_shop.replies["/api/7"] = answer({"data": {"name": "Blue", "price": 5}})
    local_shop.replies["/p/7"] = local_shop.replies["/p/8"] = html(PAGE)
    shop = f"""
product: {{id: '/p/(?P<id>\\d+)'}}
extract:
  sources:
    - strategy: http
      url: '{local_shop.url("/api/{id}")}'
      fields: {{name: data.name, price: {{path: data.price, type: number}}}}
    - {{strategy: dom, fields: {{name: h1, price: {{selector: .price, type: number}}}}}}
"""
    read = await shop_reader.read(shop, local_shop.url("/p/7"), {"name": "Blue", "price": 5})
    assert (read.verdict, read.steps, local_shop.asked) == ("ok", 1, ["/api/7"])
    read = await shop_reader.read(shop, local_shop.url("/p/8"), {"name": "Blue cup", "price": 12900})
    assert (read.verdict, read.steps) == ("gone", 1), read.judgement


REQUEST_AND_PAGE = """
extract:
  sources:
    - {strategy: http, url: '/api/{id}', fields: {name: data.name, price: {path: data.price, type: number}}}
    - {strategy: dom, fields: {name: h1, price: {selector: .price, type: number}, stock: .stock}}
judge:
  blocked: {text: ['Are you human?']}
"""


async def test_a_challenge_says_nothing_of_the_product(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """It comes with status 200, and has what looks like facts."""
    local_shop.replies["/api/7"] = answer({"data": {"name": "Blue", "price": None}})
    local_shop.replies["/p/7"] = html("<h1>Are you human?</h1><p class=price>1</p><p class=stock>in stock</p>")
    read = await shop_reader.read(
        REQUEST_AND_PAGE, local_shop.url("/p/7"), {"name": "Blue", "price": 5}, product_id="7"
    )
    assert read.verdict == "failed", read.judgement
    assert read.facts == {"name": "Blue"}
