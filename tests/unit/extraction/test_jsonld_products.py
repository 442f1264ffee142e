"""JSON-LD is read as shops write it, which is not always as its makers meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pagemill.config.reading.field_rule import FieldRule
from pagemill.extraction.json_path import FoundValue, find_value, parse_json, told_at_path
from pagemill.extraction.jsonld import own_product
from pagemill.extraction.published.structured_data import StructuredData
from pagemill.model import Facts

PRODUCT = {
    "@type": "Product",
    "name": "Shirt",
    "offers": {"price": "12,900", "availability": "https://schema.org/InStock"},
}
FIELDS = {
    "name": FieldRule(path="name"),
    "price": FieldRule(path="offers.price", type="number"),
    "in_stock": FieldRule(path="offers.availability", type="boolean"),
}
ADDRESS = "https://shop.example/p/1"
SHIRT = {"name": "Shirt", "price": 12900, "in_stock": True}


def product_facts(scripts: list[str], fields: dict[str, FieldRule]) -> Facts:
    """What the page's own product says at each path."""
    product, _problems = own_product(StructuredData(scripts=tuple(scripts)), ADDRESS)
    return {name: told_at_path(product or {}, rule, 0, "jsonld").value for name, rule in fields.items()}


@pytest.mark.parametrize(
    "script",
    [
        json.dumps(PRODUCT),
        json.dumps([{"@type": "Organization"}, PRODUCT]),
        json.dumps({"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, PRODUCT]}),
        json.dumps({"@type": "WebPage", "mainEntity": PRODUCT}),
        json.dumps(PRODUCT | {"@type": ["Thing", "Product"]}),
        json.dumps(PRODUCT | {"@type": "https://schema.org/Product"}),
        json.dumps(PRODUCT | {"@type": "ProductGroup"}),
        json.dumps(PRODUCT | {"offers": [PRODUCT["offers"]]}),
        json.dumps(PRODUCT | {"offers": [{"@type": "Offer"}, PRODUCT["offers"]]}),
        f"<!-- {json.dumps(PRODUCT)} -->",
        f"//<![CDATA[\n{json.dumps(PRODUCT)}\n//]]>",
        f"/*<![CDATA[*/{json.dumps(PRODUCT)}/*]]>*/",
        f"\ufeff  {json.dumps(PRODUCT)};".lstrip("\ufeff"),
        json.dumps(PRODUCT | {"description": "two\nlines"}).replace("\\n", "\n"),
    ],
)
def test_finds_the_product_wherever_it_is(script: str) -> None:
    """In lists and graphs, with several types, behind comments, with line breaks in its texts."""
    assert product_facts([script], FIELDS) == SHIRT


def test_one_broken_script_does_not_hide_another() -> None:
    """Several scripts, one of them no JSON at all, one without a product."""
    assert product_facts(["{", json.dumps({"@type": "BreadcrumbList"}), json.dumps(PRODUCT)], FIELDS) == SHIRT


def test_the_product_that_says_most_is_taken() -> None:
    """A bare product next to a full one is not the one to read; of equals, the first is."""
    bare, other = {"@type": "Product", "name": "Bare"}, PRODUCT | {"name": "Other"}
    assert product_facts([json.dumps(bare), json.dumps([PRODUCT, other])], FIELDS) == SHIRT


@pytest.mark.parametrize(
    "script",
    [
        json.dumps({"@type": "ItemList", "itemListElement": [PRODUCT]}),
        json.dumps({"@type": "WebPage", "isRelatedTo": PRODUCT}),
        json.dumps({"@type": "ProductList"}),
        json.dumps({"@type": {"a": 1}}),
        json.dumps("Product"),
        "",
        "[" * 100_000,
        "null",
    ],
)
def test_other_products_are_not_this_product(script: str) -> None:
    """Lists and relations name products too; a page without one of its own says nothing."""
    assert product_facts([script], FIELDS) == dict.fromkeys(FIELDS)


def test_an_aggregate_offer_is_read_only_when_asked() -> None:
    """`offers.price` does not become `lowPrice` by itself."""
    script = json.dumps({"@type": "Product", "offers": {"@type": "AggregateOffer", "lowPrice": 5, "highPrice": 9}})
    assert product_facts([script], {"price": FieldRule(path="offers.price")}) == {"price": None}
    assert product_facts([script], {"price": FieldRule(path="offers.lowPrice")}) == {"price": 5}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", FoundValue(1)),
        ("b.c", FoundValue("x")),
        ("b.d", None),
        ("b", FoundValue(None)),
        ("list.n", FoundValue(2)),
        ("list.1.n", FoundValue(3)),
        ("list.9.n", None),
        ("list.m", FoundValue(4)),
        ("texts", FoundValue("first")),
        ("texts.1", FoundValue("second")),
        ("empty", FoundValue(None)),
        ("nothing", FoundValue(None)),
        ("nothing.more", None),
        ("yes", FoundValue(True)),
        ("a.b", None),
    ],
)
def test_paths_lead_through_lists(path: str, found: FoundValue | None) -> None:
    """A list stands for the first element that can answer; `null` is an answer, a missing key is none."""
    document: Any = {
        "a": 1,
        "b": {"c": "x"},
        "list": [{"n": 2}, {"n": 3, "m": 4}],
        "texts": ["first", "second"],
        "empty": [],
        "nothing": None,
        "yes": True,
    }
    assert find_value(document, path) == found


def test_deep_json_is_no_json() -> None:
    """Nesting without end is refused like any other mistake."""
    with pytest.raises(ValueError, match="deep"):
        parse_json("[" * 200_000)
    with pytest.raises(ValueError, match="digits"):
        parse_json("9" * 5000)
