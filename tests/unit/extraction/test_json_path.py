"""Paths into JSON: plain ones, JMESPath, and what stands at their ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.reading.field_rule import FieldRule
from pagemill.errors import TooManyValues
from pagemill.extraction.json_path import (
    MAX_VALUES,
    answered_paths,
    find_value,
    parse_answer,
    parse_json,
    told_at_path,
    word_at,
)

DOCUMENT: dict[str, Any] = {
    "name": "Cup",
    "offers": [{"note": "x"}, {"price": 5, "list": []}, {"price": 7}],
    "sale": 0,
    "base": 9,
    "coupon": {"on": True, "price": 3},
    "images": [{"type": "SUB", "url": "s.jpg"}, {"type": "MAIN", "url": "m.jpg"}],
    "queries": [{"state": {}}, {"state": {"goods": {"name": "Blue"}}}],
    "gone": None,
    "sale.price": {"amount": 4},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Cup"),
        ("offers.price", 5),
        ("offers.2.price", 7),
        ("offers.9.price", None),
        ("offers.list.x", None),
        ("name.first", None),
        ("coupon.on", True),
        ("sale || base", 0),
        ("missing || base", 9),
        ("[sale, base][?@ > `0`] | [0]", 9),
        ("coupon.on && coupon.price || base", 3),
        ("images[?type=='MAIN'].url | [0]", "m.jpg"),
        ("images[?type=='MAIN'].url", "m.jpg"),
        ("queries[].state.goods.name | [0]", "Blue"),
        ("offers[].price", 5),
        ('"sale.price".amount', 4),
        ("offers[?price > `6`].price | [0]", 7),
        ("to_number(name)", None),
        ("length(base)", None),
        ("@", None),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: Any) -> None:
    """A list stands for its first element, in the end and, in a plain path, on the way."""
    found = find_value(DOCUMENT, path)
    assert (found.value if found else None) == value


def test_keys_that_change_with_every_build_are_gone_by_what_is_inside() -> None:
    """The one with a `sku` is the product, whatever it is called today."""
    for key in ("Product:8f3a", "Product:11"):
        state = {"graphqlResponse": {"ROOT_QUERY": {"x": 1}, key: {"sku": "A1", "price": 12900}}}
        found = find_value(state, "graphqlResponse | values(@) | [?sku] | [0].price")
        assert found is not None
        assert found.value == 12900


def test_a_plain_path_looks_at_every_element() -> None:
    """However long the list is."""
    found = find_value({"list": [{"x": 1}] * 5000 + [{"price": 7}]}, "list.price")
    assert found is not None
    assert found.value == 7


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("name", ("Cup",)),
        ("base", ("9",)),
        ("coupon.on", ("true",)),
        ("gone", (None,)),
        ("gone.deep.er", (None,)),
        ("missing", None),
        ("missing.deep", None),
        ("coupon", None),
        ("offers.1.list", None),
        ("gone || 'none'", ("none",)),
        ("gone && 'x'", None),
    ],
)
def test_a_word_is_text_null_or_nothing(path: str, word: Any) -> None:
    """What is `null` on the way is `null` at the end; objects and lists are no words."""
    assert word_at(DOCUMENT, path) == word


@pytest.mark.parametrize(
    ("keys", "document", "told"),
    [
        ({}, {"a": "x"}, ("x", "said", "")),
        ({}, {"b": "x"}, (None, "not_found", "")),
        ({}, {"a": None}, (None, "not_understood", "null")),
        ({}, {"a": {"b": 1}}, (None, "not_understood", "an object")),
        ({}, {"a": []}, (None, "not_understood", "an empty list")),
        ({}, {"a": [[1]]}, (None, "not_understood", "a list")),
        ({"type": "number"}, {"a": "ask us"}, (None, "not_understood", "ask us")),
        ({"type": "number"}, {"a": "12.900"}, (12.9, "said", "")),
        ({"map": {"X": "x"}, "else": "z"}, {"a": "Y"}, ("z", "default", "Y")),
        ({"map": {"X": "x"}, "else": "z"}, {"a": None}, ("z", "default", "null")),
        ({"else": False}, {}, (False, "default", "")),
        ({"equals": "Y"}, {"a": "X"}, (False, "said", "")),
    ],
)
def test_what_a_rule_finds_is_told_with_the_reason(keys: Any, document: Any, told: tuple[Any, str, str]) -> None:
    """Found, by default, not there, or there and not understood."""
    entry = told_at_path(document, FieldRule.model_validate({"path": "a", **keys}), 2, "state")
    assert (entry.value, entry.state, entry.text) == told
    assert (entry.source, entry.strategy) == (2, "state")


def test_an_answer_is_measured_by_the_paths_that_lead_somewhere() -> None:
    """Be it to `null`: the shop has said so."""
    rules = [FieldRule(path=path) for path in ("a", "b", "c.d", "e || f")]
    assert answered_paths({"a": 1, "b": None, "f": 2}, rules) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        ('\ufeff{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": 1}'.encode("utf-16"), {"a": 1}),
        (")]}',\n" + '{"a": 1}', {"a": 1}),
        ("while(1);[1]", [1]),
        ("for (;;);[1]", [1]),
    ],
)
def test_json_is_read_as_sites_send_it(text: str | bytes, value: Any) -> None:
    """With marks of its encoding, line breaks in texts, and guards before it."""
    assert parse_json(text) == value


@pytest.mark.parametrize("text", ["", "<html>", "{'a': 1}", b"\xff\xfe\xfd", "[" * 100_000, "callback({})"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    """Also what nests too deeply."""
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize("inner", ["[]", "{}", "1", '{"a": 1}', '"x"'])
def test_json_of_too_many_values_is_refused_before_it_is_parsed(inner: str) -> None:
    """Its objects would take thirty times the room of its text."""
    few, many = (f"[{','.join([inner] * count)}]" for count in (MAX_VALUES // 4, MAX_VALUES + 1))
    assert len(parse_json(few)) == MAX_VALUES // 4
    for text in (many, many.encode()):
        with pytest.raises(TooManyValues, match="more than 500000 values"):
            parse_json(text)
    with pytest.raises(TooManyValues):
        parse_answer(f"callback({many})".encode())


def test_a_text_that_is_too_long_for_a_fact_is_told_as_cut() -> None:
    """With its length; an `else` holds all the same."""
    rule = FieldRule(path="a", type="number")
    document = {"a": "1 " * 8_000}
    told = told_at_path(document, rule, 0, "x")
    assert (told.state, told.value, told.text) == ("cut", None, "it is 15999 characters long")
    assert told_at_path(document, FieldRule.model_validate({"path": "a", "else": "none"}), 0, "x").state == "default"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
PATHS = [
    "a",
    "a.b",
    "a.b.c",
    "a.0.b",
    "a[].b | [0]",
    "a || b",
    "values(@) | [0]",
    "[?a] | [0].b",
    "a[?b > `1`].c",
    "*.a",
]


@given(document=JSON, path=st.sampled_from(PATHS))
def test_any_path_into_any_json_ends_in_a_single_value_or_nowhere(document: Any, path: str) -> None:
    """No error leaves, whatever a shop sends; and what was found is what JSON can hold once more."""
    found = find_value(document, path)
    word_at(document, path)
    told_at_path(document, FieldRule(path=path, type="number"), 0, "x")
    assert found is None or isinstance(json.loads(json.dumps(found.value)), str | int | float | bool | None)
