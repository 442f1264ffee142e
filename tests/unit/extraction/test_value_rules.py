"""What a field's keys do to a text on its way to a fact, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from pagemill.config.reading.field_rule import FieldRule, as_rules
from pagemill.extraction.values import MAX_FACT_CHARS, to_fact, too_long
from pagemill.model import FactValue


def fact(raw: FactValue, *, machine: bool = False, **keys: Any) -> FactValue:
    return to_fact(raw, FieldRule.model_validate({"selector": "x", **keys}), machine=machine)


STATUS = {"ON_SALE": "on_sale", "SOLD OUT|일시품절": "sold_out", "contains:재입고": "sold_out", "*": "off_sale"}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("ON_SALE", "on_sale"),
        (" on_sale ", "on_sale"),
        ("sold\n out", "sold_out"),
        ("일시품절", "sold_out"),
        ("재입고 알림 신청", "sold_out"),
        ("일시품절 아님", "off_sale"),
        ("whatever", "off_sale"),
        ("", None),
        ("\u200b ", None),
        (None, None),
        (True, "off_sale"),
    ],
)
def test_a_map_knows_exact_words_contained_words_and_all_others(raw: FactValue, value: FactValue) -> None:
    """The first line that fits counts; what is empty was not said, so no line is for it."""
    assert fact(raw, map=STATUS) == value


@pytest.mark.parametrize(
    ("raw", "keys", "value"),
    [
        ("no", {"map": {"yes": True, "no": False}}, False),
        ("none", {"map": {"yes": True, "no": False}}, None),
        (True, {"map": {"true": "on_sale", "false": "sold_out"}}, "on_sale"),
        (0, {"map": {"0": "none", "1": "some"}}, "none"),
        (1.0, {"map": {"1.0": "one"}}, "one"),
        ("한정 수량", {"map": {"한정 수량": 3}}, 3),
        ("x", {"map": {"x": "12.90"}, "type": "number"}, 12.9),
        ("x", {"map": {"x": "/a.jpg"}, "prefix": "https://i.com"}, "https://i.com/a.jpg"),
        ("Sale: A|B", {"map": {"contains:a|b": "one"}}, "one"),
        ("In den Warenkorb", {"contains": {"Warenkorb": True, "Ausverkauft": False}}, True),
        ("Ausverkauft!", {"contains": {"Warenkorb": True, "Ausverkauft": False}}, False),
        ("STRASSE", {"map": {"straße": "street"}}, "street"),
    ],
)
def test_a_meaning_is_text_number_or_boolean(raw: FactValue, keys: dict[str, Any], value: FactValue) -> None:
    """JSON's own booleans and numbers are known by how they are written."""
    assert fact(raw, **keys) == value


@pytest.mark.parametrize(
    ("raw", "keys", "value"),
    [
        ("Cup - Shop", {"regex": "^(.*?)(?: - Shop.*)?$"}, "Cup"),
        ("Cup", {"regex": "^(.*?)(?: - Shop.*)?$"}, "Cup"),
        ("Status: SALE now", {"regex": r"Status: (\w+)", "map": {"SALE": "on_sale"}}, "on_sale"),
        ("Status: none", {"regex": r"Price: (\w+)", "map": {"*": "off_sale"}}, None),
        ("16,000원 10% 14,400원 ~", {"regex": r"%\s*([\d,]+)", "type": "number"}, 14400),
        ("/a.jpg?w=1", {"prefix": "https://i.com", "strip_query": True}, "https://i.com/a.jpg"),
        ("https://j.com/a.jpg?w=1#x", {"prefix": "https://i.com", "strip_query": True}, "https://j.com/a.jpg"),
        ("data:image/png;base64,AA", {"prefix": "https://i.com"}, "data:image/png;base64,AA"),
        ("//j.com/a.jpg", {"prefix": "https:"}, "https://j.com/a.jpg"),
        ("/a.jpg", {"prefix": "https://i.com/"}, "https://i.com/a.jpg"),
        ("a.jpg", {"prefix": "https://i.com"}, "https://i.com/a.jpg"),
        ("a.jpg", {"prefix": "https://i.com/thumb_"}, "https://i.com/thumb_a.jpg"),
        ("", {"prefix": "https://i.com"}, None),
    ],
)
def test_a_value_goes_through_its_keys_in_order(raw: FactValue, keys: dict[str, Any], value: FactValue) -> None:
    """`regex`, `map`, `prefix`, `strip_query`, `type`."""
    assert fact(raw, **keys) == value


@pytest.mark.parametrize(
    ("raw", "keys", "machine", "value"),
    [
        ("12.900", {}, False, 12900),
        ("12.900", {}, True, 12.9),
        ("12.900", {"decimal": "."}, False, 12.9),
        ("KWD 12.900", {"decimal": "."}, False, 12.9),
        ("12,900", {"decimal": ","}, False, 12.9),
        ("1.299", {"decimal": ","}, True, 1299),
        ("1.299,00", {}, True, 1299),
        ("12,900원", {}, True, 12900),
        (12.9, {}, True, 12.9),
        ("3.0", {}, True, 3),
        ("1.29E+4", {}, True, 12900),
        ("1.29e4", {}, False, 1.29),
        (True, {}, True, None),
        ("-5.50", {}, True, -5.5),
        ("9" * 40, {}, True, None),
    ],
)
def test_a_bare_number_of_a_machine_has_a_point(raw: FactValue, keys: Any, machine: bool, value: FactValue) -> None:
    """People group thousands; `decimal` says it for both."""
    assert fact(raw, machine=machine, type="number", **keys) == value


@pytest.mark.parametrize(
    ("keys", "kind", "values"),
    [
        ({}, "text", None),
        ({"type": "number"}, "number", None),
        ({"exists": True}, "boolean", (True, False)),
        ({"attribute": "disabled"}, "boolean", (True, False)),
        ({"attribute": "disabled", "regex": "x"}, "text", None),
        ({"attribute": "data-x"}, "text", None),
        ({"equals": "in"}, "boolean", (True, False)),
        ({"contains": "in"}, "boolean", (True, False)),
        ({"map": {"a": True, "b": False}}, "boolean", (True, False)),
        ({"map": {"a": 1, "b": 2.5}, "else": 0}, "number", (1, 2.5, 0)),
        ({"map": {"a": "x", "b": "y", "c": "x"}, "else": "z"}, "text", ("x", "y", "z")),
        ({"map": {"a": "1"}, "type": "number"}, "number", ("1",)),
    ],
)
def test_a_rule_knows_what_its_fact_can_be(keys: dict[str, Any], kind: str, values: Any) -> None:
    """So that a sign that could never hold is refused."""
    rule = FieldRule.model_validate({"selector": "x", **keys})
    assert (rule.kind, rule.values) == (kind, values)


@pytest.mark.parametrize("kind", ["text", "number", "boolean"])
def test_nothing_is_made_of_a_text_that_is_too_long(kind: str) -> None:
    """What is left of it after `regex` counts, and white space does not; words are found in any."""
    rule = FieldRule(selector="x", type=kind)
    narrowed = FieldRule(selector="x", type=kind, regex="1")
    just, over = "1".ljust(MAX_FACT_CHARS, "x"), "1".ljust(MAX_FACT_CHARS + 1, "x")
    assert (too_long(just, rule), too_long(over, rule)) == (0, MAX_FACT_CHARS + 1)
    assert to_fact(over, rule) is None
    assert (too_long(f" {over}", narrowed), to_fact(f" {over}", narrowed)) == (0, to_fact("1", narrowed))
    assert (too_long(just + " " * 100, rule), too_long(12900, rule)) == (0, 0)
    for words in (FieldRule(selector="x", contains="1"), FieldRule(selector="x", map={"contains:1": True})):
        assert (too_long(over, words), to_fact(over, words)) == (0, True)


def test_a_short_rule_and_a_list_of_rules_are_the_same_kind_of_thing() -> None:
    """A bare text is a place, alone or in a list."""
    assert as_rules({"a": "h1", "b": ["h1", {"path": "x"}], "c": {"path": "y"}}, "selector") == {
        "a": [{"selector": "h1"}],
        "b": [{"selector": "h1"}, {"path": "x"}],
        "c": [{"path": "y"}],
    }
