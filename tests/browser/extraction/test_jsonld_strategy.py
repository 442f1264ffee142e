"""Strategy `jsonld` against real pages."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.async_api import Page

from pagemill.extraction.strategy import Strategy, load_strategy
from pagemill.model import Facts, PageReading
from tests.browser.extraction.local_shop import LocalShop, html, platform, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS: dict[str, Any] = {
    "name": "name",
    "price": {"path": "offers.price", "type": "number"},
    "in_stock": {"path": "offers.availability", "contains": "InStock"},
}
SHIRT: Facts = {"name": "Blue shirt", "price": 12900, "in_stock": True}
PRODUCT = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "Blue shirt",
    "offers": {"@type": "Offer", "price": "12900", "availability": "https://schema.org/InStock"},
}


def jsonld(ready: str | None = None, **judge: Any) -> Strategy:
    extract = {"strategy": "jsonld"} | ({} if ready is None else {"ready": ready})
    return load_strategy(platform(FIELDS, judge, **extract))


def script(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{text}</script>'


async def test_reads_what_the_page_brings(either_page: Page, local_shop: LocalShop) -> None:
    """Among other scripts, one of them broken."""
    local_shop.replies["/"] = html(
        f"<head>{script({'@type': 'Organization', 'name': 'Products'})}{script('{broken')}{script(PRODUCT)}<body>"
    )
    started = time.monotonic()
    assert await jsonld().read(either_page, visit(local_shop)) == PageReading(200, local_shop.url("/"), SHIRT)
    assert time.monotonic() - started < 2


async def test_waits_for_a_script_that_comes_late(either_page: Page, local_shop: LocalShop) -> None:
    """Pages that are built by scripts add it after they have loaded."""
    add = f"""const s = document.createElement("script"); s.type = "application/ld+json; charset=utf-8";
    s.textContent = {json.dumps(json.dumps(PRODUCT))}; document.head.append(s);"""
    local_shop.replies["/"] = html(
        f"<head>{script({'@type': 'BreadcrumbList'})}<body><script>setTimeout(() => {{ {add} }}, 500)</script>"
    )
    assert (await jsonld().read(either_page, visit(local_shop))).facts == SHIRT


async def test_waits_for_the_whole_script(either_page: Page, local_shop: LocalShop) -> None:
    """The server pauses in the middle of it, and again before a second, fuller one."""
    head, tail = script(PRODUCT).split("Blue")
    local_shop.replies["/"] = html(
        f"<head>{script({'@type': 'Product', 'name': 'Bare'})}", head, f"Blue{tail}<body>", pause_s=0.3
    )
    assert (await jsonld().read(either_page, visit(local_shop))).facts == SHIRT


async def test_the_ready_sign_decides_when_there_is_one(either_page: Page, local_shop: LocalShop) -> None:
    """Without a product by then, the page said nothing; that is for the judge."""
    local_shop.replies["/"] = html("<body data-ready>")
    reading = await jsonld("body[data-ready]").read(either_page, visit(local_shop))
    assert reading.ready
    assert reading.facts == dict.fromkeys(FIELDS)


async def test_without_any_product_it_is_not_ready(either_page: Page, local_shop: LocalShop) -> None:
    """A text of the platform still ends the wait."""
    local_shop.replies["/"] = html(f"<body>{script({'@type': 'Organization'})}")
    local_shop.replies["/gone"] = html("<body>No longer sold")
    reading = await jsonld().read(either_page, visit(local_shop, timeout_s=2))
    assert (reading.ready, set(reading.facts.values())) == (False, {None})
    reading = await jsonld(gone={"text": ["no longer sold"]}).read(either_page, visit(local_shop, "/gone"))
    assert (reading.ready, reading.texts) == (False, ("no longer sold",))


async def test_huge_scripts_are_passed_over(either_page: Page, local_shop: LocalShop) -> None:
    """One of a megabyte is not sent, and thousands of small ones are not either; the product is read."""
    huge = PRODUCT | {"description": "x" * 1_000_000}
    many = "".join(script(PRODUCT | {"name": f"{n}", "offers": {}}) for n in range(3000))
    local_shop.replies["/"] = html(f"<head>{script(huge)}{script(PRODUCT)}{many}<body>")
    assert (await jsonld().read(either_page, visit(local_shop))).facts == SHIRT
