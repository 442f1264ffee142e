"""Catalogues of the six shops: deterministic, complete, and able to say what is wrong in a result."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pagemill.demo.shops.addresses import SHOPS, shop_url
from pagemill.demo.shops.catalogue import COLUMNS, ShopRow, generate_shop, write_shop_csv
from pagemill.demo.shops.variants import VARIANTS
from pagemill.errors import UsageError
from pagemill.model import Verdict

PORT = 8900


def rows_of(shop: str, count: int = 100, seed: int = 0) -> list[ShopRow]:
    return list(generate_shop(shop, shop_url(shop, PORT), count, seed=seed))


def row_of(shop: str, variant: str) -> ShopRow:
    return next(row for row in rows_of(shop, len(VARIANTS[shop])) if row.truth.variant.name == variant)


@pytest.mark.parametrize("shop", SHOPS)
def test_same_arguments_give_the_same_rows(shop: str) -> None:
    """Twice the same, and another seed gives other products under other ids."""
    first, again, other = rows_of(shop, 60, 4), rows_of(shop, 60, 4), rows_of(shop, 60, 5)
    assert first == again
    assert {row.product.id for row in first}.isdisjoint(row.product.id for row in other)
    assert {row.truth.product_id for row in first}.isdisjoint(row.truth.product_id for row in other)


@pytest.mark.parametrize("shop", SHOPS)
def test_first_rows_have_every_variant_once(shop: str) -> None:
    """In the order of the shop's table, so that a short catalogue tries them all."""
    count = len(VARIANTS[shop])
    assert [row.truth.variant for row in rows_of(shop, count)] == list(VARIANTS[shop])


@pytest.mark.parametrize("shop", SHOPS)
def test_rows_lead_to_their_product(shop: str) -> None:
    """Ids of rows are unique and not the shop's; every link holds the shop's id and is at the shop's address."""
    rows = rows_of(shop, 300)
    assert len({row.product.id for row in rows}) == len({row.product.url for row in rows}) == 300
    for row in rows:
        assert row.product.url.startswith(f"{shop_url(shop, PORT)}/")
        assert row.truth.product_id in re.findall(r"\w+", row.product.url)
        assert row.product.id != row.truth.product_id
        assert dict(row.product.expected) == dict(row.truth.expected)


def test_links_have_the_forms_of_catalogues() -> None:
    """Both desktop forms of oliveyoung, the app's of zigzag, and hwahae's with the product's name in it."""
    paths = {urlsplit(row.product.url).path for row in rows_of("oliveyoung", 400)}
    assert paths == {"/m/goods/getGoodsDetail.do", "/store/goods/getGoodsDetail.do", "/store/G.do"}
    assert urlsplit(row_of("zigzag", "store-link").product.url).path.startswith("/app/catalog/products/")
    named = row_of("hwahae", "named-link")
    path = unquote(urlsplit(named.product.url).path)
    assert path == f"/goods/{named.truth.name}/{named.truth.product_id}"


def test_large_catalogue_is_not_made_at_once() -> None:
    """The first rows of a catalogue of a thousand million are there at once."""
    rows = generate_shop("kurly", shop_url("kurly", PORT), 10**9)
    assert len(list(itertools.islice(rows, 3))) == 3


@pytest.mark.parametrize("shop", SHOPS)
def test_right_result_has_no_mistakes(shop: str) -> None:
    """Every row accepts its own verdict and facts, with or without fields that were not said."""
    for row in rows_of(shop):
        assert row.mistakes(row.right_verdict, row.right_facts) == ()
        unsaid = dict.fromkeys(("name", "image", "list_price", "price", "status"))
        assert row.mistakes(row.right_verdict, {**unsaid, **row.right_facts}) == ()


def test_wrong_verdict_and_wrong_facts_are_named() -> None:
    """Also where the verdict is right for the wrong reason."""
    row = row_of("musinsa", "coupon")
    assert row.mistakes(Verdict.CHANGED, row.right_facts) == ("changed instead of ok",)
    wrong = {**row.right_facts, "price": row.truth.base_price}
    assert row.mistakes(Verdict.OK, wrong) == (f"price is {row.truth.base_price} instead of {row.truth.price}",)
    assert row.mistakes(Verdict.OK, {**row.right_facts, "price": float(row.truth.price)}) == ()
    assert row.mistakes(Verdict.OK, {**row.right_facts, "price": str(row.truth.price)}) != ()


def test_what_a_shop_does_not_say_must_not_be_there() -> None:
    """A price of a sold-out product that its page does not say, or of one that is gone, is another product's."""
    sold_out, gone = row_of("ably", "sold-out"), row_of("ably", "gone-today")
    assert sold_out.mistakes(Verdict.SOLD_OUT, {**sold_out.right_facts, "price": 9900}) == (
        "price is 9900 instead of None",
    )
    assert gone.mistakes(Verdict.GONE, {"name": "에이블리", "status": "on_sale"}) == ()
    assert gone.mistakes(Verdict.GONE, {"price": 9900}) == ("price is 9900 instead of None",)


def test_csv_gives_the_values_back(tmp_path: Path) -> None:
    """With the columns that the platforms know."""
    rows = rows_of("zigzag", 30)
    assert write_shop_csv(tmp_path / "zigzag.csv", rows) == 30
    with (tmp_path / "zigzag.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS == ("id", "url", "name", "image", "list_price", "price", "status")
    for line, row in zip(read, rows, strict=True):
        expected = row.product.expected
        assert (line["id"], line["url"]) == (row.product.id, row.product.url)
        assert (line["name"], line["price"], line["status"]) == (expected["name"], str(expected["price"]), "on_sale")


def test_unknown_shop_is_refused_at_once() -> None:
    """The error comes before the first row and names what there is."""
    with pytest.raises(UsageError, match="hwahae"):
        generate_shop("coupang", "http://127.0.0.1", 1)
    with pytest.raises(UsageError, match="hwahae"):
        shop_url("coupang", PORT)
