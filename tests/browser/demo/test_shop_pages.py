"""What the pages of the six shops do and show in a real browser, read as the notes on the real shops say."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Dialog, Page, Request, Route

from pagemill.demo.shops.addresses import shop_url
from pagemill.demo.shops.catalogue import ShopRow, generate_shop
from pagemill.demo.shops.furniture import others
from pagemill.demo.shops.truth import pinned_id, shop_truth
from pagemill.demo.shops.variants import VARIANTS, Variant
from pagemill.demo.storefront import StorefrontProcess
from tests.browser.demo.chromium_visits import Chromium

pytestmark = pytest.mark.browser

MOBILE = "/m/goods/getGoodsDetail.do?goodsNo="
LOOK_S = 15.0

# The steps of the notes, in their order: name by the first h3 or by the desktop page's name, price text below it, the
# first visible button whose words decide, then the desktop page's links.
_READ_OLIVEYOUNG = """() => {
  const words = [["일시품절", "sold_out"], ["품절", "sold_out"], ["바로구매", "on_sale"], ["구매하기", "on_sale"],
    ["장바구니", "on_sale"], ["전시기간", "off_sale"], ["판매중지", "off_sale"], ["단종", "off_sale"]];
  const heading = document.querySelector("h3");
  const name = heading ?? document.querySelector("#Contents .prd_name");
  const price = heading?.parentNode.parentNode.children[2] ?? document.querySelector("#Contents .price");
  const image = document.querySelector(".swiper-slide-active img, .prd_img img");
  const meaning = (node) => words.find(([word]) => node.textContent.includes(word))?.[1];
  const visible = [...document.querySelectorAll("button")].filter((node) => node.checkVisibility());
  let status = visible.map(meaning).find((word) => word);
  if (!status && document.querySelector(".btnBuy, .btnBasket")) status = "on_sale";
  if (!status && document.querySelector(".btnSoldout")) status = "sold_out";
  const address = image?.getAttribute("src").split("?")[0];
  return { name: name?.textContent, image: address, price: price?.textContent, status };
}"""
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d{4,}")


@dataclass
class Seen:
    """What one visit saw."""

    status: int | None = None
    url: str = ""
    title: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def shops() -> Iterator[StorefrontProcess]:
    """The six shops for a test module."""
    with StorefrontProcess(shops=True) as shops:
        yield shops


async def look_at(page: Page, url: str, ready: str = "body", script: str = "") -> Seen:
    """Visits the page, lets its script come to its end, and notes what it asks for and says."""
    seen = Seen()

    async def pass_on(route: Route) -> None:
        """Images are at hosts of the real shops: no test asks them."""
        await (route.continue_() if route.request.url.startswith("http://127.") else route.abort())

    def note(request: Request) -> None:
        if request.resource_type == "fetch":
            seen.asked.append(request.url.split("/", 3)[3])
            seen.bodies.append(json.loads(request.post_data) if request.post_data else None)

    async def dismiss(dialog: Dialog) -> None:
        seen.said.append(dialog.message)
        await dialog.dismiss()

    await page.route("**/*", pass_on)
    page.on("request", note)
    page.on("dialog", dismiss)
    response = await page.goto(url, wait_until="load", timeout=LOOK_S * 1000)
    await page.wait_for_load_state("networkidle", timeout=LOOK_S * 1000)
    await page.wait_for_selector(ready, state="attached", timeout=LOOK_S * 1000)
    seen.status = response.status if response else None
    seen.url, seen.title = page.url, await page.title()
    if script:
        seen.facts = await page.evaluate(script)
    return seen


def visit(chromium: Chromium, url: str, ready: str = "body", script: str = "") -> Seen:
    return chromium.visit(functools.partial(look_at, url=url, ready=ready, script=script))


def url_of(shops: StorefrontProcess, shop: str, path: str) -> str:
    return shop_url(shop, shops.port) + path


def test_musinsas_page_asks_for_another_product_before_its_own(chromium: Chromium, shops: StorefrontProcess) -> None:
    """And then for the own one's options, below the own one's address."""
    truth = shop_truth("musinsa", pinned_id("musinsa", 0, "coupon"))
    other = others("musinsa", truth.product_id, 1)[0]
    seen = visit(
        chromium,
        url_of(shops, "musinsa", f"/products/{truth.product_id}"),
        script="() => ({ price: document.querySelector('#price').textContent })",
    )
    own = f"api2/goods/{truth.product_id}"
    assert seen.asked == [f"api2/goods/{other.product_id}", own, f"{own}/options", f"{own}/curation"]
    assert seen.facts == {"price": f"{truth.price:,}원"}


def test_musinsas_own_page_may_ask_where_others_are_refused(chromium: Chromium, shops: StorefrontProcess) -> None:
    """Its visit leaves the cookie that the API wants."""
    truth = shop_truth("musinsa", pinned_id("musinsa", 0, "page-only"))
    seen = visit(
        chromium,
        url_of(shops, "musinsa", f"/products/{truth.product_id}"),
        script="() => ({ price: document.querySelector('#price').textContent })",
    )
    assert seen.facts == {"price": f"{truth.price:,}원"}


def test_ablys_page_fetches_its_answer(chromium: Chromium, shops: StorefrontProcess) -> None:
    """After another product's, and shows what it says."""
    truth = shop_truth("ably", pinned_id("ably", 0, "no-discount"))
    other = others("ably", truth.product_id, 1)[0]
    seen = visit(
        chromium,
        url_of(shops, "ably", f"/goods/{truth.product_id}"),
        script="() => ({ name: document.querySelector('#name').textContent,"
        " price: document.querySelector('#price').textContent })",
    )
    assert seen.asked == [f"api/v3/goods/{one.product_id}/basic/" for one in (other, truth)]
    assert seen.facts == {"name": truth.name, "price": f"{truth.list_price:,}원"}


@pytest.mark.parametrize("variant", ["sold-out", "restock", "state-only"])
def test_ablys_other_pages_fetch_nothing(chromium: Chromium, shops: StorefrontProcess, variant: str) -> None:
    """All that there is stands in the document."""
    seen = visit(chromium, url_of(shops, "ably", f"/goods/{pinned_id('ably', 0, variant)}"))
    assert seen.asked == []


@pytest.mark.parametrize(
    ("variant", "said", "path"),
    [
        ("gone-today", ["판매 중인 상품이 아닙니다"], "/today"),
        ("gone-home", ["판매 중인 상품이 아닙니다"], "/"),
        ("gone-redirect", [], "/today"),
    ],
)
def test_ably_leaves_the_page_of_a_gone_product(
    chromium: Chromium, shops: StorefrontProcess, variant: str, said: list[str], path: str
) -> None:
    """With an alert or without; the page where it ends shows other products."""
    seen = visit(chromium, url_of(shops, "ably", f"/goods/{pinned_id('ably', 0, variant)}"), ready="main strong")
    assert (seen.said, seen.url) == (said, url_of(shops, "ably", path))


def test_ably_challenges_a_session_it_has_seen(chromium: Chromium, shops: StorefrontProcess) -> None:
    """The first visit passes, the second is challenged."""
    url = url_of(shops, "ably", f"/goods/{pinned_id('ably', 0, 'second-visit')}")

    async def twice(page: Page) -> list[tuple[int, str]]:
        seen = []
        for _ in range(2):
            response = await page.goto(url)
            assert response is not None
            seen.append((response.status, await page.title()))
        return seen

    assert chromium.visit(twice) == [(200, "에이블리"), (403, "잠시만 기다리십시오…")]


def test_zigzags_page_tells_products_apart_in_the_body_only(chromium: Chromium, shops: StorefrontProcess) -> None:
    """Two requests to one address, the other product's first."""
    truth = shop_truth("zigzag", pinned_id("zigzag", 0, "on-sale"))
    other = others("zigzag", truth.product_id, 1)[0]
    seen = visit(
        chromium,
        url_of(shops, "zigzag", f"/catalog/products/{truth.product_id}"),
        script="() => ({ name: document.querySelector('#name').textContent })",
    )
    assert seen.asked == ["api/2/graphql/GetCatalogProductDetailPageOption"] * 2
    assert [body["variables"]["catalog_product_id"] for body in seen.bodies] == [other.product_id, truth.product_id]
    assert seen.facts == {"name": truth.name}


def test_kurlys_page_shows_prices_that_are_not_the_right_one(chromium: Chromium, shops: StorefrontProcess) -> None:
    """Its state has the right one; a page without its product has the site's title."""
    truth = shop_truth("kurly", pinned_id("kurly", 0, "on-sale"))
    script = "() => ({ text: document.querySelector('main').innerText, state: JSON.parse(__NEXT_DATA__.textContent) })"
    seen = visit(chromium, url_of(shops, "kurly", f"/goods/{truth.product_id}"), script=script)
    assert seen.facts["state"]["props"]["pageProps"]["product"]["discountedPrice"] == truth.price
    assert f"{truth.lower_price:,}원" in seen.facts["text"]
    gone = visit(chromium, url_of(shops, "kurly", f"/goods/{pinned_id('kurly', 0, 'gone')}"))
    assert gone.title == "마켓컬리 - 내일의 장보기, 컬리"


@pytest.mark.parametrize("variant", VARIANTS["oliveyoung"], ids=lambda variant: variant.name)
def test_oliveyoungs_pages_are_read_by_position_and_words(
    chromium: Chromium, shops: StorefrontProcess, variant: Variant
) -> None:
    """Every variant, at the mobile address; a gone product ends at an error's title or at another address."""
    truth = shop_truth("oliveyoung", pinned_id("oliveyoung", 0, variant.name))
    ready = "h3, h1, .prd_name"
    url = url_of(shops, "oliveyoung", MOBILE + truth.product_id)
    seen = visit(chromium, url, ready=ready, script=_READ_OLIVEYOUNG)
    if variant.name == "gone-redirect":
        assert seen.url.endswith("/m/goods/nogoods.do")
    elif variant.name == "gone-title":
        assert seen.facts == dict.fromkeys(("name", "image", "price", "status"))
    else:
        assert _oliveyoung_facts(seen.facts) == truth.facts


def _oliveyoung_facts(raw: dict[str, Any]) -> dict[str, Any]:
    numbers = [int(number.replace(",", "")) for number in _NUMBER.findall(raw["price"])]
    price = numbers[-1] if "%" in raw["price"] else numbers[0]
    return {**raw, "list_price": numbers[0], "price": price}


def test_oliveyoungs_drawn_products_are_read_as_well(chromium: Chromium, shops: StorefrontProcess) -> None:
    """In every build's class names and with prices of every size."""
    count = len(VARIANTS["oliveyoung"])
    rows: list[ShopRow] = list(generate_shop("oliveyoung", shop_url("oliveyoung", shops.port), count + 6))[count:]
    for row in rows:
        if row.truth.variant.status is None:
            continue
        url = url_of(shops, "oliveyoung", MOBILE + row.truth.product_id)
        seen = visit(chromium, url, ready="h3, .prd_name", script=_READ_OLIVEYOUNG)
        assert _oliveyoung_facts(seen.facts) == row.right_facts


def test_hwahae_refuses_a_browser(chromium: Chromium, shops: StorefrontProcess) -> None:
    """At the product's address and at the home page."""
    for path in (f"/goods/{pinned_id('hwahae', 0, 'on-sale')}", "/"):
        seen = visit(chromium, url_of(shops, "hwahae", path))
        assert (seen.status, seen.title) == (403, "ERROR: The request could not be satisfied")
