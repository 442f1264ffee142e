"""Templates: what `{names}` become in addresses, texts and JSON, and what stays as it is."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.reading.patterns import Part, fill_address, fill_json, fill_text, names_filled

ROW = {"id": Part("a/b 1"), "url": Part("https://s.com/p/a%2Fb?x=1&y=2", encoded=True)}
CUT = {"id": Part("a%2Fb", encoded=True), "slug": Part("blue/cup", encoded=True), "url": ROW["url"]}


@pytest.mark.parametrize(
    ("template", "names", "address"),
    [
        ("https://s.com/p/{id}", ROW, "https://s.com/p/a%2Fb%201"),
        ("https://s.com/p?no={id}&x={id}", ROW, "https://s.com/p?no=a%2Fb%201&x=a%2Fb%201"),
        ("https://s.com/p/{id}", CUT, "https://s.com/p/a%2Fb"),
        ("https://s.com/p?no={id}", CUT, "https://s.com/p?no=a%2Fb"),
        ("/api/{slug}/{id}.json", CUT, "/api/blue/cup/a%2Fb.json"),
        ("/api?slug={slug}", CUT, "/api?slug=blue%2Fcup"),
        ("{url}", ROW, "https://s.com/p/a%2Fb?x=1&y=2"),
        ("{url}&ajax={id}", CUT, "https://s.com/p/a%2Fb?x=1&y=2&ajax=a%2Fb"),
        ("/proxy?u={url}", ROW, "/proxy?u=https%3A%2F%2Fs.com%2Fp%2Fa%2Fb%3Fx%3D1%26y%3D2"),
        ("/p/{}/{ id }", ROW, "/p/{}/{ id }"),
    ],
)
def test_an_address_is_filled_in(template: str, names: dict[str, Part], address: str) -> None:
    """What was cut out of an address stays as it was in a path, slashes included; behind the `?` all is encoded."""
    assert fill_address(template, names) == address


GRAPHQL = "query { product(id: $id) { variants {id} name } }"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{id}", "7"),
        ("no-{id}-{id}", "no-7-7"),
        ("{foo}", "{foo}"),
        (GRAPHQL, GRAPHQL),
        ('{ product(id: "{id}") { variants {id} } }', '{ product(id: "7") { variants {id} } }'),
        ('{ product(id: "gid://shop/{id}") { name } }', '{ product(id: "gid://shop/7") { name } }'),
        ('{ a(x: "1") {id} b(x: "2") }', '{ a(x: "1") {id} b(x: "2") }'),
        ('{"goodsNo": "{id}", "n": {"no": {id}}}', '{"goodsNo": "7", "n": {"no": 7}}'),
        ("[{id}, {id}]", "[7, 7]"),
        ("", ""),
    ],
)
def test_a_text_is_filled_in(template: str, text: str) -> None:
    """Where it has braces of its own, all of it if it is JSON, else only what stands in quotes."""
    assert fill_text(template, {"id": Part("7")}) == text


def test_a_text_gets_what_people_would_write() -> None:
    """Not what an address has; in JSON and in quotes it is escaped."""
    names = {"id": Part('%EC%BB%B5"', encoded=True)}
    assert fill_text("{id}", names) == '컵"'
    assert fill_text('{"x": "{id}"}', names) == '{"x": "컵\\""}'
    assert fill_text('{ p(id: "{id}") { id } }', names) == '{ p(id: "컵\\"") { id } }'


def test_json_is_filled_in_wherever_it_has_text() -> None:
    """Keys and other values stay."""
    value = {"{id}": "{id}", "list": ["{id}", 1, None, True], "query": GRAPHQL}
    assert fill_json(value, {"id": Part("7")}) == {"{id}": "7", "list": ["7", 1, None, True], "query": GRAPHQL}


def test_a_number_stays_a_number_in_json() -> None:
    """Shops refuse a text where they count; what is no whole number, and a 0 in front, are kept as they are written."""
    value = {"no": "{id:number}", "as": "x{id:number}", "other": "{no:number}"}
    kept = {"as": "x{id:number}", "other": "{no:number}"}
    for text, number in (("7", 7), ("0", 0), ("-12", -12), ("007", "007"), ("A7", "A7"), ("1" * 30, "1" * 30)):
        assert fill_json(value, {"id": Part(text)}) == {"no": number, **kept}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{id:number}", {"id"}),
        ("{id} {foo}", {"id", "foo"}),
        (GRAPHQL, set()),
        ('{ p(id: "{no}") { variants {id} } }', {"no"}),
        ('{"a": {no}}', {"no"}),
        ("no braces", set()),
    ],
)
def test_the_names_that_are_filled_in_are_known_beforehand(text: str, names: set[str]) -> None:
    """So that a request that would be the same for every product is refused."""
    assert names_filled(text) == names


@given(text=st.text(min_size=1))
def test_any_id_reaches_the_shop_as_it_is(text: str) -> None:
    """Whatever letters it has: in a path, in a query, in a text, in JSON."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    names = {"id": Part(text)}
    assert unquote(urlsplit(fill_address("https://s.com/p/{id}/x", names)).path) == f"/p/{text}/x"
    query = urlsplit(fill_address("https://s.com/p?no={id}&b=1", names)).query
    assert parse_qs(query, keep_blank_values=True) == {"no": [text], "b": ["1"]}
    assert fill_text("x{id}", names) == f"x{text}"
    assert json.loads(fill_text('{"a": "{id}"}', names)) == {"a": text}


@given(value=st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_without_names_stays_as_it_is(value: Any) -> None:
    """Filling in changes nothing else."""
    assert fill_json(value, {}) == value
