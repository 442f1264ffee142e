"""The shop's other fronts in a real browser: a redesign shows the same products, a build renames classes alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from playwright.async_api import Page, Route

from pagemill.demo.catalogue import PLATFORM_PATHS
from pagemill.demo.front import FIRST_FRONT, Front
from pagemill.demo.shops.addresses import shop_url
from pagemill.demo.shops.catalogue import generate_shop
from pagemill.demo.storefront import StorefrontProcess
from pagemill.demo.truth import truth_of
from tests.browser.demo.chromium_visits import Chromium

pytestmark = pytest.mark.browser

PAGES_OF_SHOPS = ("musinsa", "ably", "zigzag", "kurly", "oliveyoung")
"""The sixth lets no browser in."""
PAGES_WITHOUT_PRICE = ("zigzag",)
_CLASSES = re.compile(r""" class=(?:"[^"]*"|'[^']*')""")


@pytest.fixture(scope="module")
def street() -> Iterator[StorefrontProcess]:
    """The practice shop and the six shops for a test module."""
    with StorefrontProcess(shops=True) as street:
        yield street


def markup_of(chromium: Chromium, street: StorefrontProcess, url: str, front: Front) -> str:
    """All that is in the page when its scripts have done their work."""

    async def look(page: Page) -> str:
        async def pass_on(route: Route) -> None:
            await (route.continue_() if route.request.url.startswith("http://127.") else route.abort())

        await page.route("**/*", pass_on)
        await page.goto(url, wait_until="load")
        await page.wait_for_load_state("networkidle")
        markup: str = await page.evaluate(
            "() => { document.querySelectorAll('script, style, link').forEach((it) => it.remove());"
            " return document.body.outerHTML; }"
        )
        return markup

    street.change_front(front)
    try:
        return chromium.visit(look)
    finally:
        street.change_front(FIRST_FRONT)


@pytest.mark.parametrize("platform", PLATFORM_PATHS)
@pytest.mark.parametrize("state", ["ok", "sold-out"])
@pytest.mark.parametrize("front", [Front(redesigned=True), Front(redesigned=True, build=7)])
def test_practice_shop_shows_the_same_product_redesigned(
    chromium: Chromium, street: StorefrontProcess, platform: str, state: str, front: Front
) -> None:
    """Its name, price, picture and stock, and nothing of the first design; the page's script goes on working."""
    truth = truth_of(f"front-1.{state}")
    url = f"{street.base_url}/{PLATFORM_PATHS[platform]}/p/{truth.product_id}"
    before = markup_of(chromium, street, url, FIRST_FRONT)
    after = markup_of(chromium, street, url, front)
    for markup in (before, after):
        assert f"{truth.price:,}" in markup
        assert truth.image in markup
        assert truth.name in unescape(markup)
    assert 'class="price"' in before
    assert 'class="price"' not in after
    assert ("Sold out" in after) is not truth.in_stock
    assert ("Ready to ship" in after) is truth.in_stock
    assert "data-loaded" in after


@pytest.mark.parametrize("shop", PAGES_OF_SHOPS)
def test_six_shops_show_the_same_product_redesigned(chromium: Chromium, street: StorefrontProcess, shop: str) -> None:
    """Its name, and its price where the page shows one: the page's script understands the other API."""
    row = next(iter(generate_shop(shop, shop_url(shop, street.port), 1)))
    markup = markup_of(chromium, street, row.product.url, Front(redesigned=True))
    assert row.truth.name in unescape(markup)
    if shop not in PAGES_WITHOUT_PRICE:
        assert f"{row.truth.price:,}원" in markup
    assert markup != markup_of(chromium, street, row.product.url, FIRST_FRONT)


@pytest.mark.parametrize("form", ["hydrated", "oliveyoung"])
def test_new_build_renames_classes_and_nothing_else(chromium: Chromium, street: StorefrontProcess, form: str) -> None:
    """Text, tags and their order are the same; the practice shop has nothing but hashes, others change their own."""
    if form == "hydrated":
        url = f"{street.base_url}/hydrated/p/front-2.ok"
    else:
        url = next(iter(generate_shop(form, shop_url(form, street.port), 1))).product.url
    first, second = (markup_of(chromium, street, url, Front(build=build)) for build in (1, 2))
    assert first != second
    assert _CLASSES.sub("", first) == _CLASSES.sub("", second)
    classes = {name for found in re.finditer(r'class="([^"]*)"', first) for name in found[1].split()}
    if form == "hydrated":
        assert {name for name in classes if not re.fullmatch(r"css-x[0-9a-f]{6}", name)} == set()
    again = {name for found in re.finditer(r'class="([^"]*)"', second) for name in found[1].split()}
    assert {name for name in classes & again if re.search(r"_[0-9a-f]{6}$|^css-", name)} == set()
