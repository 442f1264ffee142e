"""The rules of judgement one by one: signs of every kind, what must be said, how facts are compared, how reasons
read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.reading.judge import Judge
from pagemill.config.reading.patterns import Part
from pagemill.extraction.judge import is_blocked, judge_reading, met_signs
from pagemill.model import FactValue, FieldTold, Judgement, PageReading, Product, Verdict

ASKED = "https://shop.example/goods/12345"
SAID: dict[str, FactValue] = {"name": "Cup", "price": 12900, "status": "on_sale"}


def judged(rules: dict[str, Any], expected: dict[str, Any] | None = None, **reading: Any) -> Judgement:
    """A page of the product, which says everything unless told otherwise."""
    read = replace(PageReading(200, ASKED, SAID, asked=ASKED), **reading)
    expected = {"name": "Cup", "price": 12900} if expected is None else expected
    return judge_reading(Product("1", ASKED, expected), read, Judge.model_validate(rules))


SIGNS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "status": ({"status": [418]}, {"status": 418}, "HTTP 418"),
    "text": ({"text": ["No more"]}, {"texts": ("No more",)}, 'the page says "No more"'),
    "text in": (
        {"text": [{"in": ".note", "says": "No more"}]},
        {"texts_in": ((".note", "No more"),)},
        'the page says "No more"',
    ),
    "url": (
        {"url": ["/today"]},
        {"url": "https://shop.example/today"},
        'the visit ended at https://shop.example/today, which has "/today"',
    ),
    "dialog": ({"dialog": ["No more"]}, {"dialogs": ("Sorry: no  more.",)}, 'a dialog says "No more"'),
    "selector": ({"selector": [".off"]}, {"selectors": (".off",)}, "the page has .off"),
    "facts": ({"facts": {"status": "on_sale"}}, {}, "status is on_sale"),
    "error": ({"error": {"path": "a.b", "words": ["GONE"]}}, {"errors": (("a.b", "gone"),)}, "a.b is gone"),
    "error null": ({"error": {"path": "a.b", "words": [None]}}, {"errors": (("a.b", None),)}, "a.b is null"),
}


@pytest.mark.parametrize("verdict", ["gone", "off_sale", "sold_out", "blocked"])
@pytest.mark.parametrize("kind", SIGNS)
def test_every_verdict_takes_every_sign(verdict: str, kind: str) -> None:
    """With a reason that names what was met."""
    signs, reading, reason = SIGNS[kind]
    judgement = judged({verdict: signs}, **reading)
    assert (judgement.verdict.value, judgement.reason) == (verdict, reason)


@pytest.mark.parametrize("kind", [kind for kind in SIGNS if kind != "facts"])
def test_what_was_not_met_is_no_sign(kind: str) -> None:
    """A page without any of it is what its facts say."""
    assert judged({"gone": SIGNS[kind][0]}).verdict is Verdict.OK


def test_signs_are_met_in_the_order_of_the_verdicts() -> None:
    """Gone, off sale, blocked, sold out; and any of them before what only facts say."""
    order = ["gone", "off_sale", "blocked", "sold_out"]
    for first in range(4):
        rules: dict[str, Any] = {name: {"text": [name]} for name in order[first:]}
        rules["gone"] = {**rules.get("gone", {}), "facts": {"status": "on_sale"}}
        assert judged(rules, texts=tuple(order)).verdict.value == order[first]


def test_facts_are_signs_in_the_same_order_and_after_failures() -> None:
    """A page that did not become ready, or ended elsewhere, has no facts to go by."""
    rules = {name: {"facts": {"status": "on_sale"}} for name in ("gone", "off_sale", "sold_out")}
    assert judged(rules).verdict is Verdict.GONE
    assert judged(rules, ready=False).reason == "timeout: content did not appear"
    assert judged(rules, status=500).reason == "HTTP 500"


def test_a_word_that_is_null_and_one_that_is_not_there_differ() -> None:
    """Nothing at the path is no sign; another word is none either."""
    rules = {"gone": {"error": [{"path": "a", "words": [None, "X"]}, {"path": "b", "words": ["Y"]}]}}
    assert judged(rules).verdict is Verdict.OK
    assert judged(rules, errors=(("a", "Z"), ("b", None))).verdict is Verdict.OK
    assert judged(rules, errors=(("b", " y "),)).reason == "b is y"


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"status": "off_sale"}, Verdict.OFF_SALE),
        ({"status": "stopped"}, Verdict.OFF_SALE),
        ({"status": "OFF_SALE"}, Verdict.OFF_SALE),
        ({"status": "members", "price": 5}, Verdict.OFF_SALE),
        ({"status": "members", "price": 6}, Verdict.OK),
        ({"status": "on_sale"}, Verdict.OK),
        ({"status": None}, Verdict.OK),
    ],
)
def test_one_of_several_values_and_any_of_several_sections_will_do(facts: dict[str, Any], verdict: Verdict) -> None:
    """Within a section all must hold; what was not said never does."""
    rules = {"off_sale": {"facts": [{"status": ["off_sale", "stopped"]}, {"status": "members", "price": 5}]}}
    assert judged(rules, {}, facts={"name": "Cup", **facts}).verdict is verdict


@pytest.mark.parametrize(
    ("final", "verdict"),
    [
        ("https://shop.example/", Verdict.FAILED),
        ("https://shop.example/goods/99999", Verdict.FAILED),
        ("https://shop.example/login?back=/goods/12345", Verdict.FAILED),
        ("https://shop.example/goods/blue-cup-12345?x=1", Verdict.OK),
    ],
)
def test_a_visit_that_ended_elsewhere_is_never_ok_or_changed(final: str, verdict: Verdict) -> None:
    """Whatever stands there."""
    judgement = judged({}, {"name": "Another"} if verdict is Verdict.FAILED else None, url=final)
    assert judgement.verdict is verdict
    assert not judgement.reason or judgement.reason == f"the visit ended elsewhere: {final}"


def test_where_it_ended_does_not_matter_unless_somebody_has_asked() -> None:
    """A strategy that says no `asked` answers for itself."""
    assert judged({}, url="https://shop.example/", asked="").verdict is Verdict.OK


def test_names_of_the_product_say_where_it_may_stand() -> None:
    """`landing` has its templates filled in, and `product.id` says what the product is known by."""
    reading = PageReading(200, "https://shop.example/view/77", SAID, asked="https://shop.example/p?x=9")
    rules, product = Judge.model_validate({"landing": ["/view/{no}"]}), Product("1", reading.asked)
    names = {"id": Part("9", encoded=True), "no": Part("77", encoded=True)}
    assert judge_reading(product, reading, rules, names).verdict is Verdict.OK
    assert judge_reading(product, reading, rules, names | {"no": Part("78")}).verdict is Verdict.FAILED


def test_what_is_seen_elsewhere_does_not_make_this_product_sold_out() -> None:
    """The home page has sold-out cards; but its words for what is gone are the shop's about this product."""
    seen: dict[str, Any] = {"url": "https://shop.example/", "texts": ("품절", "No more"), "selectors": (".off",)}
    rules: dict[str, Any] = {"sold_out": {"text": ["품절"], "selector": [".off"]}}
    assert judged(rules, **seen).verdict is Verdict.FAILED
    assert judged(rules | {"gone": {"text": ["No more"]}}, **seen).verdict is Verdict.GONE
    assert judged({"sold_out": {"url": ["re:/$"]}}, **seen).verdict is Verdict.SOLD_OUT


@pytest.mark.parametrize("expected", [{}, {"name": "Cup"}])
def test_nothing_read_is_failed_whatever_is_expected(expected: dict[str, Any]) -> None:
    """Facts by default were read nowhere; the reason says what went wrong."""
    facts = {"name": None, "price": None, "status": "on_sale"}
    reading: dict[str, Any] = {"facts": facts, "defaults": frozenset({"status"})}
    assert judged({}, expected, **reading).reason == "nothing was read"
    assert judged({}, expected, **reading, troubles=("http: HTTP 500",)).reason == "nothing was read (http: HTTP 500)"
    assert judged({}, {}, facts={**facts, "name": "Cup"}, defaults=frozenset({"status"})).verdict is Verdict.OK


def test_nothing_read_is_no_sale_either() -> None:
    """An empty page is not sold out because a default says so."""
    rules = {"sold_out": {"facts": {"status": "sold_out"}}}
    reading: dict[str, Any] = {"facts": {"status": "sold_out"}, "defaults": frozenset({"status"})}
    assert judged(rules, {}, **reading).verdict is Verdict.FAILED


def test_required_facts_must_be_said() -> None:
    """Without them no verdict by facts is believed, though one by a text is."""
    rules = {"require": ["name", "price"], "off_sale": {"facts": {"status": "off_sale"}, "text": ["Stopped"]}}
    facts = {"name": "Cup", "price": None, "status": "off_sale"}
    assert judged(rules, {}, facts=facts).reason == "required and not said: price"
    assert judged(rules, {}, facts=facts, texts=("Stopped",)).verdict is Verdict.OFF_SALE
    assert judged(rules, {}, facts={**facts, "price": 1}).verdict is Verdict.OFF_SALE


def test_a_reason_has_the_text_that_was_not_understood() -> None:
    """Told apart from what was not there, and from what was cut."""
    told = {
        "price": (FieldTold(0, "dom"), FieldTold(1, "dom", None, "not_understood", "Ask us")),
        "name": (FieldTold(0, "dom", None, "cut", "it is 20000 characters long"),),
    }
    judgement = judged({}, facts={"name": None, "price": None, "status": "x"}, told=told, troubles=("state: broken",))
    assert judgement.reason == (
        'the page does not say name ("it is 20000 characters long" was cut), price ("Ask us" is not understood)'
        " (state: broken)"
    )


@pytest.mark.parametrize(
    ("compare", "expected", "found", "same"),
    [
        ("ignore_query", "https://i.com/a.jpg?w=1", "https://i.com/a.jpg#x", True),
        ("ignore_query", "https://i.com/a.jpg?w=1", "https://i.com/b.jpg?w=1", False),
        (None, "https://i.com/a.jpg?w=1", "https://i.com/a.jpg", False),
        (100, 12900, 13000, True),
        (100, 12900, 13001, False),
        ("2%", 10000, 10200, True),
        ("2%", 10000, 9799, False),
        ("10%", -100, -110, True),
        ("1.5%", "10,000원", 10150, True),
        ("0%", 0.3, 0.3, True),
        (0.1, 1.2, 1.3, True),
        ({"words": {"off_sale": ["sold_out", "off_sale"]}}, "off_sale", "sold_out", True),
        ({"words": {"off_sale": "Sold Out"}}, "off_sale", " sold  out ", True),
        ({"words": {"off_sale": ["sold_out"]}}, "off_sale", "off_sale", True),
        ({"words": {"off_sale": ["sold_out"]}}, "off_sale", "on_sale", False),
        ({"words": {"off_sale": ["sold_out"]}}, "on_sale", "sold_out", False),
        ({"words": {"N": ["false"]}}, "N", False, True),
        ({"tolerance": "1%", "ignore_query": True}, "a?b", "a", True),
    ],
)
def test_a_field_is_compared_as_its_platform_says(compare: Any, expected: Any, found: Any, same: bool) -> None:
    """Queries, tolerances absolute and in percent, and the catalogue's own words."""
    rules = {"compare": {"x": compare}} if compare is not None else {}
    judgement = judged(rules, {"x": expected}, facts={"x": found})
    assert judgement.verdict is (Verdict.OK if same else Verdict.CHANGED)


def test_the_older_tolerance_still_counts() -> None:
    """And the newer one before it."""
    assert judged({"tolerance": {"price": 100}}, {"price": 12800}).verdict is Verdict.OK
    newer = {"tolerance": {"price": 100}, "compare": {"price": 1}}
    assert judged(newer, {"price": 12800}).verdict is Verdict.CHANGED
    beside = {"tolerance": {"price": 100}, "compare": {"price": {"ignore_query": True}}}
    assert judged(beside, {"price": 12800}).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("expected", "found", "reason"),
    [
        (12900.0, 9900, "x: 12900 -> 9900"),
        (12900, 9900.0, "x: 12900 -> 9900"),
        (12.5, 12.75, "x: 12.5 -> 12.75"),
        (True, False, "x: true -> false"),
        ("a\n b", "c", "x: a b -> c"),
    ],
)
def test_reasons_write_values_in_one_form(expected: Any, found: Any, reason: str) -> None:
    """Whoever wrote them: a CSV's 12900.0 and a page's 12900 are one number."""
    assert judged({}, {"x": expected}, facts={"x": found}).reason == reason


def test_blocked_by_a_sign_is_known_before_any_verdict() -> None:
    """So that another source may be asked."""
    rules = Judge.model_validate({"blocked": {"text": ["robot"]}})
    assert is_blocked(PageReading(200, ASKED, {}, texts=("robot",)), rules)
    assert not is_blocked(PageReading(200, ASKED, SAID), rules)


def test_people_see_every_sign_that_was_met() -> None:
    """Whether it decides or not."""
    rules = Judge.model_validate({"gone": {"text": ["A"]}, "sold_out": {"text": ["B"], "facts": {"status": "on_sale"}}})
    met = met_signs(PageReading(200, ASKED, SAID, texts=("A", "B")), rules)
    assert met == [
        (Verdict.GONE, 'the page says "A"'),
        (Verdict.SOLD_OUT, 'the page says "B"'),
        (Verdict.SOLD_OUT, "status is on_sale"),
    ]


@given(final=st.text(max_size=30), asked=st.sampled_from([ASKED, ""]), facts=st.booleans())
def test_any_final_address_is_judged(final: str, asked: str, facts: bool) -> None:
    """Pages can give themselves addresses of any form."""
    reading = PageReading(200, f"https://shop.example/{final}", SAID if facts else {}, asked=asked)
    assert judge_reading(Product("1", ASKED), reading, Judge()).verdict in (Verdict.OK, Verdict.FAILED)
