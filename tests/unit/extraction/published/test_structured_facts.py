"""What a page publishes becomes the standard facts of its own product, and of no other one."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.extraction.published.schema_product import StructuredData, StructuredFacts, standard_facts

PAGE = "https://shop.example/p/lamp"
IN, OUT = "https://schema.org/InStock", "https://schema.org/OutOfStock"
NAMES = ("name", "brand", "sku", "image", "price", "list_price", "currency", "in_stock")


def offer(price: object = "30.00", availability: object = IN, **more: Any) -> dict[str, Any]:
    said = {"@type": "Offer", "price": price, "priceCurrency": "EUR", "availability": availability, **more}
    return {name: value for name, value in said.items() if value is not None}


def product(name: str = "Desk lamp", offers: object = None, **more: Any) -> dict[str, Any]:
    return {"@type": "Product", "name": name, **({} if offers is None else {"offers": offers}), **more}


def read(*documents: object, address: str = PAGE, **page: Any) -> StructuredFacts:
    """JSON-LD documents, each in a script of its own, texts as they stand; and what else the page has."""
    scripts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in documents]
    return standard_facts(StructuredData.of({"scripts": scripts, **page}), address)


def facts(*documents: object, **page: Any) -> dict[str, Any]:
    """Those facts that are said."""
    return {name: value for name, value in read(*documents, **page).facts.items() if value is not None}


LAMP: dict[str, Any] = {"name": "Desk lamp", "price": 30, "currency": "EUR", "in_stock": True}


def test_gives_all_standard_facts() -> None:
    """A whole product; what nobody says is `None`."""
    whole = product(offers=offer(), brand={"@type": "Brand", "name": "Lumen"}, sku="L-30", image="/i/lamp.jpg")
    found = read(whole)
    assert found == StructuredFacts(
        {**LAMP, "brand": "Lumen", "sku": "L-30", "image": "https://shop.example/i/lamp.jpg", "list_price": None},
        products=1,
        chosen="the only one",
    )
    assert read() == StructuredFacts(dict.fromkeys(NAMES))


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "Product",
            "product",
            "PRODUCT",
            "http://schema.org/Product",
            "https://www.schema.org/Product",
            "schema:Product",
        ),
        *("Car", "Vehicle", "Motorcycle", "Book", "Movie", "VideoGame", "SoftwareApplication", "ProductModel"),
        *("IndividualProduct", "SomeProducts", "Event", "Course", ["Thing", "Product"], None),
    ],
)
def test_knows_what_is_sold(kind: object) -> None:
    """By its type in any spelling, or by having offers."""
    assert facts({"@type": kind, "name": "Desk lamp", "offers": offer()}) == LAMP


@pytest.mark.parametrize(
    "document",
    [
        [product(offers=offer())],
        {"@graph": [{"@type": "WebSite", "name": "Shop"}, product(offers=offer())]},
        {"@type": "WebPage", "mainEntity": product(offers=offer())},
        {"@type": "WebPage", "about": product(offers=offer())},
        {"@type": "BreadcrumbList", "mainEntityOfPage": {"@type": "WebPage", "mainEntity": [product(offers=offer())]}},
        {**offer(), "itemOffered": product()},
        {"@type": "Person", "makesOffer": {**offer(), "itemOffered": product()}},
        product(offers={**offer(), "itemOffered": {"@type": "Product", "name": "Desk lamp"}}),
        {"@graph": [product(**{"@id": "#p"}), {**offer(), "itemOffered": {"@id": "#p"}}]},
        {"@graph": [{**offer(), "itemOffered": {"@id": "#p"}}, product(**{"@id": "#p"})]},
        {"@graph": [product(offers={"@id": "#o"}), {**offer(), "@id": "#o"}]},
        {"@graph": [{**offer(), "@id": PAGE + "#o"}, product(offers=["#o"])]},
        {"@graph": [{"@type": "WebPage", "mainEntity": {"@id": "#p"}}, product(offers=offer(), **{"@id": "#p"})]},
        product() | {"@reverse": {"itemOffered": offer()}},
        {"type": "Product", "id": "#p", "name": "Desk lamp", "offers": offer()},
        {"@TYPE": "x", "@type": "Product", "NAME": "Desk lamp", "Offers": offer()},
        {"@type": "schema:Product", "schema:name": "Desk lamp", "https://schema.org/offers": offer()},
        {"@context": {"s": "http://schema.org/"}, "@type": "s:Product", "s:name": "Desk lamp", "s:offers": offer()},
        product(name={"@value": "Desk lamp", "@language": "en"}, offers={"@list": [offer()]}),  # type: ignore[arg-type]
    ],
)
def test_finds_the_product_wherever_it_stands(document: object) -> None:
    """In lists and graphs, by references, as what a page is about, as what an offer is of; in all spellings."""
    found = read(document)
    assert {name: value for name, value in found.facts.items() if value is not None} == LAMP
    assert found.chosen == "the only one"


def test_follows_references_across_scripts() -> None:
    """Also to a brand and a picture."""
    lamp = product(offers={"@id": "#offer"}, brand={"@id": "#brand"}, image={"@id": "#image"})
    others = [{**offer(), "@id": "#offer"}, {"@type": "Brand", "@id": "#brand", "name": "Lumen"}]
    picture = {"@type": "ImageObject", "@id": "#image", "contentUrl": "lamp.png"}
    assert facts(lamp, *others, {"@graph": [picture]}) == {
        **LAMP,
        "brand": "Lumen",
        "image": "https://shop.example/p/lamp.png",
    }


@pytest.mark.parametrize(
    "document",
    [
        {"@type": "ItemList", "itemListElement": [product(offers=offer()), {"item": product(offers=offer())}]},
        {"@type": "WebPage", "mainEntity": {"@type": "ItemList", "itemListElement": product(offers=offer())}},
        {"@type": "Review", "name": "Fine", "itemReviewed": product(offers=offer())},
        {
            "@type": "Organization",
            "name": "Shop",
            "makesOffer": [{"itemOffered": product()}, {"itemOffered": product()}],
        },
        {"@type": "Organization", "name": "Shop"},
        {"@graph": [offer("3.00"), offer("4.00")]},
    ],
)
def test_what_a_page_lists_is_not_its_own(document: object) -> None:
    """Lists, reviews, a shop's other offers, offers of nobody knows what."""
    assert facts(document) == {}


def test_what_belongs_to_a_product_is_not_the_product() -> None:
    """Accessories, similar products and what reviews are of say nothing of it."""
    other = product("Bulb", offer("3.00"), brand="Other", sku="B")
    lamp = product(
        isRelatedTo=other, isSimilarTo=[other], isAccessoryOrSparePartFor=other, review={"itemReviewed": other}
    )
    assert facts(lamp) == {"name": "Desk lamp"}


# --- which product


BULB = product("Bulb", offer("3.00"), brand="Other", sku="B", image="https://shop.example/bulb.jpg")


@pytest.mark.parametrize(
    ("lamp", "page", "why"),
    [
        ({"url": PAGE}, {}, "its url is the page's"),
        ({"url": "/p/lamp"}, {}, "its url is the page's"),
        ({"@id": PAGE}, {}, "its url is the page's"),
        ({"mainEntityOfPage": PAGE}, {}, "its url is the page's"),
        ({"mainEntityOfPage": {"@type": "WebPage", "@id": PAGE}}, {}, "its url is the page's"),
        ({"offers": offer(url=PAGE)}, {}, "its url is the page's"),
        ({"url": "https://m.shop.example/p/Lamp/"}, {}, "its url is the page's"),
        (
            {"url": "https://shop.example/p/lamp?id=7"},
            {"address": PAGE + "?utm_source=x&id=7"},
            "its url is the page's",
        ),
        ({"url": "https://shop.example/lamps/7"}, {"canonical": "/lamps/7"}, "canonical"),
        ({"url": "https://shop.example/lamps/7"}, {"metas": [["og:url", "https://shop.example/lamps/7"]]}, "canonical"),
        ({}, {"headings": ["Shop", "Desk lamp"]}, "h1"),
        ({}, {"headings": ["Lumen Desk Lamp, black"]}, "h1"),
        ({}, {"metas": [["og:title", "Desk lamp | Shop"]]}, "title"),
        ({}, {"metas": [["title", "Buy a desk lamp online"]]}, "title"),
    ],
)
def test_chooses_the_pages_own_product(lamp: dict[str, Any], page: dict[str, Any], why: str) -> None:
    """By address, canonical address, heading or title, though the other one comes first and says more."""
    own = {**product(offers=offer()), **lamp}
    found = read({**BULB, "url": "/p/bulb"}, own, {**BULB, "name": "Shade"}, **page)
    assert ({name: value for name, value in found.facts.items() if value is not None}, found.chosen) == (LAMP, why)
    assert found.products == 3


def test_without_any_sign_the_first_one_counts() -> None:
    """Even if another one says more; but one with offers before one without."""
    sold_out = product(offers=offer(None, OUT))
    found = read(sold_out, BULB)
    assert found.facts["name"] == "Desk lamp"
    assert (found.facts["price"], found.facts["in_stock"], found.chosen) == (None, False, "first")
    assert facts(product("Shade"), product("Cable"), product(offers=offer())) == LAMP


def test_a_page_that_says_what_it_is_about_is_believed() -> None:
    """Its main entity counts before others."""
    assert facts(BULB, {"@type": "WebPage", "mainEntity": product(offers=offer())}) == LAMP


def test_the_address_counts_before_the_heading() -> None:
    """Names are alike more often than addresses."""
    own = product("Lamp 2", offer(), url=PAGE)
    assert facts(product("Desk lamp", offer("9")), own, headings=["Desk lamp"])["name"] == "Lamp 2"


def test_a_product_of_another_page_is_not_believed() -> None:
    """One that gives another address and shares no word with the page's headings, although it is the only one."""
    elsewhere = {**BULB, "url": "https://shop.example/p/bulb"}
    assert facts(elsewhere, headings=["Desk lamp"], metas=[["title", "Desk lamp"]]) == {}
    assert facts(elsewhere, headings=["Bulb, warm white"])["name"] == "Bulb"
    assert facts(elsewhere)["name"] == "Bulb"
    spaced = product("파란컵 300ml", url="/p/cup")
    assert facts(spaced, headings=["파란 컵"])["name"] == "파란컵 300ml"


def test_the_pages_own_metas_count_before_a_product_that_they_do_not_name() -> None:
    """A page with a price and a title of its own, and with nothing but another product in its JSON-LD."""
    metas = [["og:title", "Desk lamp"], ["product:price:amount", "30"]]
    assert facts(BULB, metas=metas) == {"name": "Desk lamp", "price": 30}
    assert facts(BULB, metas=[["og:title", "Bulb, warm white"], ["product:price:amount", "30"]])["price"] == 3
    assert facts(product(), metas=[["title", "x"], ["product:price:amount", "30"]]) == {
        "name": "Desk lamp",
        "price": 30,
    }


def test_facts_are_never_mixed() -> None:
    """What the own product does not say stays unsaid, whatever others say."""
    assert facts(BULB, product(url=PAGE, offers=offer(None, OUT))) == {
        "name": "Desk lamp",
        "currency": "EUR",
        "in_stock": False,
    }
    micro = {"@type": ["https://schema.org/Product"], "name": ["Bulb"], "offers": [offer("3.00")]}
    assert facts(product(), items=[micro], headings=["Desk lamp"]) == {"name": "Desk lamp"}


# --- several ways of publishing


def test_one_way_of_publishing_fills_what_another_leaves_out() -> None:
    """JSON-LD, then microdata, then RDFa, then metas, as long as it is the same product."""
    micro = {"@type": ["http://schema.org/Product"], "name": ["Desk Lamp"], "brand": ["Lumen"], "sku": ["L-30"]}
    rdfa = {"@type": ["schema:Product"], "schema:name": ["Desk lamp"], "brand": ["No"], "offers": [offer("31", OUT)]}
    metas = [["og:image", "/og.jpg"], ["product:price:amount", "32.00"], ["product:availability", "in stock"]]
    assert facts(product(), items=[micro], rdfa=[rdfa], metas=metas) == {
        "name": "Desk lamp",
        "brand": "Lumen",
        "sku": "L-30",
        "price": 31,
        "currency": "EUR",
        "in_stock": False,
        "image": "https://shop.example/og.jpg",
    }


def test_two_scripts_about_one_product_are_one() -> None:
    """As when a shop and its reviews each publish it; but not two variants with numbers of their own."""
    assert facts(product(aggregateRating={"ratingValue": 4}, brand="Lumen"), product(offers=offer())) == {
        **LAMP,
        "brand": "Lumen",
    }
    assert facts(product(sku="1", offers=offer(None)), product(sku="2", brand="Other", offers=offer())) == {
        "name": "Desk lamp",
        "sku": "1",
        "currency": "EUR",
        "in_stock": True,
    }


def test_names_of_one_product_may_differ_between_ways_of_publishing() -> None:
    """Where each way has one product only, and one of the names has the other in it."""
    micro = {"@type": ["http://schema.org/Product"], "name": ["Lumen desk lamp, black"], "sku": ["L-30"]}
    found = read(product(offers=offer()), items=[micro], metas=[["og:price:amount", "99"]])
    assert (found.facts["price"], found.facts["sku"], found.chosen) == (30, "L-30", "the only one")
    found = read(product(offers=offer()), items=[micro, {**micro, "name": ["Desk lamp, red"]}])
    assert (found.facts["price"], found.facts["sku"], found.chosen) == (30, None, "first")


def test_another_price_means_another_variant() -> None:
    """Then only what all variants have in common is taken."""
    micro = product(offers=offer("45.00", OUT), brand="Lumen")
    assert facts(product(offers=offer(availability=None)), items=[micro]) == {
        "name": "Desk lamp",
        "brand": "Lumen",
        "price": 30,
        "currency": "EUR",
    }


def test_an_offer_outside_of_its_product_belongs_to_it() -> None:
    """Where there is only one of each."""
    micro = {"@type": ["https://schema.org/Product"], "name": ["Desk lamp"]}
    assert facts(items=[micro, offer()]) == LAMP
    assert facts(product(), items=[offer()]) == LAMP


def test_reads_metas_alone() -> None:
    """The title is a name only where the page says that it is about a product."""
    metas = [
        ["OG:Title", "Desk lamp"],
        ["og:image", "https://shop.example/l.jpg"],
        ["product:price:amount", "40.00"],
        ["product:price:currency", "eur"],
        ["product:sale_price:amount", "30.00"],
        ["product:availability", "instock"],
        ["product:brand", "Lumen"],
    ]
    assert facts(metas=metas) == {**LAMP, "list_price": 40, "brand": "Lumen", "image": "https://shop.example/l.jpg"}
    assert facts(metas=[["og:title", "All lamps"], ["og:type", "website"], ["og:image", "/x.jpg"]]) == {}
    assert facts(metas=[["og:title", "Desk lamp"], ["og:type", "og:product"]]) == {"name": "Desk lamp"}


def test_the_pages_own_metas_count_before_products_of_which_none_is_sure() -> None:
    """Several products and no sign, but a price of the page's own."""
    metas = [["og:title", "Floor light"], ["og:price:amount", "99"], ["og:price:currency", "EUR"]]
    found = read(BULB, product("Shade", offer("5")), metas=metas)
    assert (found.facts["name"], found.facts["price"], found.chosen) == ("Floor light", 99, "metas")


# --- variants

CUPS = {
    "@type": "ProductGroup",
    "name": "Cup",
    "brand": "Kiln",
    "productGroupID": "CUP",
    "hasVariant": [
        product("Cup, blue", offer("12.50", OUT, url="/x?variant=101"), sku="CUP-B", image="/blue.jpg"),
        product(
            "Cup, red", offer("14.00", url="/x?variant=102"), sku="CUP-R", **{"@id": "https://shop.example/v/4711"}
        ),
        product("Cup, white", offer("13.00", url="/x?variant=103"), productID="CUP-W"),
    ],
}


@pytest.mark.parametrize(
    ("query", "name", "price", "in_stock"),
    [
        ("?variant=101", "Cup, blue", 12.5, False),
        ("?utm_source=mail&variant=102&_pos=1", "Cup, red", 14, True),
        ("?sku=cup-b", "Cup, blue", 12.5, False),
        ("#sku=cup-b", "Cup, blue", 12.5, False),
        ("#reviews", "Cup", 13, True),
        ("?item=CUP-W", "Cup, white", 13, True),
        ("?v=4711", "Cup, red", 14, True),
        ("", "Cup", 13, True),
        ("?variant=999", "Cup", 13, True),
        ("?id=CUP", "Cup", 13, True),
    ],
)
def test_the_address_names_the_variant(query: str, name: str, price: float, in_stock: bool) -> None:
    """Without one it is the group: to be bought if any is, for the lowest price of those that can be bought."""
    said = facts(CUPS, address="https://shop.example/x" + query)
    assert (said["name"], said["price"], said["in_stock"], said["brand"]) == (name, price, in_stock, "Kiln")


def test_a_variant_at_a_path_of_its_own_is_named_by_it() -> None:
    """And variants that are no more than an address say nothing."""
    group = {
        "@type": "ProductGroup",
        "name": "Cup",
        "hasVariant": [product("Cup, blue", offer("12", OUT)), {"url": "/red"}],
    }
    assert facts(group)["in_stock"] is False
    paths = {
        **CUPS,
        "hasVariant": [product("Cup, blue", offer("1"), url="/blue"), product("Cup, red", offer("2"), url="/red")],
    }
    assert facts(paths, address="https://shop.example/red")["price"] == 2


@pytest.mark.parametrize(
    ("query", "price"),
    [
        ("?color=red&size=M", 7),
        ("?size=m&Color=RED", 7),
        ("?color=red", 5),
        ("?color=green&size=M", 5),
        ("?finish=matt", 9),
        ("?page=2", 5),
    ],
)
def test_the_address_may_describe_the_variant(query: str, price: float) -> None:
    """By what the variants differ in; an address that describes several of them, or none, names none."""
    variants = [
        product("bM", offer(5), color="blue", size="M"),
        product("rS", offer(6), color="red", size="S"),
        product("rM", offer(7), color="red", size="M"),
        product("x", offer(9), additionalProperty={"@type": "PropertyValue", "name": "Finish", "value": "matt"}),
    ]
    group = {"@type": "ProductGroup", "name": "Cup", "variesBy": ["color", "size"], "hasVariant": variants}
    assert facts(group, address="https://shop.example/x" + query)["price"] == price


def test_variants_that_stand_beside_their_group_belong_to_it() -> None:
    """They say of which group they are."""
    group = {"@type": "ProductGroup", "@id": "#g", "name": "Cup"}
    variants = [product(f"Cup {n}", offer(n), isVariantOf={"@id": "#g"}, url=f"/x?v={n}") for n in (5, 4)]
    found = read({"@graph": [*variants, group]}, address="https://shop.example/x")
    assert (found.facts["name"], found.facts["price"], found.products) == ("Cup", 4, 1)
    assert facts({"@graph": [*variants, group]}, address="https://shop.example/x?v=5")["price"] == 5


def test_the_address_may_name_an_offer() -> None:
    """Where variants are published as offers of one product."""
    offers = [offer("10", OUT, url="/p/lamp?variant=1001"), offer("12", url="/p/lamp?variant=1002", sku="L-2")]
    assert facts(product(offers=offers))["price"] == 12
    said = facts(product(offers=offers), address=PAGE + "?variant=1001")
    assert (said["price"], said["in_stock"]) == (10, False)
    assert facts(product(offers=[*offers, offer("11")]), address=PAGE + "?id=l-2")["price"] == 12
    first = [offer("10", url="/p/lamp"), offer("9", url="/p/lamp?seller=2")]
    assert facts(product(offers=first))["price"] == 9


# --- prices


@pytest.mark.parametrize(
    ("price", "read_as"),
    [
        ("30.00", 30),
        (30, 30),
        (30.5, 30.5),
        ("4.500", 4.5),
        ("1.29E+4", 12900),
        ("12,50", 12.5),
        ("12,50 €", 12.5),
        ("1,299.00", 1299),
        ("1.299,00 €", 1299),
        ("12,900원", 12900),
        ("$1,299", 1299),
        (["", "30.00"], 30),
        ({"@value": "30.00"}, 30),
        ({"@type": "MonetaryAmount", "value": 30, "currency": "USD"}, 30),
        (0, 0),
        ("Free", 0),
        ("on request", None),
        ("", None),
        (None, None),
        (True, None),
        (-1, None),
        ("NaN", None),
        (1e300, None),
        ("9" * 200, None),
    ],
)
def test_reads_prices(price: object, read_as: float | None) -> None:
    """A point is the decimal sign in a bare number; other texts are read as people write them."""
    assert read(product(offers={"@type": "Offer", "price": price})).facts["price"] == read_as


def spec(price: object, kind: str | None = None, **more: Any) -> dict[str, Any]:
    return {"@type": "UnitPriceSpecification", "price": price, **({"priceType": kind} if kind else {}), **more}


@pytest.mark.parametrize(
    ("said", "price", "list_price"),
    [
        ({"priceSpecification": {"@type": "PriceSpecification", "price": "30.00", "priceCurrency": "EUR"}}, 30, None),
        ({"priceSpecification": [spec(40, "https://schema.org/ListPrice"), spec(30)]}, 30, 40),
        ({"priceSpecification": [spec(30), spec(40, "StrikethroughPrice")]}, 30, 40),
        ({"priceSpecification": [spec(40, "http://schema.org/MSRP"), spec(30, "SalePrice")]}, 30, 40),
        ({"price": "30.00", "priceSpecification": spec(40, "List price")}, 30, 40),
        ({"price": "40.00", "priceSpecification": spec(30, "SalePrice")}, 30, 40),
        ({"price": "30.00", "priceSpecification": spec(20, "ListPrice")}, 30, None),
        ({"priceSpecification": spec(40, "ListPrice")}, None, 40),
        (
            {"price": 30, "priceSpecification": spec("0.75", referenceQuantity={"value": 100, "unitCode": "GRM"})},
            30,
            None,
        ),
        ({"priceSpecification": [spec(3, referenceQuantity={"value": 1}), spec(30)]}, 30, None),
        ({"priceSpecification": spec(30, referenceQuantity={"value": 1})}, 30, None),
        (
            {"priceSpecification": [spec(24, valueAddedTaxIncluded=False), spec(30, valueAddedTaxIncluded="true")]},
            30,
            None,
        ),
        ({"priceSpecification": [spec(20, validForMemberTier={"name": "Gold"}), spec(30)]}, 30, None),
        ({"priceSpecification": [spec(25, eligibleQuantity={"minValue": 10}), spec(30)]}, 30, None),
        ({"priceSpecification": [{"@type": "DeliveryChargeSpecification", "price": 5}, spec(30)]}, 30, None),
        ({"priceSpecification": spec(20, "InvoicePrice")}, None, None),
        ({"price": 30, "listPrice": 40}, 30, 40),
        ({"lowPrice": 30, "highPrice": 40}, 30, None),
        ({"price": 30, "priceValidUntil": "2001-01-01"}, 30, None),
    ],
)
def test_reads_specifications_of_prices(said: dict[str, Any], price: float | None, list_price: float | None) -> None:
    """List price and sale price, with and without conditions."""
    found = read(product(offers={"@type": "Offer", **said})).facts
    assert (found["price"], found["list_price"]) == (price, list_price)


@pytest.mark.parametrize(
    ("offers", "price", "in_stock"),
    [
        ([offer("10", OUT), offer("12"), offer("14")], 12, True),
        ([offer("10", OUT), offer("12", "SoldOut")], 10, False),
        ([offer("10", None), offer("12")], 12, True),
        ([offer("10", None), offer("12", OUT)], 10, None),
        ([offer("10", None)], 10, None),
        ([offer(None, IN), offer("10", OUT)], None, True),
        ({"@type": "AggregateOffer", "lowPrice": "10", "highPrice": "20", "availability": IN}, 10, True),
        ({"@type": "AggregateOffer", "lowPrice": "10", "offers": [offer("10", OUT), offer("12")]}, 12, True),
        ({"@type": "AggregateOffer", "lowPrice": "10", "offers": [offer(None, OUT), offer(None, OUT)]}, 10, False),
        (
            {"@type": "AggregateOffer", "lowPrice": 10, "availability": IN, "offers": [{"url": "/a"}, {"url": "/b"}]},
            10,
            True,
        ),
        ([{"@type": "AggregateOffer", "lowPrice": "10"}, offer("12")], 12, True),
        ([offer("5", itemCondition="https://schema.org/UsedCondition"), offer("12")], 12, True),
        ([offer("5", itemCondition="RefurbishedCondition")], 5, True),
        ([offer("2", businessFunction="http://purl.org/goodrelations/v1#LeaseOut"), offer("12")], 12, True),
        ([offer("2", validForMemberTier={"name": "Gold"}), offer("12")], 12, True),
        ([offer("12"), offer("1", priceCurrency="KWD")], 12, True),
        ({"@type": "Offer", "price": 12, "inventoryLevel": {"value": 0}}, 12, False),
        ({"@type": "Offer", "price": 12, "inventoryLevel": 4}, 12, True),
        ([], None, None),
        ("12,50 €", None, None),
    ],
)
def test_reads_several_offers_together(offers: object, price: float | None, in_stock: bool | None) -> None:
    """Whether any can be bought, and the lowest price of those; used things, rent and members' prices apart."""
    found = read(product(offers=offers)).facts
    assert (found["price"], found["in_stock"]) == (price, in_stock)


@pytest.mark.parametrize(
    ("availability", "in_stock"),
    [
        ("https://schema.org/LimitedAvailability", True),
        ("http://www.schema.org/instock", True),
        ("SoldOut", False),
        ("품절", False),
        ("Nur noch 3 auf Lager", True),
        (["https://schema.org/InStock", "https://schema.org/OnlineOnly"], True),
        ([IN, OUT], None),
        ({"@id": "https://schema.org/PreOrder"}, True),
        ({"@type": "ItemAvailability", "name": "Discontinued"}, False),
        ({"@value": OUT}, False),
        (True, True),
        ("", None),
        ("soon, perhaps", None),
        (7, None),
    ],
)
def test_reads_availability(availability: object, in_stock: bool | None) -> None:
    """All of schema.org's words, lists, objects and words of shops; what says both says nothing."""
    assert read(product(offers=offer("1", availability))).facts["in_stock"] is in_stock


def test_a_product_may_say_itself_what_its_offers_should() -> None:
    """As in markup where the offer was forgotten."""
    assert facts(product(price="30.00", priceCurrency="EUR", availability="InStock")) == LAMP
    assert facts(product(availability=IN, offers=offer(availability=None))) == LAMP


@pytest.mark.parametrize(
    ("said", "currency"),
    [("eur", "EUR"), ("€", "EUR"), ("KRW", "KRW"), ("US Dollar", None), ("$", None), (["", "USD"], "USD"), (7, None)],
)
def test_reads_currencies(said: object, currency: str | None) -> None:
    """Three letters; a sign where it means one currency only."""
    assert read(product(offers={"@type": "Offer", "price": 1, "priceCurrency": said})).facts["currency"] == currency


# --- texts and pictures


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("Salt &amp; pepper &#8243;", "Salt & pepper ″"),
        ("Tom &amp;amp; Co", "Tom &amp; Co"),
        ("  Desk \n\t lamp\u00a0", "Desk lamp"),
        ("Desk <b>lamp</b><br/>black", "Desk lamp black"),
        ("Lamp <3 you", "Lamp <3 you"),
        (["Desk lamp", "Other"], "Desk lamp"),
        (1984, "1984"),
        ("undefined", None),
        ("", None),
        (f"Desk{' ' * 5_000}lamp", "Desk lamp"),
        ("Desk lamp " * 200, ("Desk lamp " * 200).strip()),
        ("Desk lamp " * 201, None),
        (f"Desk lamp{' ' * 30_000}, red", None),
    ],
)
def test_reads_names(name: object, read_as: str | None) -> None:
    """Entities once, without markup, white space collapsed; not what a template writes for nothing, nor the beginning
    of what is too long."""
    assert read(product(name=name)).facts["name"] == read_as  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "read_as"),
    [
        ("/a.jpg", "https://shop.example/a.jpg"),
        ("a.jpg", "https://shop.example/p/a.jpg"),
        ("//cdn.example/a.jpg?w=1&amp;h=2", "https://cdn.example/a.jpg?w=1&h=2"),
        (["https://x.example/1.jpg", "https://x.example/2.jpg"], "https://x.example/1.jpg"),
        ({"@type": "ImageObject", "url": "/a.jpg"}, "https://shop.example/a.jpg"),
        ({"@type": "ImageObject", "contentUrl": ["/a.jpg"]}, "https://shop.example/a.jpg"),
        ([{"@id": "https://x.example/1.jpg"}], "https://x.example/1.jpg"),
        (["", None, "data:image/png;base64,AAAA", "/a.jpg"], "https://shop.example/a.jpg"),
        ("http://[", None),
        ("", None),
    ],
)
def test_reads_pictures(image: object, read_as: str | None) -> None:
    """The first that can be fetched, as a whole address."""
    assert read(product(image=image)).facts["image"] == read_as


def test_relative_addresses_are_those_of_the_documents_base() -> None:
    """Where the document has one."""
    assert facts(product(image="a.jpg"), base="https://cdn.example/x/")["image"] == "https://cdn.example/x/a.jpg"
    assert facts(product(image="a.jpg"), base="about:blank")["image"] == "https://shop.example/p/a.jpg"


@pytest.mark.parametrize(
    ("said", "brand", "sku"),
    [
        ({"brand": "Lumen", "sku": "L-30"}, "Lumen", "L-30"),
        ({"brand": [{"@type": "Brand", "name": ["Lumen"]}], "sku": ["L-30"]}, "Lumen", "L-30"),
        ({"brand": {"@type": "Brand"}, "sku": ""}, None, None),
        ({"manufacturer": "Lumen", "mpn": "L-30", "gtin13": "1"}, None, None),
        ({"productID": "isbn:1", "sku": None}, None, "isbn:1"),
        ({"sku": 30}, None, "30"),
        ({"sku": 30.0}, None, "30"),
    ],
)
def test_reads_brand_and_number(said: dict[str, Any], brand: str | None, sku: str | None) -> None:
    """A brand's name; the shop's own number, and no other."""
    found = read(product(**said)).facts
    assert (found["brand"], found["sku"]) == (brand, sku)


# --- what is broken, cut or hostile


def test_what_is_broken_is_told() -> None:
    """With its place; what can be read is read all the same."""
    broken = '{"@type":"Product","name":"Desk lamp"\n"offers":{}}'
    assert read(broken).broken == (
        "JSON-LD is broken: script 1, line 2, column 1, at `\"offers\":{}}`: Expecting ',' delimiter",
    )
    assert set(read(broken).facts.values()) == {None}
    both = read("{", product(offers=offer()))
    assert both.facts["price"] == 30
    assert len(both.broken) == 1
    assert read(*["{"] * 9).broken[5:] == ("JSON-LD is broken: 4 more scripts",)


def test_what_is_cut_is_told() -> None:
    """By the page, or because it sent more than it may."""
    assert read(cut=True).cut
    assert not read(product()).cut
    long = read(product(), json.dumps("x" * 2_000_000))
    assert long.cut
    assert long.facts["name"] == "Desk lamp"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "x",
        [],
        {"scripts": None, "items": 7, "metas": {"og:title": "x"}, "canonical": [], "headings": "x", "cut": "yes"},
        {"scripts": [7, None, ["{}"]], "items": [7, None, "x"], "metas": [["og:title"], [1, 2], "xy"], "headings": [1]},
    ],
)
def test_answers_of_another_shape_say_nothing(answer: object) -> None:
    """The page's own code may have answered."""
    assert standard_facts(StructuredData.of(answer), PAGE) == StructuredFacts(dict.fromkeys(NAMES))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(["", "1", "Product", "#a", IN, "http://[", "/p/lamp"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("@type", "@id", "@graph", "@value", "@list", "@context", "@reverse", "name", "offers", "price"),
                    *("priceSpecification", "hasVariant", "isVariantOf", "itemOffered", "availability", "image", "url"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), st.sampled_from([PAGE, "", "http://[", "about:blank"]))
def test_reads_anything_without_an_error(documents: list[object], address: str) -> None:
    """And gives every fact with the type it has."""
    found = standard_facts(StructuredData.of({"scripts": [json.dumps(documents)], "items": documents}), address).facts
    assert tuple(found) == NAMES
    assert all(isinstance(found[name], str | None) for name in ("name", "brand", "sku", "image", "currency"))
    assert all(isinstance(found[name], int | float | None) for name in ("price", "list_price"))
    assert found["in_stock"] in (True, False, None)


@pytest.mark.parametrize(
    "documents",
    [
        [product(f"P{n}", offer(n, url=f"/p/{n}"), url=f"/p/{n}", sku=str(n)) for n in range(5_000)],
        [{**product(offers={"@id": f"#{n + 1}"}), "@id": f"#{n}"} for n in range(10_000)],
        [{"@type": "Offer", "@id": f"#{n}", "offers": [{"@id": f"#{n + m}"} for m in range(1, 60)]} for n in range(600)]
        + [product(offers={"@id": "#0"})],
        [{**product(), "@id": "#p"}] * 3_000 + [{**offer(n), "itemOffered": {"@id": "#p"}} for n in range(3_000)],
        [{**CUPS, "hasVariant": [product(f"V{n}", offer(n, url=f"?v={n}"), sku=f"{n}") for n in range(8_000)]}],
        [product(offers=[offer(n) for n in range(9_000)])],
        [
            {"@type": "WebPage", "@id": f"#{n}", "about": [{"@id": f"#{n + m}"} for m in range(1, 9)]}
            for n in range(3_000)
        ],
    ],
)
def test_a_page_that_publishes_very_much_is_read_in_time(documents: list[object]) -> None:
    """Also where everything refers to everything."""
    data = StructuredData.of({"scripts": [json.dumps(documents)], "headings": ["Desk lamp"]})
    started = time.monotonic()
    assert standard_facts(data, PAGE).broken == ()
    assert time.monotonic() - started < 5
