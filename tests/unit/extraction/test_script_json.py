"""Objects that script elements hold."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.errors import BrokenScript
from pagemill.extraction.script_json import documents_of


@pytest.mark.parametrize(
    ("script", "documents"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('window.S = {"a": 1};', [{"a": 1}]),
        ('window["S"]={a:1,}', [{"a": 1}]),
        ('window.S = window.S || {"a": 1}', [{"a": 1}]),
        ('var list = []; window.S = {"a": 1}', [{"a": 1}]),
        ('var one = {"a": 1}, two = {"b": {"c": 2}};', [{"a": 1}, {"b": {"c": 2}}]),
        ('(function(){ var c = {}; window.S = {"a": 1}; })()', [{"a": 1}]),
        ('init({"a": "= {1}"})', [{"a": "= {1}"}]),
        (r'window.S = JSON.parse("{\"a\": \"say \\\"hi\\\"\"}")', [{"a": 'say "hi"'}]),
        ('window.S = JSON.parse(\'{"a": "\\u00e9"}\')', [{"a": "é"}]),
        ('S = JSON.parse(decodeURIComponent("%7B%22a%22%3A1%7D"))', [{"a": 1}]),
        ('"{\\"a\\": 1}"', [{"a": 1}]),
        ("{&quot;a&quot;: 1}", [{"a": 1}]),
        ('<!-- {"a": 1} -->', [{"a": 1}]),
        ("S = {a: 1, // it's so\n b: {c: 2}}; T = {d: 3}", [{"a": 1, "b": {"c": 2}}]),
        ('S = {"a": {"b": 1}, f: function() { return {c: 2} }}; T = {"d": 1}', None),
    ],
)
def test_what_a_script_holds_is_read_in_its_order(script: str, documents: list[Any] | None) -> None:
    """JSON, what variables are set to, texts of JSON; never a part of an object as if it were one of its own."""
    found = list(documents_of(script))
    if documents is None:
        assert [sorted(one) for one in found] == [["a", "f"], ["d"]]
    else:
        assert found == documents


@pytest.mark.parametrize("script", ["alert(1)", 'S = JSON.parse("{broken")', "", "S = {};"])
def test_a_script_without_anything_to_read_is_told_as_broken(script: str) -> None:
    """And never as one that says nothing of the product."""
    with pytest.raises(BrokenScript):
        list(documents_of(script))


def test_the_number_of_objects_is_bounded() -> None:
    """However many variables a script sets, and however few of them hold anything."""
    assert len(list(documents_of("a = {b: 1};" * 1000))) == 20
    assert list(documents_of("a = {};" * 19_999 + "b = {c: 1}")) == [{"c": 1}]
    with pytest.raises(BrokenScript):
        list(documents_of("a = {};" * 20_000 + "b = {c: 1}"))
    with pytest.raises(BrokenScript, match="more than 500000 values"):
        list(documents_of("a = {b: [" + "1," * 500_000 + "]}"))


@given(st.text(alphabet="{}[]()\"'=:,\\ab1|`/ \n"))
def test_any_text_is_read_or_told_as_broken(script: str) -> None:
    """No other error comes of it."""
    with contextlib.suppress(BrokenScript):
        list(documents_of(script))
