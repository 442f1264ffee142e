"""What the six shops answer for every variant, asked without a server and read by the notes on the real shops."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from starlette.types import ASGIApp

from pagemill.demo.shops.addresses import ADDRESSES, SHOPS
from pagemill.demo.shops.furniture import others
from pagemill.demo.shops.truth import ShopTruth, drawn_id, pinned_id, shop_truth
from pagemill.demo.shops.variants import VARIANTS
from pagemill.demo.storefront import create_storefront
from pagemill.model import Verdict
from tests.unit.demo.asgi_client import ask
from tests.unit.demo.shop_visits import (
    CHROME,
    PORT,
    QUERY,
    ask_zigzag,
    og_of,
    read_ably,
    read_hwahae,
    read_kurly,
    read_musinsa,
    read_zigzag,
    state_of,
    visit,
)

ERROR_CODES = {
    "gone-404": (404, "DISPLAY_000_0006"),
    "gone-200": (200, "DISPLAY_000_0006"),
    "gone-no-item": (200, "DISPLAY_000_0002"),
    "gone-not-found": (404, "NOT_FOUND"),
    "error-code": (200, "DISPLAY_000_0099"),
}


def truths(shop: str) -> list[ShopTruth]:
    """Every variant of the shop three times, and some as they are drawn."""
    pinned = [pinned_id(shop, serial, variant.name) for variant in VARIANTS[shop] for serial in (0, 1, 2)]
    return [shop_truth(shop, product_id) for product_id in (*pinned, *(drawn_id(shop, n) for n in range(40)))]


def is_shown(truth: ShopTruth) -> bool:
    return truth.variant.status is not None


async def test_musinsa_answers_as_its_variants_say(street: ASGIApp) -> None:
    """Facts by the rules, error codes with 404 and with 200, and 503 to those who were not on the page."""
    for truth in truths("musinsa"):
        path, variant = f"/api2/goods/{truth.product_id}", truth.variant.name
        answer = await visit(street, "musinsa", path)
        if variant == "page-only":
            assert answer.status == 503
            page = await visit(street, "musinsa", f"/products/{truth.product_id}")
            session = page.headers["set-cookie"].partition(";")[0]
            answer = await visit(street, "musinsa", path, headers={"Cookie": session})
        if variant in ERROR_CODES:
            assert (answer.status, answer.json["meta"]["errorCode"]) == ERROR_CODES[variant]
            assert answer.json["data"] is None
        else:
            assert answer.status == 200
            assert read_musinsa(answer.json) == truth.facts


async def test_musinsas_page_asks_for_another_product_first(street: ASGIApp) -> None:
    """That one is on sale at the same address, with another name; options and recommendations are others' too."""
    truth = shop_truth("musinsa", pinned_id("musinsa", 5, "on-sale"))
    page = await visit(street, "musinsa", f"/products/{truth.product_id}")
    other = others("musinsa", truth.product_id, 1)[0]
    assert f'const ids = {{"own": "{truth.product_id}", "other": "{other.product_id}"}}' in page.text
    assert page.text.index("ids.other") < page.text.index('"/api2/goods/" + ids.own')
    assert read_musinsa((await visit(street, "musinsa", f"/api2/goods/{other.product_id}")).json) == other.facts
    assert other.name != truth.name
    for part in ("options", "curation"):
        answer = await visit(street, "musinsa", f"/api2/goods/{truth.product_id}/{part}")
        assert truth.name not in answer.text
        assert answer.json["data"]["items"]


async def test_musinsas_page_says_another_price_than_its_answer(street: ASGIApp) -> None:
    """JSON-LD does not know the coupon: who reads it reads a wrong price."""
    truth = shop_truth("musinsa", pinned_id("musinsa", 5, "coupon"))
    page = await visit(street, "musinsa", f"/products/{truth.product_id}")
    assert f'"price": {truth.base_price}' in page.text
    assert truth.base_price != truth.price


async def test_ably_says_its_facts_where_its_variants_say(street: ASGIApp) -> None:
    """In the answer that only the page may fetch, or in the state, or in meta tags and words."""
    for truth in truths("ably"):
        variant = truth.variant.name
        page = await visit(street, "ably", f"/goods/{truth.product_id}")
        token = re.search(r'"token": "(\w+)"', page.text)
        if not is_shown(truth):
            assert token is None
            assert state_of(page) is None
        elif variant == "state-only":
            assert token is None
            goods = [
                query["state"]["data"]["goods"]
                for query in state_of(page)["dehydratedState"]["queries"]
                if query["state"]["data"].get("goods")
            ]
            assert "sale_type" not in goods[0]
            assert read_ably(goods[1]) == truth.facts
        elif variant in ("sold-out", "restock"):
            assert token is None
            assert state_of(page) is None
            assert og_of(page, "title") == f"{truth.name} - 에이블리 스토어"
            assert og_of(page, "image") == truth.image
            assert re.search("<button disabled>(품절|재입고 알림 받기)</button>", page.text)
        else:
            assert token is not None
            path = f"/api/v3/goods/{truth.product_id}/basic/"
            assert (await visit(street, "ably", path)).status == 401
            answer = await visit(street, "ably", path, headers={"X-Anonymous-Token": token[1]})
            assert read_ably(answer.json["goods"]) == truth.facts
            assert og_of(page, "title") == "에이블리"


@pytest.mark.parametrize(("variant", "place"), [("gone-today", "/today"), ("gone-home", "/")])
async def test_ably_says_gone_in_an_alert_and_moves_on(street: ASGIApp, variant: str, place: str) -> None:
    """With 200, and without the words anywhere but in that script."""
    page = await visit(street, "ably", f"/goods/{pinned_id('ably', 0, variant)}")
    assert page.status == 200
    assert f"alert('판매 중인 상품이 아닙니다');location.replace('{place}')" in page.text
    assert page.text.count("판매 중인 상품이 아닙니다") == 1


async def test_ably_moves_a_gone_product_to_the_days_picks(street: ASGIApp) -> None:
    """A page that is full of other products, one of them in its state."""
    page = await visit(street, "ably", f"/goods/{pinned_id('ably', 0, 'gone-redirect')}")
    assert (page.status, page.headers["location"]) == (302, "/today")
    today = await visit(street, "ably", "/today")
    assert len(re.findall(r"<b>[\d,]+원</b>", today.text)) == 24
    assert state_of(today)["dehydratedState"]["queries"][0]["state"]["data"]["goods"]["name"]


@pytest.mark.parametrize(("variant", "status"), [("challenge-403", 403), ("challenge-200", 200)])
async def test_ably_challenges(street: ASGIApp, variant: str, status: int) -> None:
    """The page of the firewall says nothing of the shop."""
    page = await visit(street, "ably", f"/goods/{pinned_id('ably', 0, variant)}")
    assert page.status == status
    assert "<title>잠시만 기다리십시오…</title>" in page.text
    assert "에이블리" not in page.text


async def test_ably_challenges_the_second_visit_of_a_session(street: ASGIApp) -> None:
    """Whatever product was visited before; a fresh session passes."""
    product_id = pinned_id("ably", 0, "second-visit")
    first = await visit(street, "ably", f"/goods/{pinned_id('ably', 0, 'on-sale')}")
    session = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
    assert (await visit(street, "ably", f"/goods/{product_id}", headers=session)).status == 403
    assert (await visit(street, "ably", f"/goods/{product_id}")).status == 200


async def test_zigzag_answers_as_its_variants_say(street: ASGIApp) -> None:
    """Facts by the rules; nulls with 200, alone and as the consequence of an error."""
    for truth in truths("zigzag"):
        answer = await ask_zigzag(street, truth.product_id)
        variant = truth.variant.name
        assert answer.status == (404 if variant == "gone-404" else 200)
        if variant == "gone-404":
            continue
        info = answer.json["data"]["pdp_option_info"]
        assert ("errors" in answer.json) is (variant == "graphql-error")
        if variant in ("gone-null", "graphql-error"):
            assert info is None
        elif variant == "gone-null-product":
            assert info == {"catalog_product": None}
        else:
            assert read_zigzag(info["catalog_product"]) == truth.facts


async def test_zigzags_traps_are_set(street: ASGIApp) -> None:
    """The first image is not the main one, a suspended product's items are on sale, the newcomers' price is lower."""

    async def product(variant: str) -> tuple[ShopTruth, dict[str, object]]:
        truth = shop_truth("zigzag", pinned_id("zigzag", 0, variant))
        answer = await ask_zigzag(street, truth.product_id)
        return truth, answer.json["data"]["pdp_option_info"]["catalog_product"]

    _, suspended = await product("suspended")
    assert {item["sales_status"] for item in suspended["matched_item_list"]} == {"ON_SALE"}  # type: ignore[attr-defined]
    assert suspended["product_image_list"][0]["image_type"] == "SUB"  # type: ignore[index]
    truth, first = await product("first-purchase")
    assert first["product_price"]["final_discount_info"]["discount_price"] < truth.price  # type: ignore[index]


async def test_zigzags_page_asks_about_another_product_and_not_about_the_state(street: ASGIApp) -> None:
    """Both requests go to one address; only the bodies tell them apart."""
    truth = shop_truth("zigzag", pinned_id("zigzag", 0, "sold-out"))
    page = await visit(street, "zigzag", f"/catalog/products/{truth.product_id}")
    asked = re.search(r'"query": ("(?:[^"\\]|\\.)*")', page.text)
    assert asked is not None
    answer = await ask_zigzag(street, truth.product_id, json.loads(asked[1]))
    product = answer.json["data"]["pdp_option_info"]["catalog_product"]
    assert product["name"] == truth.name
    assert "sales_status" not in product
    assert page.text.index("page.other") < page.text.index("page.own")
    assert read_zigzag(state_of(page)["product"])["name"] == truth.name
    assert (await visit(street, "zigzag", f"/app/catalog/products/{truth.product_id}")).status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"query": "{ a }"}', b'{"query": 1, "variables": {"catalog_product_id": "1", "input": {}}}'],
)
async def test_zigzag_refuses_what_is_no_request(street: ASGIApp, body: bytes) -> None:
    """With 400 and errors, as a GraphQL server does."""
    path = "/api/2/graphql/GetCatalogProductDetailPageOption"
    answer = await visit(street, "zigzag", path, method="POST", body=body)
    assert answer.status == 400
    assert answer.json["errors"]
    assert (await visit(street, "zigzag", path)).status == 400


async def test_zigzag_wants_the_same_id_twice(street: ASGIApp) -> None:
    """The variables and the input within them."""
    one, other = (pinned_id("zigzag", serial, "on-sale") for serial in (0, 1))
    variables = {"catalog_product_id": one, "input": {"catalog_product_id": other}}
    body = json.dumps({"query": QUERY, "variables": variables}).encode()
    path = "/api/2/graphql/GetCatalogProductDetailPageOption"
    answer = await visit(street, "zigzag", path, method="POST", body=body)
    assert (answer.status, "got an invalid value" in answer.text) == (400, True)


async def test_kurlys_state_says_what_its_variants_say(street: ASGIApp) -> None:
    """The product stands behind several KB of other state; without it the title is the site's."""
    for truth in truths("kurly"):
        page = await visit(street, "kurly", f"/goods/{truth.product_id}")
        state, variant = state_of(page), truth.variant.name
        assert page.status == 200
        if is_shown(truth):
            assert read_kurly(state["product"]) == truth.facts
            assert list(state)[-1] == "product"
            assert page.text.index('"product": {"no"') - page.text.index("__NEXT_DATA__") > 5_000
        elif variant == "gone-no-state":
            assert state is None
            assert "<title>페이지를 찾을 수 없습니다</title>" in page.text
        elif variant == "gone-no-name":
            assert state["product"]["name"] == ""
        else:
            assert "product" not in state
            assert og_of(page, "title") == "마켓컬리 - 내일의 장보기, 컬리"


async def test_prices_that_are_not_there_are_null_zero_or_missing(street: ASGIApp) -> None:
    """As each shop has them; a reading that knows one of these forms only is not enough."""

    async def goods(shop: str, path: str, variant: str, **headers: str) -> dict[str, Any]:
        found: dict[str, Any] = (await visit(street, shop, path + pinned_id(shop, 0, variant), headers=headers)).json
        return found

    assert (await goods("musinsa", "/api2/goods/", "no-list-price"))["data"]["goodsPrice"]["normalPrice"] == 0
    assert (await goods("hwahae", "/v14/commerce/goods/", "no-list-price", **CHROME))["consumer_price"] == 0
    for variant, discount in (("no-discount", None), ("zero-discount", {"discount_price": 0})):
        answer = await ask_zigzag(street, pinned_id("zigzag", 0, variant))
        product = answer.json["data"]["pdp_option_info"]["catalog_product"]
        assert product["product_price"]["final_discount_info"] == discount
    kurly = {
        variant: state_of(await visit(street, "kurly", f"/goods/{pinned_id('kurly', 0, variant)}"))["product"]
        for variant in ("no-discount", "zero-discount", "sold-out", "unclear-stock", "no-stock-word")
    }
    assert kurly["no-discount"]["retailPrice"] is kurly["no-discount"]["discountedPrice"] is None
    assert (kurly["zero-discount"]["discountedPrice"], kurly["sold-out"]["discountedPrice"]) == (0, None)
    assert kurly["unclear-stock"]["isSoldOut"] is None
    assert "isSoldOut" not in kurly["no-stock-word"]
    for variant, prices in (("no-discount", {"consumer"}), ("zero-discount", {"consumer", "thumbnail_price"})):
        page = await visit(street, "ably", f"/goods/{pinned_id('ably', 0, variant)}")
        token = re.search(r'"token": "(\w+)"', page.text)
        assert token is not None
        path = f"/api/v3/goods/{pinned_id('ably', 0, variant)}/basic/"
        answer = await visit(street, "ably", path, headers={"X-Anonymous-Token": token[1]})
        assert answer.json["goods"]["price_info"].keys() == prices


async def test_oliveyoungs_mobile_page_is_put_together_by_its_script(street: ASGIApp) -> None:
    """The document has no fact of the product; what the script fetches has the product before others."""
    for truth in truths("oliveyoung"):
        query = f"goodsNo={truth.product_id}"
        page = await visit(street, "oliveyoung", f"/m/goods/getGoodsDetail.do?{query}")
        if not is_shown(truth) or (truth.variant.name.startswith("desktop-") and truth.variant.link == ""):
            continue
        assert "<h3" not in page.text
        assert truth.name not in page.text
        view = (await visit(street, "oliveyoung", f"/goods/view/detail?{query}")).json["html"]
        assert view.count("<h3") == 13
        first = view.index("<h3")
        assert view.index(truth.image) < first < view.index("품절이라")


async def test_oliveyoung_says_gone_in_two_ways(street: ASGIApp) -> None:
    """By an error's title with 200, or by moving to a page that shows other products."""
    title = await visit(street, "oliveyoung", _mobile(pinned_id("oliveyoung", 0, "gone-title")))
    assert (title.status, "<h1 class='error_title'>상품을 찾을 수 없어요</h1>" in title.text) == (200, True)
    moved = await visit(street, "oliveyoung", _mobile(pinned_id("oliveyoung", 0, "gone-redirect")))
    assert (moved.status, moved.headers["location"]) == (302, "/m/goods/nogoods.do")
    nogoods = await visit(street, "oliveyoung", "/m/goods/nogoods.do")
    assert nogoods.text.count("원</b>") == 12


@pytest.mark.parametrize("variant", ["desktop-layout", "desktop-sold-out"])
async def test_oliveyoung_answers_some_mobile_addresses_with_the_desktop_page(street: ASGIApp, variant: str) -> None:
    """Its facts stand under names, and its buttons are links."""
    truth = shop_truth("oliveyoung", pinned_id("oliveyoung", 0, variant))
    page = await visit(street, "oliveyoung", _mobile(truth.product_id))
    assert "<h3" not in page.text
    for mark in ("id='Contents'", "class='prd_name'", "class='prd_img'", "class='price'"):
        assert mark in page.text
    assert ("class='btnBuy'" in page.text) is (variant == "desktop-layout")
    assert ("class='btnSoldout'" in page.text) is (variant == "desktop-sold-out")


@pytest.mark.parametrize("path", ["/store/goods/getGoodsDetail.do", "/store/G.do"])
async def test_oliveyoungs_desktop_links_lead_to_the_desktop_page(street: ASGIApp, path: str) -> None:
    """Who visits them as they are does not see the mobile page."""
    page = await visit(street, "oliveyoung", f"{path}?goodsNo={pinned_id('oliveyoung', 0, 'desktop-link')}")
    assert "id='Contents'" in page.text


async def test_hwahae_answers_its_api_only(street: ASGIApp) -> None:
    """Facts by the rules; every page is refused, the home page included."""
    for truth in truths("hwahae"):
        answer = await visit(street, "hwahae", f"/v14/commerce/goods/{truth.product_id}", headers=CHROME)
        if is_shown(truth):
            assert read_hwahae(answer.json) == truth.facts
        else:
            assert answer.status == {Verdict.GONE: 404, Verdict.BLOCKED: 403}[truth.verdict]
    for path in ("/", "/goods/61550", "/goods/%EC%9D%B4%EB%A6%84/61550"):
        page = await visit(street, "hwahae", path, headers=CHROME)
        assert page.status == 403
        assert "<TITLE>ERROR: The request could not be satisfied</TITLE>" in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"User-Agent": "python-httpx/0.28"},
        {"User-Agent": CHROME["User-Agent"].replace("Chrome", "HeadlessChrome")},
        {"Referer": f"http://{ADDRESSES['hwahae']}:{PORT}/goods/61550"},
        {"Origin": f"http://{ADDRESSES['hwahae']}:{PORT}"},
    ],
    ids=["no browser", "headless", "product's page", "origin"],
)
async def test_hwahae_refuses_who_does_not_ask_as_its_page_does(street: ASGIApp, change: dict[str, str]) -> None:
    """One wrong header is enough."""
    path = f"/v14/commerce/goods/{pinned_id('hwahae', 0, 'on-sale')}"
    assert (await visit(street, "hwahae", path, headers=CHROME)).status == 200
    assert (await visit(street, "hwahae", path, headers=CHROME | change)).status == 403


@pytest.mark.parametrize("shop", [shop for shop in SHOPS if shop != "hwahae"])
async def test_pages_weigh_what_shops_pages_weigh(street: ASGIApp, shop: str) -> None:
    """Tens of KB, with a menu, other products' prices, a script that fetches, and reviews that say 품절."""
    page = await visit(street, shop, _page(shop, pinned_id(shop, 0, "on-sale")))
    text = page.text
    if shop == "oliveyoung":
        view = await visit(street, shop, f"/goods/view/detail?goodsNo={pinned_id(shop, 0, 'on-sale')}")
        text += view.json["html"]
    assert 15_000 < len(text.encode()) < 80_000
    assert "<nav>" in text
    assert "전에 품절이라 기다렸어요" in text
    assert len(re.findall(r"[\d,]+원", text)) > 10
    assert "fetch(" in text


@pytest.mark.parametrize("shop", [shop for shop in SHOPS if shop != "hwahae"])
async def test_front_pages_are_full_of_other_products(street: ASGIApp, shop: str) -> None:
    """The home page and the login page say names and prices, and are about no product."""
    login = {"musinsa": "/auth/login", "ably": "/login", "zigzag": "/auth/login", "kurly": "/member/login"}
    for path in ("/", login.get(shop, "/m/login/loginForm.do")):
        page = await visit(street, shop, path)
        assert page.status == 200
        assert len(re.findall(r"<b>[\d,]+원</b>", page.text)) == 24
    assert "type='password'" in page.text


@pytest.mark.parametrize("shop", [shop for shop in SHOPS if shop != "hwahae"])
async def test_an_address_that_leads_nowhere_is_not_found(street: ASGIApp, shop: str) -> None:
    """With the words that shops use."""
    page = await visit(street, shop, "/nowhere")
    assert page.status == 404
    assert "페이지를 찾을 수 없습니다" in page.text


async def test_host_chooses_the_shop(street: ASGIApp) -> None:
    """The same path is another shop's at another address, and the practice shop's at every other one."""
    product_id = pinned_id("kurly", 0, "on-sale")
    path = f"/goods/{product_id}"
    assert "컬리" in (await visit(street, "kurly", path)).text
    assert "에이블리" in (await visit(street, "ably", path)).text
    assert (await ask(street, path)).status == 404
    assert (await ask(street, "/healthz")).status == 200
    assert (await ask(street, "/jsonld/p/x.ok")).status == 200


async def test_shops_are_there_only_when_asked_for() -> None:
    """The practice shop alone answers for every host as it did."""
    alone = create_storefront()
    assert (await visit(alone, "kurly", f"/goods/{pinned_id('kurly', 0, 'on-sale')}")).status == 404
    assert (await visit(alone, "kurly", "/healthz")).status == 200


async def test_static_files_are_there_for_every_shop(street: ASGIApp) -> None:
    """And may be cached."""
    answer = await visit(street, "kurly", "/static/extra-1.js")
    assert answer.status == 200
    assert "max-age" in answer.headers["cache-control"]


async def test_hits_are_counted_by_shop_and_kind(street: ASGIApp) -> None:
    """A page, its data and everything else; the practice shop's own counts are beside them."""
    await ask(street, "/_reset", method="POST")
    product_id = pinned_id("musinsa", 0, "on-sale")
    for path in (f"/products/{product_id}", f"/api2/goods/{product_id}", f"/api2/goods/{product_id}/options", "/"):
        await visit(street, "musinsa", path)
    await visit(street, "hwahae", "/goods/1")
    await ask(street, "/elsewhere")
    assert (await ask(street, "/_hits")).json["paths"] == {
        "musinsa page": 1,
        "musinsa api": 2,
        "musinsa other": 1,
        "hwahae page": 1,
        "/elsewhere": 1,
    }


async def test_what_a_shop_does_not_take_is_refused(street: ASGIApp) -> None:
    """Other methods, and bodies that no product needs."""
    assert (await visit(street, "kurly", "/", method="DELETE")).status == 405
    assert (await visit(street, "zigzag", "/x", method="POST", body=b"x" * 70_000)).status == 413
    broken = {"Cookie": 'a="\x7f; b'}
    assert (await visit(street, "ably", f"/goods/{pinned_id('ably', 0, 'second-visit')}", headers=broken)).status == 200


def _mobile(product_id: str) -> str:
    return f"/m/goods/getGoodsDetail.do?goodsNo={product_id}"


def _page(shop: str, product_id: str) -> str:
    if shop == "oliveyoung":
        return _mobile(product_id)
    return {"musinsa": "/products/", "zigzag": "/catalog/products/"}.get(shop, "/goods/") + product_id
