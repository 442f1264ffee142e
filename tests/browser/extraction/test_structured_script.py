"""A real Chromium brings back what a document publishes for search engines, in one form, bounded and without layout."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Page

from pagemill.extraction.navigate import navigate
from pagemill.extraction.published.schema_product import StructuredData, StructuredFacts, standard_facts
from pagemill.extraction.published.structured_script import STRUCTURED
from pagemill.extraction.scripts.page_script import ELEMENTS
from tests.browser.extraction.local_shop import LocalShop, html

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

BOUND = 2_000_000
PARSED = """if (document.readyState === "loading") {
  await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
}
const page = document;"""
READ = f"async (spec) => {{ {PARSED} {ELEMENTS} {STRUCTURED} return [readStructured(), hasStructured()]; }}"
READ_FETCHED = f"""async (spec) => {{
  const page = await new Promise((resolve) => {{
    const request = new XMLHttpRequest();
    request.open("GET", spec.path);
    request.responseType = "document";
    request.onload = () => resolve(request.response);
    request.send();
  }});
  {ELEMENTS} {STRUCTURED}
  return [readStructured(), hasStructured()];
}}"""
MUG = '<script type="application/ld+json">{"@type":"Product","name":"Mug","offers":{"price":"7.50"}}</script>'
IN = "https://schema.org/InStock"


async def read(page: Page, shop: LocalShop, content: str, bound: int = BOUND) -> dict[str, Any]:
    """What the script brings back of a page of the shop."""
    shop.replies["/mug"] = html("<!doctype html><meta charset=utf-8><title>t</title>" + content)
    await navigate(page, shop.url("/mug?id=7"), 10)
    answer, _has = await page.evaluate(READ, {"structuredChars": bound})
    assert isinstance(answer, dict)
    return answer


async def has(page: Page, shop: LocalShop, content: str) -> bool:
    """Whether the script says that a page of the shop publishes a product."""
    shop.replies["/mug"] = html(content)
    await navigate(page, shop.url("/mug"), 10)
    _answer, found = await page.evaluate(READ, {"structuredChars": BOUND})
    return found is True


async def facts(page: Page, shop: LocalShop, content: str) -> dict[str, Any]:
    """The standard facts of a page of the shop that are said."""
    found: StructuredFacts = standard_facts(StructuredData.of(await read(page, shop, content)), shop.url("/mug?id=7"))
    assert not found.broken
    return {name: value for name, value in found.facts.items() if value is not None}


async def test_reads_json_ld(either_page: Page, local_shop: LocalShop) -> None:
    """Every script that holds any, in any spelling of its type, none of a template."""
    script = '<script type="Application/LD+JSON; charset=utf-8">{"a": "</b>"}</script>'
    content = f"{script}<script type='application/ld+json'> </script><script>1</script><template>{MUG}</template>{MUG}"
    answer = await read(either_page, local_shop, content)
    assert [json.loads(text) for text in answer["scripts"]] == [
        {"a": "</b>"},
        {"@type": "Product", "name": "Mug", "offers": {"price": "7.50"}},
    ]
    assert answer["cut"] is False


async def test_reads_what_the_page_says_of_itself(fresh_page: Page, local_shop: LocalShop) -> None:
    """Canonical address, headings, Open Graph; other metas stay where they are."""
    content = """
      <base href="/base/"><link rel="alternate canonical" href="../mug"><meta name=description content=no>
      <meta property="og:title" content="Mug"><meta name="product:price:amount" content="7.50">
      <meta property="og:description" content="no"><h1> </h1><h1>Blue
        <b>mug</b><script>no</script></h1><h1>Second</h1>"""
    answer = await read(fresh_page, local_shop, content)
    assert answer["canonical"] == "../mug"
    assert answer["base"] == local_shop.url("/base/")
    assert [heading.strip() for heading in answer["headings"]] == ["Blue mug", "Second"]
    assert answer["metas"] == [["og:title", "Mug"], ["product:price:amount", "7.50"], ["title", "t"]]


async def test_reads_microdata_as_json_ld_has_it(either_page: Page, local_shop: LocalShop) -> None:
    """Each kind of element by what it says there; properties of reviews and others are left out."""
    content = """
      <div itemscope itemtype="https://schema.org/Product http://schema.org/Vehicle" itemid="#mug">
        <h1 itemprop="name https://schema.org/sku">Mug</h1>
        <a itemprop="url" href="/mug">here</a><a itemprop="brand" href="/kiln">Kiln</a>
        <img itemprop="image" src="data:,x" data-src="/mug.jpg"><img itemprop="brand" src="/k.png" alt="Kiln">
        <p itemprop="description">no</p><div itemprop="review" itemscope><b itemprop="name">no</b></div>
        <div itemprop="offers" itemscope itemtype="https://schema.org/Offer">
          <del itemprop="price">9 €</del> <span itemprop="price">7<sup>50</sup> €</span>
          <data itemprop="price" value="7.50">seven fifty</data><meta itemprop="price" content="7.50">
          <link itemprop="availability" href="https://schema.org/InStock"><input itemprop="sku" value="M-1">
        </div>
        <span itemprop="brand" itemscope itemtype="https://schema.org/Brand">Kiln &amp; Co</span>
      </div>"""
    answer = await read(either_page, local_shop, content)
    assert answer["items"] == [
        {
            "@type": ["https://schema.org/Product", "http://schema.org/Vehicle"],
            "@id": "#mug",
            "name": ["Mug"],
            "sku": ["Mug"],
            "url": ["/mug"],
            "brand": ["Kiln", "Kiln", {"@type": ["https://schema.org/Brand"], "name": ["Kiln & Co"]}],
            "image": ["/mug.jpg"],
            "offers": [
                {
                    "@type": ["https://schema.org/Offer"],
                    "listPrice": ["9 €"],
                    "price": ["7 50  €", "7.50", "7.50"],
                    "availability": [IN],
                    "sku": ["M-1"],
                }
            ],
        }
    ]


async def test_items_stand_by_themselves_or_in_another_one(fresh_page: Page, local_shop: LocalShop) -> None:
    """A product within another one without being a part of it is its own; so is a part that nobody refers to."""
    content = """
      <div itemscope itemtype="Product" itemref="offer more"><b itemprop="name">Mug</b>
        <div itemscope itemtype="Product"><b itemprop="name">Bowl</b></div></div>
      <div id="offer" itemprop="offers" itemscope><b itemprop="price">7.50</b></div>
      <div id="more"><b itemprop="sku">M-1</b></div>
      <div itemprop="offers" itemscope><b itemprop="price">3</b></div>"""
    assert (await read(fresh_page, local_shop, content))["items"] == [
        {"@type": ["Product"], "name": ["Mug"], "offers": [{"@type": [], "price": ["7.50"]}], "sku": ["M-1"]},
        {"@type": ["Product"], "name": ["Bowl"]},
        {"@type": [], "price": ["3"]},
    ]


async def test_reads_rdfa_as_json_ld_has_it(either_page: Page, local_shop: LocalShop) -> None:
    """With a vocabulary or prefixes; `rel` as well, and metas of Open Graph within an item do not disturb."""
    content = """
      <div vocab="https://schema.org/" typeof="WebPage"><meta property="og:title" content="no">
        <div property="mainEntity" typeof="Product" resource="#mug"><b property="name">Mug</b>
          <div rel="offers" typeof="Offer"><b property="price" content="7.50">7,50</b>
            <link property="availability" href="https://schema.org/InStock"></div></div></div>
      <div prefix="s: https://schema.org/" typeof="s:Product"><b property="s:name schema:sku">Bowl</b></div>"""
    answer = await read(either_page, local_shop, content)
    offers = [{"@type": ["Offer"], "price": ["7.50"], "availability": [IN]}]
    assert answer["items"] == []
    assert answer["rdfa"] == [
        {
            "@type": ["WebPage"],
            "mainEntity": [{"@type": ["Product"], "@id": "#mug", "name": ["Mug"], "offers": offers}],
        },
        {"@type": ["s:Product"], "@prefix": "s: https://schema.org/", "s:name": ["Bowl"], "sku": ["Bowl"]},
    ]


@pytest.mark.parametrize(
    "content",
    [
        '<script type="application/ld+json">{"@type":"Product","name":"Mug","offers":{"price":"7.50",'
        '"priceCurrency":"EUR","availability":"InStock"}}</script>',
        '<div itemscope itemtype="http://schema.org/Product"><h1 itemprop=name>Mug</h1><p itemprop=offers itemscope '
        'itemtype="http://schema.org/Offer"><meta itemprop=priceCurrency content=EUR><b itemprop=price>7,50 €</b>'
        "<i itemprop=availability>In stock</i></p></div>",
        '<div typeof="schema:Product"><h1 property="schema:name">Mug</h1><p property="schema:offers" typeof='
        '"schema:Offer"><meta property="schema:priceCurrency" content=EUR><b property="schema:price">7,50 €</b>'
        '<link property="schema:availability" href="https://schema.org/InStock"></p></div>',
        '<div prefix="s: http://schema.org/" typeof="s:Product"><h1 property="s:name">Mug</h1><p property="s:offers" '
        'typeof="s:Offer"><meta property="s:priceCurrency" content=EUR><b property="s:price">7.50</b>'
        '<link property="s:availability" href="http://schema.org/InStock"></p></div>',
        '<meta property="og:title" content="Mug"><meta property="product:price:amount" content="7.50">'
        '<meta property="product:price:currency" content="EUR"><meta name="product:availability" content="instock">',
    ],
    ids=["json-ld", "microdata", "rdfa", "rdfa-prefix", "metas"],
)
async def test_every_form_says_the_same(content: str, fresh_page: Page, local_shop: LocalShop) -> None:
    """Read in Chromium, understood in Python; and each is seen to be there."""
    expected = {"name": "Mug", "price": 7.5, "currency": "EUR", "in_stock": True}
    assert await facts(fresh_page, local_shop, content) == expected
    assert await has(fresh_page, local_shop, content)


async def test_reads_a_document_that_was_fetched(fresh_page: Page, local_shop: LocalShop) -> None:
    """It has no window, no style and no layout."""
    local_shop.replies["/"] = html("<body>")
    local_shop.replies["/other"] = html(
        f"<link rel=canonical href=/c>{MUG}<h1>Mug</h1><div itemscope itemtype=Product><b itemprop=name>Mug</b></div>"
    )
    await fresh_page.goto(local_shop.url("/"))
    spec = {"structuredChars": BOUND, "path": "/other"}
    answer, found = await fresh_page.evaluate(READ_FETCHED, spec)
    assert found is True
    assert len(answer["scripts"]) == 1
    assert (answer["items"], answer["headings"]) == ([{"@type": ["Product"], "name": ["Mug"]}], ["Mug"])
    assert (answer["canonical"], answer["base"]) == ("/c", local_shop.url("/other"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (MUG.replace("Product", "product"), True),
        (MUG.replace('"Product"', '["Thing", "http://schema.org/Car"]'), True),
        (MUG.replace('"', "'").replace("'application/ld+json'", '"application/ld+json"'), True),
        (MUG.replace('"Product"', '"ItemList"'), False),
        (MUG.replace('"Mug"', '"Product"').replace('"Product",', '"Thing",', 1), False),
        (MUG.replace("application/ld+json", "text/plain"), False),
        ("<div itemscope itemtype='http://schema.org/product'>", True),
        ("<div itemscope itemtype='http://schema.org/ProductReview'>", False),
        ("<div typeof='Thing Book'>", True),
        ("<div typeof='foaf:Person'>", False),
        ("<meta property='og:price:amount' content='1'>", True),
        ("<meta name='product:price:amount' content='1'>", True),
        ("<meta property='og:title' content='Product'>", False),
        ("<p>Product</p>", False),
        ("", False),
    ],
)
async def test_tells_whether_there_is_a_product(
    content: str, expected: bool, fresh_page: Page, local_shop: LocalShop
) -> None:
    """In any form, of any type that is sold; a mention is not one."""
    assert await has(fresh_page, local_shop, content) is expected


async def test_sees_a_product_that_a_script_adds(fresh_page: Page, local_shop: LocalShop) -> None:
    """Also where it fills a script element that was looked at before."""
    local_shop.replies["/"] = html('<script type="application/ld+json" id="s">{}</script>')
    await fresh_page.goto(local_shop.url("/"))
    script = f"""async (spec) => {{ {PARSED} {ELEMENTS} {STRUCTURED}
      const before = hasStructured();
      document.getElementById("s").textContent = '{{"@type": "Product"}}';
      return [before, hasStructured()]; }}"""
    assert await fresh_page.evaluate(script, {"structuredChars": BOUND}) == [False, True]


async def test_a_bound_that_is_met_is_told(fresh_page: Page, local_shop: LocalShop) -> None:
    """Scripts that name a product come first then; there may be any number of them."""
    filler = '<script type="application/ld+json">{"@type":"Thing","text":"' + "x" * 900 + '"}</script>'
    answer = await read(fresh_page, local_shop, filler + MUG, 500)
    assert answer["cut"] is True
    assert ["Mug" in text for text in answer["scripts"]] == [True]
    answer = await read(fresh_page, local_shop, filler * 2_000 + MUG)
    assert answer["cut"] is False
    assert len(answer["scripts"]) == 2_001
    spaced = f"blue{' ' * 5_000}cup"
    names = f"<b itemprop=name>{'x' * 5_000}</b><b itemprop=name>{spaced}</b>"
    answer = await read(fresh_page, local_shop, f"<div itemscope>{names}</div>")
    too_long, short = answer["items"][0]["name"]
    assert len(too_long) == 2_001  # one more than there may be
    assert short == "blue cup"


@pytest.mark.parametrize(
    "content",
    [
        '<div itemscope itemref="b" id="a" itemprop="x"><b itemprop=name>Mug</b></div>'
        '<div itemscope itemprop="offers" itemref="a" id="b"></div>',
        '<div itemscope itemtype=Product itemref="a" id="a"><b itemprop=name>Mug</b></div>',
        '<div id="a"><div itemscope itemtype=Product itemref="a a a"><b itemprop=name>Mug</b></div></div>',
        "<div itemprop=offers itemscope>" * 300,
        "<div property=offers typeof=Offer>" * 300,
        '<div id="a">' + "<b itemprop=name>x</b>" * 1_000 + "</div>" + '<p itemscope itemref="a"></p>' * 1_000,
        "<p itemscope itemprop=name></p>" * 5_000,
        MUG * 3_000,
    ],
    ids=["circle", "self", "around", "deep", "deep-rdfa", "wide", "many", "scripts"],
)
async def test_ends_on_any_page(content: str, fresh_page: Page, local_shop: LocalShop) -> None:
    """Circles of references, depth, and very much of everything. Each takes some seconds where it does end."""
    async with asyncio.timeout(60):
        answer = await read(fresh_page, local_shop, content)
    assert len(json.dumps(answer)) < 2 * BOUND
    standard_facts(StructuredData.of(answer), local_shop.url("/mug"))


async def test_does_not_disturb_the_page(driverless_page: Page, local_shop: LocalShop) -> None:
    """It leaves nothing behind, and a page may have replaced what pages replace."""
    hostile = """<script>
      Array.prototype.push = Array.prototype.map = Array.prototype.filter = () => { throw new Error("replaced"); };
      Array.prototype[Symbol.iterator] = String.prototype.trim = () => { throw new Error("replaced"); };
      JSON.stringify = JSON.parse = () => "replaced";
      Object.prototype.toJSON = () => "replaced"; window.known = Object.keys(window).length;
    </script>"""
    content = f"{hostile}<h1>Mug</h1>{MUG}<div itemscope itemtype=Product><b itemprop=name>Mug</b></div>"
    local_shop.replies["/mug"] = html(content)
    await navigate(driverless_page, local_shop.url("/mug"), 10)
    script = f"""async (spec) => {{ {PARSED} {ELEMENTS} {STRUCTURED} const answer = readStructured();
      return "" + answer.scripts.length + answer.items[0].name[0] + answer.headings[0] + hasStructured() +
        (Object.keys(window).length - window.known); }}"""
    assert await driverless_page.evaluate(script, {"structuredChars": BOUND}) == "1MugMugtrue1"
