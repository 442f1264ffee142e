"""A reading becomes exactly one verdict, with a reason that a person understands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.reading.judge import Judge, VerdictSigns
from pagemill.extraction.judge import judge_reading
from pagemill.model import Difference, Judgement, PageReading, Product, Verdict

RULES = Judge(
    gone=VerdictSigns(status=(404, 410), text=("No longer sold",)),
    blocked=VerdictSigns(status=(403, 429), text=("Are you a robot",)),
    tolerance={"price": 100},
)
EXPECTED = {"name": "Blue shirt", "price": 12900, "in_stock": True}
SAID = {"name": "Blue shirt", "price": 12900, "in_stock": True}


def judged(expected: dict[str, Any], facts: dict[str, Any], rules: Judge = RULES, **reading: Any) -> Judgement:
    read = replace(PageReading(200, "https://shop.example/1", facts), **reading)
    return judge_reading(Product("1", "https://shop.example/1", expected), read, rules)


@pytest.mark.parametrize(
    ("reading", "verdict", "reason"),
    [
        ({}, Verdict.OK, ""),
        ({"status": None}, Verdict.OK, ""),
        ({"status": 404}, Verdict.GONE, "HTTP 404"),
        ({"status": 410, "ready": False}, Verdict.GONE, "HTTP 410"),
        ({"texts": ("No longer sold",)}, Verdict.GONE, 'the page says "No longer sold"'),
        ({"texts": ("No longer sold",), "ready": False}, Verdict.GONE, 'the page says "No longer sold"'),
        ({"status": 403, "texts": ("No longer sold",)}, Verdict.GONE, 'the page says "No longer sold"'),
        ({"status": 429}, Verdict.BLOCKED, "HTTP 429"),
        ({"texts": ("Are you a robot",), "ready": False}, Verdict.BLOCKED, 'the page says "Are you a robot"'),
        ({"status": 503, "texts": ("Are you a robot",)}, Verdict.BLOCKED, 'the page says "Are you a robot"'),
        ({"status": 500}, Verdict.FAILED, "HTTP 500"),
        ({"status": 401, "ready": False}, Verdict.FAILED, "HTTP 401"),
        ({"ready": False}, Verdict.FAILED, "timeout: content did not appear"),
    ],
)
def test_signs_come_before_facts(reading: dict[str, Any], verdict: Verdict, reason: str) -> None:
    """Gone before blocked, blocked before failed, and all of them before what the page says of the product."""
    judgement = judged(EXPECTED, SAID, **reading)
    assert (judgement.verdict, judgement.reason, judgement.differences) == (verdict, reason, ())


def test_sold_out_lists_what_else_differs() -> None:
    """A page that sells nothing may still say another price."""
    judgement = judged(EXPECTED, {"name": "Blue shirt", "price": 9900, "in_stock": False})
    assert judgement.verdict is Verdict.SOLD_OUT
    assert judgement.reason == "in_stock is false"
    assert judgement.differences == (Difference("price", 12900, 9900), Difference("in_stock", True, False))


def test_sold_out_comes_before_what_is_unsaid() -> None:
    """Shops often hide the price of what they do not sell."""
    assert judged(EXPECTED, {"name": None, "price": None, "in_stock": False}).verdict is Verdict.SOLD_OUT


@pytest.mark.parametrize("facts", [{"name": "x"}, {"name": "x", "in_stock": None}, {"in_stock": True}])
def test_a_condition_on_an_unsaid_fact_does_not_hold(facts: dict[str, Any]) -> None:
    """Not knowing whether it is in stock is not being sold out."""
    assert judged({}, facts).verdict is Verdict.OK


def test_every_condition_of_sold_out_must_hold() -> None:
    """Two conditions, one of which does not hold, are not enough; none at all never hold."""
    both = Judge(sold_out={"in_stock": False, "label": "sold out"})
    assert judged({}, {"in_stock": False, "label": "new"}, both).verdict is Verdict.OK
    assert judged({}, {"in_stock": False, "label": " sold  out "}, both).verdict is Verdict.SOLD_OUT
    assert judged({}, {"in_stock": False}, Judge(sold_out={})).verdict is Verdict.OK


def test_an_unsaid_expected_field_fails_by_name() -> None:
    """A price that the page did not say is neither right nor wrong."""
    judgement = judged(EXPECTED, {"name": None, "price": None, "in_stock": True})
    assert judgement == Judgement(Verdict.FAILED, "the page does not say name, price")


def test_only_what_is_expected_and_read_is_compared() -> None:
    """A field that the row leaves empty, or that the platform does not read, is not compared."""
    assert judged({"image": "a.jpg", "name": None}, {"name": "Red shirt", "price": 5}).verdict is Verdict.OK


def test_changes_are_named_with_both_values() -> None:
    """The reason shows at a glance what happened."""
    judgement = judged(EXPECTED, {"name": "Red shirt", "price": 11900, "in_stock": True})
    assert judgement.verdict is Verdict.CHANGED
    assert judgement.reason == "name: Blue shirt -> Red shirt, price: 12900 -> 11900"
    assert judgement.differences == (
        Difference("name", "Blue shirt", "Red shirt"),
        Difference("price", 12900, 11900),
    )


def test_a_reason_is_bounded() -> None:
    """Long values are cut in the reason, and whole in the differences."""
    judgement = judged({f"f{n}": "a" * 500 for n in range(20)}, {f"f{n}": "b" * 500 for n in range(20)})
    assert len(judgement.reason) == 400
    assert judgement.differences[0].found == "b" * 500


@pytest.mark.parametrize(
    ("expected", "found", "tolerance", "same"),
    [
        (12900, 12900, 0, True),
        (12900, 12900.0, 0, True),
        ("12900", 12900, 0, True),
        ("12,900원", 12900, 0, True),
        (12900, "12,900", 0, True),
        (12900, "12900 pieces", 0, False),
        ("abc", 12900, 0, False),
        (12900, 13000, 100, True),
        (12900, 12800, 100, True),
        (12900, 13001, 100, False),
        (1.3, 1.2, 0.1, True),
        (1.3, 1.2, 0.09, False),
        (10**400, 1.5, 1, False),
        (float("nan"), 1, 1, False),
        (True, True, 0, True),
        (True, False, 0, False),
        ("true", True, 0, True),
        ("in stock", True, 0, True),
        (1, True, 0, True),
        (0, True, 5, False),
        ("perhaps", True, 0, False),
        (False, "품절", 0, True),
        ("Blue  shirt\u00a0", "Blue shirt", 0, True),
        ("Blue shirt", "blue shirt", 0, False),
        ("1.0", "1.00", 0, False),
        ("https://a.example/1.jpg", "https://a.example/2.jpg", 0, False),
    ],
)
def test_values_compare_by_their_meaning(expected: Any, found: Any, tolerance: float, same: bool) -> None:
    """Numbers as numbers, booleans as booleans, text exactly but for white space."""
    rules = Judge(sold_out={}, tolerance={"x": tolerance})
    assert judged({"x": expected}, {"x": found}, rules).verdict is (Verdict.OK if same else Verdict.CHANGED)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(expected=VALUES, found=VALUES, status=st.none() | st.integers(100, 599), ready=st.booleans())
def test_any_reading_is_judged(expected: Any, found: Any, status: int | None, ready: bool) -> None:
    """A bad product is a verdict, never an exception; `ok` has no reason and every other verdict has one."""
    judgement = judged({"x": expected}, {"x": found}, status=status, ready=ready)
    assert (judgement.reason == "") is (judgement.verdict is Verdict.OK)
