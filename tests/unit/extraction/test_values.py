"""Raw text and JSON become facts as a field's rule says."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.reading.field_rule import FieldRule
from pagemill.extraction.values import collapse, read_boolean, to_fact
from pagemill.model import FactValue


def rule(**keys: Any) -> FieldRule:
    return FieldRule(selector="x", **keys)


@pytest.mark.parametrize(
    ("text", "collapsed"),
    [
        ("  Blue\n\t shirt ", "Blue shirt"),
        ("Blue\u00a0\u2003shirt", "Blue shirt"),
        ("Bl\u200bue\ufeff \u200d shirt\u00ad", "Blue shirt"),
        ("\u200b", ""),
        ("", ""),
    ],
)
def test_white_space_collapses(text: str, collapsed: str) -> None:
    """No-break spaces count as spaces, zero-width characters as nothing."""
    assert collapse(text) == collapsed


@pytest.mark.parametrize(
    ("raw", "keys", "fact"),
    [
        (None, {}, None),
        (" Blue  shirt ", {}, "Blue shirt"),
        ("", {}, None),
        (" \u200b\u00a0", {}, None),
        ("12,900원", {"type": "number"}, 12900),
        ("sold out", {"type": "number"}, None),
        ("", {"type": "number"}, None),
        ("In Stock", {"type": "boolean"}, True),
        ("who knows", {"type": "boolean"}, None),
        (" IN ", {"equals": "in"}, True),
        ("in\u00a0stock", {"equals": "In  Stock"}, True),
        ("out", {"equals": "in"}, False),
        ("", {"equals": "in"}, None),
        ("", {"equals": ""}, True),
        (None, {"equals": "in"}, None),
        ("Only 3 left IN STOCK", {"contains": "in stock"}, True),
        ("soon", {"contains": "in stock"}, False),
        ("", {"contains": "in stock"}, None),
        ("SKU 123-A / red", {"regex": r"SKU (\S+)"}, "123-A"),
        ("SKU 123-A", {"regex": r"\d+"}, "123"),
        ("red", {"regex": r"SKU (\S+)"}, None),
        ("red", {"regex": r"red(x)?"}, None),
        ("10% 12,900원", {"regex": r"% (.+)", "type": "number"}, 12900),
        ("state: IN", {"regex": r"state: (\w+)", "equals": "in"}, True),
        ("nothing", {"regex": r"state: (\w+)", "equals": "in"}, None),
    ],
)
def test_text_becomes_a_fact(raw: FactValue, keys: dict[str, Any], fact: FactValue) -> None:
    """Text that is not there, is empty or does not fit says nothing."""
    found = to_fact(raw, rule(**keys))
    assert found == fact
    assert type(found) is type(fact)


@pytest.mark.parametrize(
    ("raw", "keys", "fact"),
    [
        (12900, {}, 12900),
        (12.5, {}, 12.5),
        (12900.0, {}, 12900),
        (True, {}, True),
        (12900, {"type": "number"}, 12900),
        ("12,900", {"type": "number"}, 12900),
        (True, {"type": "number"}, None),
        (True, {"type": "boolean"}, True),
        (1, {"type": "boolean"}, True),
        (0, {"type": "boolean"}, False),
        (7, {"type": "boolean"}, None),
        ("https://schema.org/InStock", {"type": "boolean"}, True),
        ("http://schema.org/OutOfStock", {"type": "boolean"}, False),
        (True, {"equals": "true"}, True),
        (3, {"equals": "3"}, True),
        (3, {"contains": "4"}, False),
        (math.inf, {"type": "number"}, None),
        (math.nan, {}, None),
        (10**400, {"type": "number"}, None),
        (-1e31, {}, None),
    ],
)
def test_json_keeps_its_type(raw: FactValue, keys: dict[str, Any], fact: FactValue) -> None:
    """JSON has said already what is a number and what a boolean; whole numbers are ints."""
    found = to_fact(raw, rule(**keys))
    assert found == fact
    assert type(found) is type(fact)


@pytest.mark.parametrize(
    ("text", "boolean"),
    [
        ("true", True),
        ("YES", True),
        ("1", True),
        ("in-stock", True),
        ("In_Stock", True),
        ("재고 있음", True),
        ("false", False),
        ("no", False),
        ("0", False),
        ("Out of stock", False),
        ("SOLD OUT", False),
        ("품절", False),
        ("", None),
        ("perhaps", None),
    ],
)
def test_words_mean_yes_or_no(text: str, boolean: bool | None) -> None:
    """Case, spaces and hyphens do not count; other words mean neither."""
    assert read_boolean(text) is boolean


@given(
    raw=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    kind=st.sampled_from(["text", "number", "boolean"]),
    extra=st.sampled_from([{}, {"equals": "in"}, {"contains": "1"}, {"regex": r"(\d+)"}]),
)
def test_any_raw_value_becomes_a_fact_of_its_type(raw: FactValue, kind: Any, extra: dict[str, str]) -> None:
    """Nothing that a page says raises, and a fact never has another type than its rule promises."""
    fact = to_fact(raw, rule(type=kind, **extra))
    if "equals" in extra or "contains" in extra or kind == "boolean":
        assert fact is None or isinstance(fact, bool)
    elif kind == "number":
        assert fact is None or (isinstance(fact, int | float) and not isinstance(fact, bool) and math.isfinite(fact))
    elif isinstance(raw, str):
        assert fact is None or isinstance(fact, str)
