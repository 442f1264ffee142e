"""The shop's fronts, asked without a browser: a redesign has other paths and keys, and the same facts below them."""

from __future__ import annotations

import pytest
from starlette.types import ASGIApp

from pagemill.demo.front import Front
from pagemill.demo.shops.truth import pinned_id, shop_truth
from pagemill.demo.storefront import create_storefront
from pagemill.demo.truth import truth_of
from tests.unit.demo.asgi_client import ask
from tests.unit.demo.shop_visits import CHROME, ask_zigzag, visit


@pytest.fixture(scope="module")
def redesigned() -> ASGIApp:
    """All shops after their redesign."""
    return create_storefront(shops=True, front=Front(redesigned=True))


async def test_practice_api_has_moved_and_says_the_same(redesigned: ASGIApp) -> None:
    """The old paths lead nowhere."""
    truth = truth_of("u-1.ok")
    assert (await ask(redesigned, "/api/v1/products/u-1.ok")).status == 404
    assert (await ask(redesigned, "/hydrated/api/u-1.ok")).status == 404
    answer = await ask(redesigned, "/store/v2/products/u-1.ok")
    assert answer.json == {
        "response": {
            "data": {"title": truth.name, "amount": truth.price, "supply": "READY", "cover": truth.image},
        }
    }


async def test_hits_are_counted_as_before_the_redesign(redesigned: ASGIApp) -> None:
    """So that a test states the same of both designs."""
    await ask(redesigned, "/_reset", method="POST")
    await ask(redesigned, "/shelf/v2/u-1.ok")
    assert (await ask(redesigned, "/_hits")).json["paths"] == {"/hydrated/api": 1}


async def test_shops_apis_have_moved_and_say_the_same(redesigned: ASGIApp) -> None:
    """Two of them, one with the id in the body, whose query is in the new words."""
    truth = shop_truth("musinsa", pinned_id("musinsa", 0, "coupon"))
    assert (await visit(redesigned, "musinsa", f"/api2/goods/{truth.product_id}")).status == 404
    answer = await visit(redesigned, "musinsa", f"/api/shelf/v3/products/{truth.product_id}")
    goods = answer.json["response"]["data"]
    assert (goods["productName"], goods["pricing"]["badgePrice"]) == (truth.name, truth.price)

    assert (await ask_zigzag(redesigned, pinned_id("zigzag", 0, "on-sale"))).status == 404
    hwahae = shop_truth("hwahae", pinned_id("hwahae", 0, "sold-out"))
    said = (await visit(redesigned, "hwahae", f"/v15/commerce/items/{hwahae.product_id}", headers=CHROME)).json
    assert (said["response"]["regular_price"], said["response"]["selling_state"]) == (hwahae.list_price, "OUT")


async def test_zigzag_answers_queries_in_the_words_of_its_design(redesigned: ASGIApp) -> None:
    """The old query names fields that are no more."""
    truth = shop_truth("zigzag", pinned_id("zigzag", 0, "sold-out"))
    query = "query Any { product_page { catalog_item { name selling_state } } }"
    body = (
        f'{{"query": "{query}", "variables": {{"catalog_product_id": "{truth.product_id}",'
        f' "input": {{"catalog_product_id": "{truth.product_id}"}}}}}}'
    ).encode()
    answer = await visit(redesigned, "zigzag", "/api/3/graphql/ProductPage", method="POST", body=body)
    assert answer.json == {
        "response": {
            "data": {"product_page": {"catalog_item": {"name": truth.name, "selling_state": "NO_STOCK"}}},
        }
    }


async def test_page_that_a_gone_product_leads_to_has_moved(redesigned: ASGIApp) -> None:
    """The redirect names the new place, and that is there."""
    gone = pinned_id("ably", 0, "gone-redirect")
    answer = await visit(redesigned, "ably", f"/goods/{gone}")
    assert (answer.status, answer.headers["location"]) == (302, "/picks")
    assert (await visit(redesigned, "ably", "/picks")).status == 200
    assert (await visit(redesigned, "ably", "/today")).status == 404


async def test_front_changes_while_the_shop_runs() -> None:
    """One request switches it, and another one back."""
    app = create_storefront()
    first = (await ask(app, "/jsonld/p/u-1.ok")).text
    assert (await ask(app, "/_front?redesign=true&build=3", method="POST")).status == 200
    other = (await ask(app, "/jsonld/p/u-1.ok")).text
    assert "ld+json" in first
    assert "ld+json" not in other
    assert 'itemprop="price" content=' in other
    assert (await ask(app, "/_front", method="GET")).status == 404
    await ask(app, "/_front", method="POST")
    assert (await ask(app, "/jsonld/p/u-1.ok")).text == first


async def test_scripts_of_two_fronts_are_never_mistaken_for_each_other(redesigned: ASGIApp) -> None:
    """They may be kept for a day, so their addresses differ."""
    first = (await ask(create_storefront(), "/hydrated/p/u-1.ok")).text
    other = (await ask(redesigned, "/hydrated/p/u-1.ok")).text
    assert '"/static/shop.js"' in first
    assert '"/static/shop.js?front=1-0"' in other
    assert (await ask(redesigned, "/static/shop.js?front=1-0")).status == 200
