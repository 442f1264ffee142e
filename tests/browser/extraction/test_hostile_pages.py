"""Pages that try to deceive whoever reads them, or to hurt the worker: what a visitor sees is what counts."""

from __future__ import annotations

import pytest

from tests.browser.extraction.local_shop import LocalShop, html
from tests.browser.extraction.shop_reader import ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGE = "<!doctype html><meta charset=utf-8><h1>Blue cup</h1><p class=price>12,900</p><p class=stock>in stock</p>"
EXPECTED = {"name": "Blue cup", "price": 12900}
SHOP = """
extract:
  sources:
    - strategy: dom
      fields: {name: h1, price: {selector: .price, type: number}, in_stock: {selector: .stock, type: boolean}}
    - strategy: structured
judge: {gone: {text: [No longer sold]}}
"""
LIE = "{ready: true, later: '', status: 200, url: location.href, settled: true, read: {raw: [['Red'], ['1'], ['no']],"
LIES = {
    "then": f"Object.defineProperty(Object.prototype, 'then', {{get() {{ return f => f({LIE} states: [],"
    " structured: null}, texts: [0], signs: []}) }})",
    "a then that never ends": "Object.defineProperty(Object.prototype, 'then', {get() { return () => {} }})",
    "no elements": "Document.prototype.querySelector = Document.prototype.querySelectorAll = () => []",
    "other elements": "const red = Object.assign(document.createElement('h1'), {textContent: 'Red'});"
    "Document.prototype.querySelector = () => red; document.querySelector = () => red",
    "texts": "RegExp.prototype.test = () => true; RegExp.prototype.exec = () => ['', '', '', '', '']",
    "arrays": "Array.prototype.indexOf = () => 0; Array.isArray = () => false",
    "getters": "Object.defineProperty(Object.prototype, 'raw', {get: () => [['Red'], ['1'], ['no']], set() {}});"
    "Object.defineProperty(Object.prototype, 'selectors', {get: () => ['p'], set() {}})",
    "promises": "window.Promise = class { then() {} }; Promise.prototype.then = () => {}",
    "nodes": "Object.defineProperty(Node.prototype, 'firstChild', {get: () => null});"
    "Object.defineProperty(CharacterData.prototype, 'data', {get: () => 'No longer sold'})",
    "styles": "window.getComputedStyle = () => ({display: 'none'})",
    "timers": "window.setTimeout = () => 1; window.clearTimeout = () => {}",
    "observers": "window.MutationObserver = class { observe() { throw new Error('no') } disconnect() {} }",
    "addresses": "Object.defineProperty(Document.prototype, 'URL', {get: () => 'http://127.0.0.1/home'})",
    "endless": "Object.defineProperty(Object.prototype, 'cut', {get() { return 'x'.repeat(1 << 28) }, set() {}})",
}


@pytest.mark.parametrize("script", LIES.values(), ids=LIES.keys())
async def test_a_page_that_replaces_what_scripts_are_made_of(
    script: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """It deceives its own scripts only."""
    local_shop.replies["/p/101"] = html(f"<script>{script}</script>{PAGE}")
    read = await shop_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.facts["name"], read.facts["price"]) == ("ok", "Blue cup", 12900), read.judgement


CLOBBERS = ["querySelector", "querySelectorAll", "body", "documentElement", "URL", "readyState", "defaultView", "title",
            "addEventListener", "createRange", "nodeType", "hidden", "baseURI"]  # fmt: skip


@pytest.mark.parametrize("name", CLOBBERS)
async def test_an_element_that_has_the_name_of_a_property(
    name: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Browsers let such an element stand in for the property."""
    local_shop.replies["/p/101"] = html(f"{PAGE}<form name={name}><input name={name}></form><img name={name}>")
    read = await shop_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.facts["name"], read.facts["price"]) == ("ok", "Blue cup", 12900), read.judgement


FORMS = ["parentNode", "firstChild", "nextSibling", "nodeName", "nodeType", "getAttribute", "hasAttribute", "style"]


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_with_a_field_of_such_a_name(name: str, quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """What stands in the form is read all the same."""
    local_shop.replies["/p/101"] = html(f"<form><input name={name}>{PAGE}<p>No longer sold</p></form>")
    read = await quick_reader.read(SHOP, local_shop.url("/p/101"), EXPECTED)
    assert read.verdict == "gone", read.judgement
