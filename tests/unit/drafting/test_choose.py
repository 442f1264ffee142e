"""From what a few pages show to a platform's file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import yaml

from pagemill.config.platform import Platform
from pagemill.drafting.choose import Draft, draft_platform
from pagemill.drafting.element_candidates import SelectorProbe
from pagemill.drafting.evidence import PageEvidence, PageRole
from pagemill.drafting.field_choice import Sureness
from pagemill.extraction.json_path import word_at
from tests.unit.drafting.pages import SCRIPT, element, page, probe_of

NAME = (("h1", "placed"),)


def _draft(pages: Sequence[PageEvidence], probe: SelectorProbe | None = None) -> Draft:
    return asyncio.run(draft_platform("shop", pages, probe or probe_of(pages)))


def _first_rules(found: Draft) -> dict[str, tuple[str, dict[str, Any]]]:
    """Field by its first source's strategy and rule, as the file says them."""
    rules: dict[str, tuple[str, dict[str, Any]]] = {}
    for source in yaml.safe_load(found.text)["extract"]["sources"]:
        for name, rule in source["fields"].items():
            rules.setdefault(name, (source["strategy"], rule[0] if isinstance(rule, list) else rule))
    return rules


def _product(number: int, name: str, base: int, sale: int | None, **more: Any) -> dict[str, Any]:
    return {"product": {"no": 4000 + number, "name": name, "basePrice": base, "salePrice": sale, **more}}


def test_the_file_is_valid_and_says_why() -> None:
    """What comes out loads as it stands, and each field has a comment with its sureness."""
    pages = [
        page(n, element("h1", f"Red cup {n}", *NAME), state=_product(n, f"Red cup {n}", 900 + n, 700 + n, stock="IN"))
        for n in range(3)
    ]
    found = _draft(pages)
    assert Platform.model_validate(yaml.safe_load(found.text)) == found.platform
    assert found.platform.hosts == ("shop.example",)
    assert found.platform.product.visit == "https://shop.example/goods/{id}"
    lines = found.text.splitlines()
    for name in ("name", "price"):
        at = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        assert lines[at - 1].strip().startswith(("# sure:", "# likely:"))


def test_a_missing_sale_price_is_the_other_one() -> None:
    """`null` and 0 mean that there is no discount; the page says what is paid then."""
    prices = [(900, 700), (800, None), (850, 0)]
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("p", f"${sale or base}", ("h1 + p", "placed")),
            state=_product(n, f"Red cup {n}", base, sale),
        )
        for n, (base, sale) in enumerate(prices)
    ]
    strategy, rule = _first_rules(_draft(pages))["price"]
    assert strategy == "state"
    assert rule["path"] == "product.[salePrice, basePrice][?@ > `0`] | [0]"


def test_amounts_for_some_are_not_the_price() -> None:
    """A coupon's price beside the price is lower, and nobody but its owner pays it."""
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("b", f"${900 + n}.00", (".price", "named")),
            element("em", f"${700 + n}.00", (".coupon", "named"), near="With coupon"),
        )
        for n in range(3)
    ]
    found = _draft(pages)
    assert [one["price"].value for one in found.beliefs] == [900, 901, 902]
    assert _first_rules(found)["price"] == ("dom", {"selector": ".price", "type": "number"})


def test_a_selector_that_finds_another_product_somewhere_is_not_written() -> None:
    """Right on two pages and another product's price on the third: then it may be another's on any page."""
    places = ["b:nth-of-type(2)", "b:nth-of-type(2)", "b:nth-of-type(1)"]
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("b", f"${900 + n}.00", (place, "placed")),
        )
        for n, place in enumerate(places)
    ]
    assert "nth-of-type(2)" in _draft(pages).text
    assert "nth-of-type(2)" not in _draft(pages, probe_of(pages, [{}, {}, {places[0]: (9, "$5.00")}])).text


def test_a_price_may_stand_where_the_list_price_stands_elsewhere() -> None:
    """Without a discount a shop shows one price, in the place of the old one."""
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("b", f"${700 + n}.00", (".sale", "named")) if n != 1 else element("i", "new"),
            element("s", f"${900 + n}.00", (".regular", "named"), struck=n != 1),
        )
        for n in range(3)
    ]
    fields = yaml.safe_load(_draft(pages).text)["extract"]["sources"][0]["fields"]
    assert [one["selector"] for one in fields["price"]] == [".sale", ".regular"]
    assert fields["list_price"]["selector"] == ".regular"


def test_names_of_other_products_do_not_count() -> None:
    """What the page's own title and heading say is the name, however often others are named."""
    names = [f"Other {n}" for n in range(30)]
    related = [{"no": 9000 + n, "name": name} for n, name in enumerate(names)]
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            *[element("strong", name, (f".card-{n}-{at}", "named")) for at, name in enumerate(names)],
            title=f"Red cup {n} | Shop",
            state={"shelf": related, **_product(n, f"Red cup {n}", 900, 700 + n)},
        )
        for n in range(3)
    ]
    found = _draft(pages)
    assert [one["name"].value for one in found.beliefs] == ["Red cup 0", "Red cup 1", "Red cup 2"]
    rules = [s["fields"].get("name") for s in yaml.safe_load(found.text)["extract"]["sources"]]
    assert {"path": "product.name"} in rules


def test_the_answer_of_another_product_is_not_read() -> None:
    """A page asks for what was seen last as well; `{id}` in the pattern tells the two apart."""
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            answers=[
                ("/v1/goods/9000", {"goods": {"id": 9000, "name": "Other", "price": 1}}),
                (f"/v1/goods/{4000 + n}", {"goods": {"id": 4000 + n, "name": f"Red cup {n}", "price": 900 + n}}),
            ],
        )
        for n in range(3)
    ]
    found = _draft(pages)
    captures = [s for s in yaml.safe_load(found.text)["extract"]["sources"] if s["strategy"] == "api_capture"]
    assert [one["match"] for one in captures] == ["/v1/goods/{id}"]
    assert captures[0]["fields"]["price"] == {"path": "goods.price", "type": "number"}


def test_states_come_from_the_pages_that_have_them() -> None:
    """Each page's word means what whoever drafts says of the page; others mean nothing unless one was off sale."""
    roles = [PageRole.ON_SALE, PageRole.ON_SALE, PageRole.SOLD_OUT]
    words = {PageRole.ON_SALE: "SALE", PageRole.SOLD_OUT: "SOLDOUT", PageRole.OFF_SALE: "STOP"}
    pages = [
        page(n, role=role, state=_product(n, f"Red cup {n}", 900, 700 + n, saleStatus=words[role]))
        for n, role in enumerate(roles)
    ]
    rule = _first_rules(_draft(pages))["status"][1]
    assert rule["map"] == {"SALE": "on_sale", "SOLDOUT": "sold_out"}
    stopped = page(9, role=PageRole.OFF_SALE, state=_product(9, "Red cup 9", 900, 709, saleStatus="STOP"))
    rule = _first_rules(_draft([*pages, stopped]))["status"][1]
    assert rule["map"] == {"SALE": "on_sale", "SOLDOUT": "sold_out", "STOP": "off_sale", "*": "off_sale"}


def test_buttons_tell_what_data_do_not() -> None:
    """The first visible button with a word of its language; those of other things on the page do not count."""
    texts = {PageRole.ON_SALE: "Add to cart", PageRole.SOLD_OUT: "Notify me"}
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("button", "Close", ("button", "placed")),
            element("button", texts[role], ("button:nth-of-type(2)", "placed")),
            role=role,
        )
        for n, role in enumerate([PageRole.ON_SALE, PageRole.ON_SALE, PageRole.SOLD_OUT])
    ]
    strategy, rule = _first_rules(_draft(pages))["status"]
    assert strategy == "dom" and rule["selector"] == "button" and rule["visible"] is True


def test_without_a_sold_out_page_stock_is_unsure() -> None:
    """What was not seen is not claimed."""
    pages = [page(n, state=_product(n, f"Red cup {n}", 900, 700 + n, soldOut=False)) for n in range(3)]
    choice = next(one for one in _draft(pages).choices if one.name == "status")
    assert choice.sureness is Sureness.UNSURE
    assert "--sold-out" in choice.why


def test_what_was_not_found_is_told_with_guesses() -> None:
    """The file says which field it lacks, and the nearest that there was."""
    pages = [page(n, element("h1", f"Red cup {n}", *NAME)) for n in range(2)]
    found = _draft(pages)
    choice = next(one for one in found.choices if one.name == "price")
    assert choice.sureness is Sureness.NOT_FOUND
    assert "# price was not found" in found.text


def test_signs_of_a_gone_page() -> None:
    """Its own status, dialog, address or code; words only where there is nothing else."""
    pages = [
        page(n, element("h1", f"Red cup {n}", *NAME), state=_product(n, f"Red cup {n}", 900, 700)) for n in range(2)
    ]
    words = page(7, element("p", "This product is no longer available", ("p", "placed")), role=PageRole.GONE)
    led = page(8, role=PageRole.GONE, final_url="https://shop.example/today", dialogs=("Not for sale",))
    gone = found = _draft([*pages, words, led]).platform.judge.gone
    assert gone.text == ("This product is no longer available",)
    assert gone.url == ("/today",)
    assert gone.dialog == ("Not for sale",)
    coded = page(
        7,
        element("p", "This product is no longer available", ("p", "placed")),
        role=PageRole.GONE,
        state={"product": None, "errorCode": "E_0006"},
    )
    others = [page(n, state={**_product(n, f"Red cup {n}", 900, 700), "errorCode": ""}) for n in range(2)]
    found = _draft([*others, coded]).platform.judge.gone
    assert [(one.path, one.words) for one in found.error] == [("errorCode", ("E_0006",))]
    assert found.text == ()


def test_a_code_is_known_by_where_it_stands() -> None:
    """Whatever its key is called: where all other pages say nothing. It is surer than that nothing is there."""
    pages = [page(n, state={"meta": {"trouble": ""}, **_product(n, f"Red cup {n}", 900, 700)}) for n in range(2)]
    gone = page(7, role=PageRole.GONE, state={"meta": {"trouble": "PRODUCT_IS_GONE"}, "product": None})
    found = _draft([*pages, gone]).platform.judge.gone
    assert [(one.path, one.words) for one in found.error] == [("meta.trouble", ("PRODUCT_IS_GONE",))]


def test_nothing_beside_an_error_is_no_sign() -> None:
    """Wherever the answer tells of the error: the shop had a trouble, and said nothing of the product."""
    pages = [page(n, state={"answer": {"data": _product(n, f"Red cup {n}", 900, 700)}}) for n in range(2)]
    gone = page(7, role=PageRole.GONE, state={"answer": {"data": {"product": None}}})
    [sign] = _draft([*pages, gone]).platform.judge.gone.error
    nothing: dict[str, Any] = {"data": {"product": None}}
    assert word_at({"answer": nothing}, sign.path) == ("no product",)
    assert word_at({"errors": ["x"], "answer": nothing}, sign.path) != ("no product",)
    assert word_at({"answer": {**nothing, "errors": ["x"]}}, sign.path) != ("no product",)


def test_a_page_of_a_sold_out_product_has_no_say_in_prices_it_does_not_show() -> None:
    """Sold-out pages often show others' prices; only what is firmly believed of them counts."""
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("b", f"${900 + n}.00", (".price", "named")),
        )
        for n in range(2)
    ]
    sold_out = page(
        5,
        element("h1", "Red cup 5", *NAME),
        *[element("i", f"filler {n}", (f".f{n}", "named")) for n in range(30)],
        element("b", "$5.00", (".card b", "named")),
        role=PageRole.SOLD_OUT,
    )
    assert _first_rules(_draft([*pages, sold_out]))["price"] == ("dom", {"selector": ".price", "type": "number"})


def test_what_was_expected_is_the_truth() -> None:
    """The lower of two prices may be for members: whoever drafts knows which one is right."""
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("b", f"${700 + n}.00", (".low", "named")),
            element("b", f"${900 + n}.00", (".high", "named")),
            expected={"price": 900 + n},
        )
        for n in range(2)
    ]
    found = _draft(pages)
    assert _first_rules(found)["price"] == ("dom", {"selector": ".high", "type": "number"})
    assert next(one for one in found.choices if one.name == "price").sureness is Sureness.SURE


def test_published_data_are_no_state() -> None:
    """JSON-LD is read by `structured`, which knows what it means, and not by paths."""
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            state={"@context": "https://schema.org", "@type": "Product", "name": f"Red cup {n}"},
            structured={"name": f"Red cup {n}", "price": 900 + n, "in_stock": True},
        )
        for n in range(2)
    ]
    text = _draft(pages).text
    assert SCRIPT not in text and "strategy: structured" in text


def test_products_that_show_each_other_have_names_all_the_same() -> None:
    """Pages given to a draft are often of products that stand beside each other in the shop."""
    names = ["Red cup", "Blue cup"]
    pages = [
        page(
            n,
            element("h2", "The Shop", ("h2", "placed")),
            element("h1", name, *NAME),
            element("h3", names[1 - n], (".card h3", "named")),
            title=f"{name} | The Shop",
        )
        for n, name in enumerate(names)
    ]
    assert [one["name"].value for one in _draft(pages).beliefs] == names


def test_an_amount_that_is_shown_in_pieces_is_read_whole() -> None:
    """The same amount once for readers and once in pieces; what stands in another place is another product's."""
    pages = [
        page(
            n,
            element("i", f"$5{n}.99", (".a-offscreen", "named")),
            *[element("i", f"filler {n} {at}", (f".f{n}{at}", "named")) for at in range(20)],
            element("span", f"Red cup {n}", ("#productTitle", "named")),
            element("span", f"$1,60{n}.18 $ 1,60{n}. 18", ("#price", "named")),
            title=f"Big Shop: Red cup {n} : Home",
        )
        for n in range(3)
    ]
    found = _draft(pages)
    assert [(one["name"].value, one["price"].value) for one in found.beliefs] == [
        ("Red cup 0", 1600.18),
        ("Red cup 1", 1601.18),
        ("Red cup 2", 1602.18),
    ]


def test_what_a_page_says_while_it_loads_is_no_sign() -> None:
    """A page without its product may go on saying that it loads; so does every page of a product, for a moment."""
    pages = [page(n, element("h1", f"Red cup {n}", *NAME), passing=("Loading the product",)) for n in range(2)]
    loading = element("p", "Loading the product", ("p", "placed"))
    assert _draft([*pages, page(7, loading, role=PageRole.GONE)]).platform.judge.gone.text == ()
    gone = element("p", "Nothing here any more", ("p + p", "placed"))
    found = _draft([*pages, page(7, loading, gone, role=PageRole.GONE)]).platform.judge.gone
    assert found.text == ("Nothing here any more",)


def test_the_word_of_stock_is_found_behind_a_long_menu() -> None:
    """What stands on every page alike, sold out or not, says nothing of the product."""
    menu = [element("a", f"Shelf {n}", (f".m{n}", "named")) for n in range(400)]
    words = {PageRole.ON_SALE: "Ready to ship", PageRole.SOLD_OUT: "Sold out"}
    pages = [
        page(
            n,
            *menu,
            element("h1", f"Red cup {n}", *NAME),
            element("div", f"${900 + n}.00 {words[role]}", (".buybox", "named")),
            element("b", f"${900 + n}.00", (".amount", "named")),
            element("span", words[role], (".supply", "named")),
            role=role,
        )
        for n, role in enumerate([PageRole.ON_SALE, PageRole.ON_SALE, PageRole.SOLD_OUT])
    ]
    rules = _first_rules(_draft(pages))
    assert rules["status"] == (
        "dom",
        {"selector": ".supply", "map": {"Ready to ship": "on_sale", "Sold out": "sold_out"}},
    )
    assert rules["price"] == ("dom", {"selector": ".amount", "type": "number"})


def test_words_that_no_language_knows_are_learned_and_hidden_buttons_count_last() -> None:
    """A button that nobody sees says that the product is sold out; the rule reads it where no visible one says more."""
    words = {PageRole.ON_SALE: "Mine!", PageRole.SOLD_OUT: "Too late"}
    pages = [
        page(
            n,
            element("h1", f"Red cup {n}", *NAME),
            element("button", "Sold out", (".sheet button", "placed"), visible=False),
            element("button", "Share", ("button:nth-of-type(1)", "placed")),
            element("button", words[role], ("button:nth-of-type(2)", "placed")),
            role=role,
        )
        for n, role in enumerate([PageRole.ON_SALE, PageRole.ON_SALE, PageRole.SOLD_OUT])
    ]
    found = _draft(pages)
    rule = _first_rules(found)["status"][1]
    assert rule["selector"] == "button" and rule["visible"] is True
    assert next(value for word, value in rule["map"].items() if "mine!" in word) == "on_sale"
    assert next(value for word, value in rule["map"].items() if "too late" in word) == "sold_out"
    assert next(one for one in found.choices if one.name == "status").rules[0].values == (
        "on_sale",
        "on_sale",
        "sold_out",
    )
