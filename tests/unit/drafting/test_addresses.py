"""Where a product's id stands in URLs, told by what differs between them."""

from __future__ import annotations

import re

import pytest

from pagemill.drafting.addresses import product_addresses


@pytest.mark.parametrize(
    ("urls", "ids", "visit"),
    [
        (
            ["https://m.shop.com/goods/32438971", "https://m.shop.com/goods/32438972"],
            ["32438971", "32438972"],
            "https://m.shop.com/goods/{id}",
        ),
        (
            [f"https://shop.com/m/detail.do?goodsNo=A00000023182{n}" for n in range(3)],
            ["A000000231820", "A000000231821", "A000000231822"],
            "https://shop.com/m/detail.do?goodsNo={id}",
        ),
        (
            ["https://shop.com/catalogue/the-book_209/", "https://shop.com/catalogue/another-thing_20/"],
            ["the-book_209", "another-thing_20"],
            "https://shop.com/catalogue/{id}/",
        ),
        (
            ["https://shop.com/p/h-000123", "https://shop.com/p/h-000124.gone-404"],
            ["h-000123", "h-000124.gone-404"],
            "https://shop.com/p/{id}",
        ),
        (
            ["https://shop.com/products/blue-cup", "https://shop.com/products/red-cup-2"],
            ["blue-cup", "red-cup-2"],
            "https://shop.com/products/{id}",
        ),
        (["https://shop.com/goods/a-name/61560", "https://shop.com/goods/61561"], ["61560", "61561"], None),
        (
            ["https://shop.com/catalog/products/157001205"],
            ["157001205"],
            "https://shop.com/catalog/products/{id}",
        ),
    ],
)
def test_the_id_is_what_differs(urls: list[str], ids: list[str], visit: str | None) -> None:
    """The pattern finds each product's id in its URL, and the template makes the same address of it."""
    found = product_addresses(urls)
    assert found.id is not None
    assert [match["id"] for url in urls if (match := re.search(found.id, url))] == ids
    assert found.visit == visit


def test_most_common_form_is_visited() -> None:
    """Where a catalogue has links of two forms, the address is made in the form that more of them have."""
    urls = [f"https://shop.com/m/detail.do?no=A00000{n}" for n in range(2)] + ["https://shop.com/old.do?no=A000009"]
    assert product_addresses(urls).visit == "https://shop.com/m/detail.do?no={id}"


def test_addresses_without_an_id_are_told() -> None:
    """Ids in different places have no pattern: nothing is made up."""
    found = product_addresses(["https://shop.com/goods/123456", "https://shop.com/detail?no=123457"])
    assert found.id is None and found.visit is None
    assert "different places" in found.why
