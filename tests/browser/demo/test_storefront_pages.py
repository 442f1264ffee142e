"""What the pages of the practice shop show in a real browser."""

from __future__ import annotations

import functools

import pytest

from pagemill.demo.catalogue import PLATFORM_PATHS, generate
from pagemill.demo.pages import WEIGHTS
from pagemill.demo.storefront import StorefrontProcess
from pagemill.demo.truth import ProductState, truth_of
from pagemill.model import FactValue, Product
from tests.browser.demo.chromium_visits import Chromium, Visit, judge, read

pytestmark = pytest.mark.browser

PATHS = tuple(PLATFORM_PATHS.values())


def look_at(chromium: Chromium, url: str) -> Visit:
    return chromium.visit(functools.partial(read, url=url))


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("path", PATHS)
def test_page_shows_its_facts(chromium: Chromium, shop: StorefrontProcess, path: str, weight: str) -> None:
    """Each platform's page, in each weight, says what the truth says."""
    truth = truth_of("b-17.ok")
    visit = look_at(chromium, f"{shop.base_url}/{path}/p/{truth.product_id}?weight={weight}")
    assert visit.facts == {"name": truth.name, "price": truth.price, "in_stock": True}
    assert visit.photo == truth.image


@pytest.mark.parametrize("state", ProductState)
@pytest.mark.parametrize("path", PATHS)
def test_page_of_every_state_leads_to_the_right_verdict(
    chromium: Chromium, shop: StorefrontProcess, path: str, state: ProductState
) -> None:
    """A reader that follows the contract comes to the verdict that the truth calls right."""
    truth = truth_of(f"b-5.{state}")
    url = f"{shop.base_url}/{path}/p/{truth.product_id}"
    expected: dict[str, FactValue] = {
        "name": truth.listed_name,
        "price": truth.listed_price,
        "in_stock": truth.listed_in_stock,
    }
    assert judge(look_at(chromium, url), Product(truth.product_id, url, expected)) is truth.verdict


@pytest.mark.parametrize("platform", PLATFORM_PATHS)
def test_rows_of_a_catalogue_are_judged_as_they_say(chromium: Chromium, shop: StorefrontProcess, platform: str) -> None:
    """Rows as the generator draws them, in all forms of markup, are judged to their right verdict."""
    for row in generate(platform, shop.base_url, 25, seed=3, weight="light"):
        visit = look_at(chromium, row.product.url)
        assert row.accepts(judge(visit, row.product)), (row, visit)


def test_hydrated_page_has_the_documented_shape(chromium: Chromium, shop: StorefrontProcess) -> None:
    """One view asks for one document, one stylesheet, one script, ten photos and one piece of data."""
    look_at(chromium, f"{shop.base_url}/hydrated/p/b-1.ok")
    paths = shop.hits("b-1.ok").paths
    assert paths["/hydrated/p"] == 1
    assert paths["/hydrated/api"] == 1
    assert paths["/static"] == 2
    assert paths["/img"] <= 10


def test_api_page_makes_unrelated_calls(chromium: Chromium, shop: StorefrontProcess) -> None:
    """Next to the product's data the page asks for a session and for recommendations."""
    look_at(chromium, f"{shop.base_url}/api/p/b-1.ok")
    paths = shop.hits().paths
    assert paths["/api/v1/products"] == 1
    assert paths["/api/v1"] == 2
