"""What no page that was named shows, and a drafted file reads all the same: flags, options, other layouts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from pagemill.config.reading.field_rule import FieldRule
from pagemill.drafting.choose import Draft, draft_platform
from pagemill.drafting.evidence import PageEvidence, PageRole, SeenElement
from pagemill.extraction.json_path import find_value
from pagemill.extraction.values import to_fact
from pagemill.model import FactValue
from tests.unit.drafting.pages import element, page, probe_of

OUT, STOPPED = PageRole.SOLD_OUT, PageRole.OFF_SALE


def _draft(pages: Sequence[PageEvidence], also: Sequence[dict[str, tuple[int, str]]] = ()) -> Draft:
    return asyncio.run(draft_platform("shop", pages, probe_of(pages, also)))


def _page(number: int, product: dict[str, Any], role: PageRole = PageRole.ON_SALE, *more: SeenElement) -> PageEvidence:
    """Product's data in a script of its own, and its name as the heading."""
    heading = element("h1", f"Red cup {number}", ("h1", "placed"))
    return page(number, heading, *more, role=role, state={"product": _named(number, product)})


def _named(number: int, product: dict[str, Any]) -> dict[str, Any]:
    return {"sku": str(4000 + number), "name": f"Red cup {number}", "price": 700 + number, **product}


def _read(found: Draft, field: str, product: dict[str, Any]) -> FactValue:
    """What the file's rules say of a product's data, the first that speaks."""
    rules: list[Any] = []
    for source in yaml.safe_load(found.text)["extract"]["sources"]:
        rule = source["fields"].get(field, []) if source["strategy"] == "state" else []
        rules += rule if isinstance(rule, list) else [rule]
    for rule in map(FieldRule.model_validate, rules):
        said = find_value({"product": _named(9, product)}, rule.path or "")
        value = None if said is None or said.value is None else to_fact(said.value, rule, machine=True)
        if value is not None:
            return value
    return None


def _sold(key: str, off: Any) -> list[PageEvidence]:
    states = [("SELL", PageRole.ON_SALE)] * 3 + [("EMPTY", OUT)]
    return [_page(at, {"state": state, key: off}, role) for at, (state, role) in enumerate(states)]


@pytest.mark.parametrize(
    ("key", "off", "on", "meaning"),
    [
        ("membersOnly", False, True, "off_sale"),
        ("buyableByMembersOnlyYn", "N", "Y", "off_sale"),
        ("is_hidden", 0, 1, "off_sale"),
        ("discontinued", "false", "true", "off_sale"),
        ("notForSale", "no", "yes", "off_sale"),
        ("isSoldOut", False, True, "sold_out"),
        ("outOfStockYn", "n", "y", "sold_out"),
    ],
)
def test_a_flag_means_what_its_name_says(key: str, off: Any, on: Any, meaning: str) -> None:
    """No page had it on; where it is, the product's state alone would say that it is sold."""
    found = _draft(_sold(key, off))
    assert _read(found, "status", {"state": "SELL", key: off}) == "on_sale"
    assert _read(found, "status", {"state": "EMPTY", key: off}) == "sold_out"
    assert _read(found, "status", {"state": "SELL", key: on}) == meaning
    assert f"`{key}`, by its name" in found.text


@pytest.mark.parametrize(
    ("key", "off"), [("isMember", False), ("freeShipping", False), ("membersOnly", True), ("deleted", None)]
)
def test_other_flags_mean_nothing(key: str, off: Any) -> None:
    """Whether the visitor is a member, what is on for a product that sells, and what is no flag."""
    assert _read(_draft(_sold(key, off)), "status", {"state": "SELL", key: off is False}) == "on_sale"


def test_a_flag_of_something_else_is_not_the_products() -> None:
    """A seller who has left, an option that is sold out."""
    more = {"seller": {"name": "Acme", "isHidden": False}, "options": [{"color": "red", "isSoldOut": False}]}
    pages = [_page(at, {"state": "SELL", **more}) for at in range(3)]
    pages.append(_page(3, {"state": "EMPTY", **more}, OUT))
    gone = {"seller": {"name": "Acme", "isHidden": True}, "options": [{"color": "red", "isSoldOut": True}]}
    assert _read(_draft(pages), "status", {"state": "SELL", **gone}) == "on_sale"


@pytest.mark.parametrize(
    ("key", "there", "none"), [("stockState", "SELL", "EMPTY"), ("available", True, False), ("qty", 3, 0)]
)
def test_a_product_is_sold_while_any_of_its_options_is(key: str, there: Any, none: Any) -> None:
    """Nothing else says it, and the first option is not the one that counts."""

    def sizes(*values: Any) -> dict[str, Any]:
        return {"sizes": [{"label": f"size {at}", key: value} for at, value in enumerate(values)]}

    pages = [_page(0, sizes(there, there)), _page(1, sizes(there, none)), _page(2, sizes(none, none), OUT)]
    found = _draft(pages)
    assert _read(found, "status", sizes(none, there)) == "on_sale"
    assert _read(found, "status", sizes(none)) == "sold_out"
    assert _read(found, "status", sizes()) is None


def test_a_product_without_a_state_has_that_of_its_options() -> None:
    """Of one that has its own it counts whatever its options say; and one that cannot be bought is not on sale."""

    def product(state: str | None, *options: str, buy: bool) -> dict[str, Any]:
        return {"saleState": state, "options": [{"saleState": one} for one in options], "purchasable": buy}

    pages = [_page(at, product("ON", "ON", "ON", buy=True)) for at in range(2)]
    pages.append(_page(2, product("OUT", "OUT", "OUT", buy=False), OUT))
    pages.append(_page(3, product("PAUSED", "ON", "ON", buy=False), STOPPED))
    found = _draft(pages)
    assert _read(found, "status", product(None, "OUT", "ON", buy=True)) == "on_sale"
    assert _read(found, "status", product(None, "OUT", "OUT", buy=False)) == "sold_out"
    assert _read(found, "status", product("PAUSED", "ON", buy=False)) == "off_sale"
    assert _read(found, "status", product(None, buy=False)) == "off_sale"
    assert _read(found, "in_stock", product(None, "OUT", "ON", buy=True)) is True
    pages.append(_page(4, product(None, "OUT", "OUT", buy=False), OUT))
    assert _read(_draft(pages), "status", product(None, buy=False)) == "off_sale", (
        "as well where a page has options only"
    )


def _price(all_pay: int, some_pay: int | None, label: str) -> dict[str, Any]:
    lowest = all_pay if some_pay is None else some_pay
    some = None if some_pay is None else {"price": some_pay, "badge": {"text": label}}
    return {"price": lowest, "shown": {"everyone": {"price": all_pay}, "lowered": some}}


FOR_SOME = ("첫 구매 쿠폰", "First order -10 %", "Neukunden", "Nouveaux clients", "初回限定")


@pytest.mark.parametrize("label", FOR_SOME)
def test_a_price_for_newcomers_is_not_the_price(label: str) -> None:
    """Known by its label, though the pages had another one there."""
    pages = [_page(at, _price(900 + at, None, "")) for at in range(2)]
    week = _price(900, 800, "Deal of the week")
    everybody_pays = element("b", "$800.00", (".price", "named"))
    pages.append(_page(2, week, PageRole.ON_SALE, everybody_pays))
    found = _draft(pages)
    assert _read(found, "price", week) == 800
    assert _read(found, "price", _price(900, 700, label)) == 900


@pytest.mark.parametrize("label", FOR_SOME)
def test_a_page_with_a_price_for_newcomers_may_be_named(label: str) -> None:
    """What is believed of it is what all others pay, and the other pages are read as before."""
    pages = [_page(0, _price(900, None, "")), _page(1, _price(950, 750, label)), _page(2, _price(980, None, ""))]
    found = _draft(pages)
    assert [one["price"].value for one in found.beliefs] == [900, 950, 980]
    assert _read(found, "price", _price(500, 400, label)) == 500


def test_stock_that_nobody_tells_gives_no_verdict() -> None:
    """A file that knows where stock stands believes no page that does not say it."""
    assert yaml.safe_load(_draft(_sold("color", "red")).text)["judge"]["require"] == ["name", "status"]


def _links(number: int, role: PageRole, *links: tuple[str, str]) -> PageEvidence:
    shown = [
        element("a", text, (css, "named"), *([(".actions a", "named")] if at == 0 else []))
        for at, (css, text) in enumerate(links)
    ]
    return page(number, element("h1", f"Red cup {number}", ("h1", "placed")), *shown, role=role)


def test_the_place_of_links_says_it_whichever_of_them_is_there() -> None:
    """A sold-out product has another link with a name of its own, which no page that was named shows."""
    basket = (".to-basket", "Add to basket"), (".to-buy", "Buy now")
    button = element("button", "Sold out", (".none", "named"))
    pages = [_links(at, PageRole.ON_SALE, *basket) for at in range(2)]
    pages.append(page(2, element("h1", "Red cup 2", ("h1", "placed")), button, role=OUT))
    also = [{".actions a": (2, "Add to basket")}] * 2
    extract = yaml.safe_load(_draft(pages, also).text)["extract"]["sources"]
    rules = [source["fields"]["status"] for source in extract if "status" in source["fields"]]
    several = [one for rule in rules for one in (rule if isinstance(rule, list) else [rule])]
    [links] = [one for one in several if one["selector"] == ".actions a"]
    assert to_fact("Sold out", FieldRule.model_validate(links)) == "sold_out"


def test_every_page_that_is_named_is_read() -> None:
    """Two that are sold out in different ways, one that is stopped: each by what it has of its own."""
    heading = ("h1", "placed")
    button = (".buy", "named")
    pages = [page(at, element("h1", f"Cup {at}", heading), element("button", "Buy now", button)) for at in range(2)]
    pages.append(page(2, element("h1", "Cup 2", heading), element("button", "Sold out", button), role=OUT))
    pages.append(page(3, element("h1", "Cup 3", heading), element("a", "Notify me", (".wait", "named")), role=OUT))
    pages.append(page(4, element("h1", "Cup 4", heading), element("button", "Discontinued", button), role=STOPPED))
    status = next(one for one in _draft(pages).choices if one.name == "status")
    said = [next((rule.values[at] for rule in status.rules if rule.values[at] is not None), None) for at in range(5)]
    assert said == ["on_sale", "on_sale", "sold_out", "sold_out", "off_sale"]
