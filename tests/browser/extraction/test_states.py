"""Strategy `state` against real pages: JSON in scripts, variables of every make, documents that are JSON alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html
from tests.browser.extraction.shop_reader import Read, ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PRODUCT = {"name": "Blue cup", "price": 12.9}
EXPECTED = {"name": "Blue cup", "price": 12.9}
HEAD = "<!doctype html><meta charset=utf-8><body>"


def of_state(place: str, prefix: str = "") -> str:
    """A platform with one state, and two paths into it."""
    fields = f"{{name: '{prefix}name', price: {{path: '{prefix}price', type: number}}}}"
    return f"extract: {{strategy: state, {place}, fields: {fields}}}"


async def read(reader: ShopReader, shop: LocalShop, platform: str, page: str | Reply, **how: Any) -> Read:
    shop.replies["/p/101"] = html(HEAD + page) if isinstance(page, str) else page
    return await reader.read(platform, shop.url("/p/101"), EXPECTED, **how)


SCRIPTS = {
    "JSON": f'<script id=s type="application/json">{json.dumps(PRODUCT)}</script>',
    "an assignment": f"<script id=s>window.__X__ = {json.dumps(PRODUCT)};</script>",
    "written by hand": "<script id=s>var product = {name: 'Blue cup', price: 12.9, /* note */ tags: ['a',],};</script>",
    "behind other statements": '<script id=s>foo(); var product = {"name": "Blue cup", price: 12.90};</script>',
    "behind other variables": "<script id=s>var list = [], seen = {a: 1}; window.__X__ = "
    + f"{json.dumps(PRODUCT)};</script>",
    "in a function": f"<script id=s>(function () {{ var c = {{}}; window.__X__ = {json.dumps(PRODUCT)}; }})()</script>",
    "a text of JSON": f"<script id=s>window.__X__ = JSON.parse({json.dumps(json.dumps(PRODUCT))});</script>",
    "with entities": f"<script id=s type=x>{json.dumps(PRODUCT).replace(chr(34), '&quot;')}</script>",
    "a template": f"<template id=s>{json.dumps(PRODUCT)}</template>",
    "with undefined": '<script id=s type=x>{"name": "Blue cup", "a": undefined, "price": 12.9}</script>',
}


@pytest.mark.parametrize("kind", SCRIPTS)
async def test_a_script_may_hold_json_or_set_a_variable_to_it(
    kind: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Its first object is read to which the paths lead."""
    result = await read(shop_reader, local_shop, of_state("script: '#s'"), SCRIPTS[kind])
    assert result.verdict == "ok", result.judgement


VARIABLES = {
    "a plain one": "window.product = PRODUCT;",
    "declared with let": "let product = PRODUCT;",
    "declared with const": "const product = PRODUCT;",
    "declared with var": "var product = PRODUCT;",
    "that contains itself": "window.product = PRODUCT; product.self = product; product.list = [product];",
    "with functions and elements": "window.product = PRODUCT; product.f = () => 1; product.e = document.body;",
    "that contains the window": "window.product = PRODUCT; product.w = window; product.d = document;",
    "with a value that cannot be had": "window.product = Object.defineProperty(PRODUCT, 'bad', "
    "{enumerable: true, get() { throw new Error('no'); }});",
    "whose values are made when asked": "class P { get name() { return 'Blue cup'; } }; window.product = "
    "Object.defineProperty({price: 12.9}, 'name', {enumerable: true, get: () => 'Blue cup'});",
    "behind a proxy": "window.product = new Proxy(PRODUCT, {});",
    "beside what JSON cannot carry": "window.product = PRODUCT; product.n = NaN; product.u = undefined; "
    "product.b = 10n; product.s = Symbol('x'); product.m = new Map();",
    "where lists have been given a toJSON": "Array.prototype.toJSON = Object.prototype.toJSON = () => 'x'; "
    "window.product = PRODUCT; product.list = [1];",
    "with a frame of another site": "window.product = PRODUCT; const f = document.createElement('iframe'); "
    "f.src = 'data:text/html,x'; document.body.append(f); product.frame = f.contentWindow;",
}


@pytest.mark.parametrize("kind", VARIABLES)
async def test_a_variable_of_any_make_is_read(kind: str, shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """As it would be in the console; what JSON cannot carry is left out."""
    script = VARIABLES[kind].replace("PRODUCT", "{name: 'Blue cup', price: 12.9}")
    result = await read(shop_reader, local_shop, of_state("variable: product"), f"<script>{script}</script>")
    assert result.verdict == "ok", result.judgement


@pytest.mark.parametrize(
    "variable", ["shop.state.product", "window.shop.state.product", "shop.all[1]", "shop['x']", "$shop.state.product"]
)
async def test_a_variable_is_named_with_dots(variable: str, quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """And numbers in brackets; what is no name is refused beforehand."""
    script = f"const p = {json.dumps(PRODUCT)}; var shop = {{state: {{product: p}}, all: [0, p]}}; var $shop = shop;"
    if "'" in variable:
        with pytest.raises(ValueError, match="is not the name of a variable"):
            await read(quick_reader, local_shop, of_state(f'variable: "{variable}"'), "")
        return
    result = await read(quick_reader, local_shop, of_state(f'variable: "{variable}"'), f"<script>{script}</script>")
    assert result.verdict == "ok", result.judgement


@pytest.mark.parametrize(
    "name", ["doc", "spec", "declared", "read", "found", "view", "room", "state", "now", "resolve"]
)
async def test_a_variable_may_be_called_as_anything_in_our_own_script(
    name: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """The page's is read."""
    page = f"<script>let {name} = {json.dumps(PRODUCT)};</script>"
    result = await read(quick_reader, local_shop, of_state(f"variable: {name}"), page)
    assert result.verdict == "ok", result.judgement


@pytest.mark.parametrize("name", ["class", "if", "constructor", "toString"])
async def test_a_name_that_is_none_is_not_in_the_page(
    name: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """And breaks nothing."""
    result = await read(quick_reader, local_shop, of_state(f"variable: {name}"), "<h1>x</h1>", timeout_s=3)
    assert (result.verdict, result.reading.facts) == ("failed", {"name": None, "price": None})


async def test_dates_are_written_as_json_writes_them(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """One that is none is null."""
    script = "<script>var p = {at: new Date(0), never: new Date('x')}</script>"
    local_shop.replies["/p/101"] = html(script)
    shop = "extract: {strategy: state, variable: p, fields: {at: at, never: never}}"
    result = await quick_reader.read(shop, local_shop.url("/p/101"))
    assert result.facts == {"at": "1970-01-01T00:00:00.000Z"}


async def test_a_variable_that_is_filled_late_is_waited_for(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """It is there from the beginning, and empty."""
    script = f"<script>var p = {{}}; setTimeout(() => {{ p = {json.dumps(PRODUCT)} }}, 200)</script>"
    result = await read(quick_reader, local_shop, of_state("variable: p"), script)
    assert result.verdict == "ok", result.judgement


@pytest.mark.parametrize(
    ("place", "page", "why"),
    [
        ("script: '#s'", "<h1>x</h1>", "#s is not in the page"),
        ("script: '#s'", "<script id=s> </script>", "#s is not in the page"),
        ("script: '#s'", "<script id=s>alert(1)</script>", "#s is broken"),
        ("variable: a.b.c", "<script>var a = {b: null}</script>", "a.b.c is not in the page"),
        ("document: true", "<h1>Hello</h1>", "the document is broken"),
        (
            "script: '#s'",
            f'<script id=s type=x>{{"pad": "{"x" * 4_100_000}", "name": "Blue cup"}}</script>',
            "#s was cut: it is 4100",
        ),
        (
            "variable: p",
            "<script>var p = {name: 'Blue cup', list: Array.from({length: 250000}, () => ({}))}</script>",
            "p was cut",
        ),
        (
            "variable: p",
            "<script>var p = {name: 'Blue cup'}; let q = p; for (let i = 0; i < 99; i++) q = q.next = {}</script>",
            "p was cut",
        ),
    ],
)
async def test_what_cannot_be_read_is_told_and_never_half_of_it_believed(
    place: str, page: str, why: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Not there, broken, and too large are three reasons."""
    result = await read(quick_reader, local_shop, of_state(place), page)
    assert (result.verdict, result.facts) == ("failed", {})
    assert why in result.judgement.reason


async def test_a_document_of_json_is_a_page(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Chromium shows it as text; so it is when it calls itself text."""
    for kind in ("application/json", "text/plain; charset=utf-8", "application/vnd.shop+json"):
        reply = answer({"data": [PRODUCT]}, headers=(("content-type", kind),))
        result = await read(shop_reader, local_shop, of_state("document: true", "data[0]."), reply)
        assert result.verdict == "ok", (kind, result.judgement)


async def test_the_word_of_an_errors_document_is_a_sign(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """Its facts are none."""
    shop = of_state("document: true") + "\njudge: {gone: {status: [], error: {path: code, words: [NO_GOODS]}}}"
    reply = answer({**PRODUCT, "code": "NO_GOODS"}, status=400)
    result = await read(quick_reader, local_shop, shop, reply)
    assert (result.verdict, result.judgement.reason) == ("gone", "code is NO_GOODS")
    other = await read(quick_reader, local_shop, shop, answer({**PRODUCT, "code": "BUSY"}, status=400))
    assert (other.verdict, other.judgement.reason) == ("failed", "HTTP 400")


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ({"product": {"name": "Blue cup", "soldOut": False}}, "ok"),
        ({"product": {"name": "Blue cup", "soldOut": True}}, "sold_out"),
        ({"product": {"name": "Blue cup", "soldOut": None}}, "off_sale"),
        ({"product": {"name": "Blue cup"}}, "off_sale"),
        ({"product": None}, "gone"),
        ({"product": {"id": None, "name": "Blue cup", "soldOut": False}}, "gone"),
    ],
)
async def test_null_and_what_is_not_there_can_mean_something(
    state: dict[str, Any], verdict: str, quick_reader: ShopReader, local_shop: LocalShop
) -> None:
    """A product that is null, or whose id is; a word that is null or missing."""
    shop = """
extract:
  strategy: state
  script: '#s'
  fields:
    name: product.name
    status: {path: product.soldOut, map: {"true": sold_out, "false": on_sale}, else: off_sale}
judge:
  gone: {error: {path: product.id, words: [null]}}
  sold_out: {status: sold_out}
  off_sale: {status: off_sale}
"""
    result = await read(quick_reader, local_shop, shop, f"<script id=s type=x>{json.dumps(state)}</script>")
    assert result.verdict == verdict, result.judgement
