"""A GraphQL query gets what it asks for, and a wrong one is told what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from pagemill.demo.shops.selection import MAX_DEPTH, QueryRefused, read_selection, select

VALUE: dict[str, Any] = {"a": {"b": 1, "list": [{"x": 1, "y": 2}, {"x": 3, "y": 4}], "none": None}, "c": "text"}


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("{ c }", {"c": "text"}),
        ("query Name($id: ID!) { a(id: $id, input: {x: 1}) { b } }", {"a": {"b": 1}}),
        ("{ a { list { y }, b } c }", {"a": {"list": [{"y": 2}, {"y": 4}], "b": 1}, "c": "text"}),
        ("{ a { none { deeper } } }", {"a": {"none": None}}),
        ("{ a { __typename } }", {"a": {"__typename": "a"}}),
    ],
)
def test_query_gets_what_it_asks_for(query: str, answer: dict[str, Any]) -> None:
    """And nothing else."""
    assert select(VALUE, read_selection(query)) == answer


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "<EOF>"),
        ("{ a { b }", "<EOF>"),
        ("{ a(id: 1 { b } }", "found <EOF>"),
        ("{ { b } }", "found {"),
        ("{ ...Fields }", "Unexpected ."),
        ("{" + "a {" * (MAX_DEPTH + 2), "nested too deeply"),
        ("{ d }", 'Cannot query field "d"'),
        ("{ a }", "must have a selection"),
        ("{ c { d } }", "must not have a selection"),
    ],
)
def test_wrong_query_is_told_what_is_wrong(query: str, said: str) -> None:
    """In a server's own words."""
    with pytest.raises(QueryRefused, match=said):
        select(VALUE, read_selection(query))
