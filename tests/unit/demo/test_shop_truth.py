"""The truth about the six shops' products: stable, pinned by the id's last digits, and complete."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.demo.shops.addresses import SHOPS
from pagemill.demo.shops.truth import PINNED_FROM, drawn_id, pinned_id, shop_truth, variant_of
from pagemill.demo.shops.variants import FIELDS, STATUSES, VARIANTS, Variant
from pagemill.errors import UsageError
from pagemill.model import Verdict

EVERY = [pytest.param(shop, variant, id=f"{shop}-{variant.name}") for shop in SHOPS for variant in VARIANTS[shop]]
DIGITS = {"musinsa": 7, "ably": 8, "zigzag": 9, "kurly": 10, "hwahae": 5}


def test_known_product_never_changes() -> None:
    """The truth is the same in every process and every version: catalogues that were written once stay right."""
    truth = shop_truth("kurly", "1000284950")
    assert truth.facts == {
        "name": "제주 감귤 3kg 5727 - 리뉴얼 전",
        "image": "https://cdn.example/kurly/1000284950/a.jpg",
        "list_price": 28_800,
        "price": 20_160,
        "status": "on_sale",
    }


@pytest.mark.parametrize(("shop", "variant"), EVERY)
def test_id_can_pin_its_variant(shop: str, variant: Variant) -> None:
    """Whatever the product's number, and in the form that the shop's ids have."""
    for serial in (0, 7, 1234):
        product_id = pinned_id(shop, serial, variant.name)
        assert variant_of(shop, product_id) is variant
        assert shop_truth(shop, product_id).verdict is variant.verdict
        if shop == "oliveyoung":
            assert re.fullmatch(r"A\d{12}", product_id)
        else:
            assert re.fullmatch(r"\d+", product_id)
    if shop != "oliveyoung":
        assert len(pinned_id(shop, 0, variant.name)) == DIGITS[shop]


@pytest.mark.parametrize("shop", SHOPS)
def test_pins_leave_room_for_every_variant(shop: str) -> None:
    """Two digits are enough, and names are told apart."""
    names = [variant.name for variant in VARIANTS[shop]]
    assert len(names) == len(set(names)) <= 100 - PINNED_FROM


@pytest.mark.parametrize("shop", SHOPS)
def test_drawn_ids_are_never_pinned_and_reach_every_variant(shop: str) -> None:
    """Most products are on sale, and nothing is left out of a long catalogue."""
    count = 4_000
    seen = [variant_of(shop, drawn_id(shop, serial)).name for serial in range(count)]
    assert set(seen) == {variant.name for variant in VARIANTS[shop]}
    assert seen.count("on-sale") > count * 0.4
    assert all(int(drawn_id(shop, serial)[-2:]) < PINNED_FROM for serial in range(200))


@pytest.mark.parametrize(("shop", "variant"), EVERY)
def test_verdict_goes_with_what_is_said(shop: str, variant: Variant) -> None:
    """A shop that shows the product says its status; one that does not says nothing of it."""
    by_status = {
        "on_sale": {Verdict.OK, Verdict.CHANGED},
        "sold_out": {Verdict.SOLD_OUT},
        "off_sale": {Verdict.OFF_SALE},
        None: {Verdict.GONE, Verdict.BLOCKED, Verdict.FAILED},
    }
    assert variant.verdict in by_status[variant.status]
    facts = shop_truth(shop, pinned_id(shop, 3, variant.name)).facts
    assert set(facts) <= set(FIELDS)
    assert ("name" in facts) is (facts.get("status") in STATUSES)


@given(st.sampled_from(SHOPS), st.text(min_size=1, max_size=20))
def test_every_id_has_a_truth(shop: str, product_id: str) -> None:
    """Any text is an id; names need no trimming, and prices are positive and in their order."""
    truth = shop_truth(shop, product_id)
    assert truth.name == " ".join(truth.name.split())
    assert len(truth.name) > 3
    assert 0 < truth.lower_price < truth.price <= truth.list_price


@pytest.mark.parametrize(("shop", "variant"), EVERY)
def test_catalogue_differs_exactly_where_the_verdict_says(shop: str, variant: Variant) -> None:
    """`ok` differs in nothing but the query behind a thumbnail, `changed` in its one field."""
    for serial in range(20):
        truth = shop_truth(shop, pinned_id(shop, serial, variant.name))
        facts = dict(truth.facts)
        differing = {name for name, value in truth.expected.items() if name in facts and facts[name] != value}
        differing.discard("image")
        if variant.verdict in (Verdict.OK, Verdict.CHANGED):
            assert differing == ({variant.drift} if variant.drift else set())
        assert truth.image.partition("?")[0] == truth.listed_image.partition("?")[0]


@pytest.mark.parametrize("shop", SHOPS)
def test_catalogues_have_thumbnails_of_both_kinds(shop: str) -> None:
    """With the query that resizes them and without."""
    listed = [shop_truth(shop, drawn_id(shop, serial)).listed_image for serial in range(50)]
    assert 0 < sum("?format=webp" in image for image in listed) < 50


def test_unknown_words_are_refused() -> None:
    """The error names what there is."""
    with pytest.raises(UsageError, match="stop-sale"):
        pinned_id("musinsa", 0, "closed")
    for ask in (shop_truth, variant_of):
        with pytest.raises(UsageError, match="oliveyoung"):
            ask("amazon", "1")
    with pytest.raises(UsageError, match="oliveyoung"):
        drawn_id("amazon", 1)
