"""The standard facts of a page's own product, from what the page publishes for search engines. Pure.

JSON-LD counts first, then microdata, RDFa and metas. A fact that one of them lacks is taken from the next, but only if
both are about the same product: facts of two products are never mixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from pagemill.extraction.published.json_ld import read_json_lds
from pagemill.extraction.published.page_address import PageAddress
from pagemill.extraction.published.schema_choice import (
    PageSigns,
    PublishedProduct,
    choose,
    is_of_another_page,
    published_products,
)
from pagemill.extraction.published.schema_facts import ProductFacts, product_facts
from pagemill.extraction.published.schema_graph import Graph
from pagemill.extraction.published.schema_metas import PageMetas
from pagemill.extraction.published.schema_text import plain_name
from pagemill.extraction.published.structured_data import StructuredData

__all__ = ["StructuredData", "StructuredFacts", "standard_facts"]

_MAX_COMPARED = 20
"""How many other products are compared with the page's own one, to find what that does not say."""
_MAX_BROKEN = 5


@dataclass(frozen=True, slots=True)
class StructuredFacts:
    """What is said of the page's own product, and what could not be read."""

    facts: Mapping[str, str | int | float | bool | None]
    """`name brand sku image price list_price currency in_stock`, all of them; `None` is not said."""
    broken: tuple[str, ...] = ()
    """Where and why each unreadable script is broken; after five, only how many more there are."""
    products: int = 0
    """How many different products there are."""
    chosen: str = ""
    """Why that product was chosen: `the only one`, `its url is the page's`, `canonical`, `main entity`, `h1`, `title`,
    `first`; `metas` if only metas tell of a product; empty without any."""
    cut: bool = False
    """Whether the page publishes more than was read."""


def standard_facts(found: StructuredData, address: str) -> StructuredFacts:
    """The facts of the product that the page is about.

    Args:
        found: what the page publishes.
        address: where the page is.
    """
    documents, broken = read_json_lds(found.scripts)
    base = found.base if re.match("https?://", found.base, re.IGNORECASE) else address
    graphs = [Graph(documents, base), Graph(found.items, base), Graph(found.rdfa, base)]
    products = [product for syntax, graph in enumerate(graphs) for product in published_products(graph, syntax)]
    metas = PageMetas(found.metas)
    pages = [PageAddress.of(url, base) for url in (found.canonical, metas.address)]
    signs = PageSigns(
        PageAddress.of(address), tuple(page for page in pages if page), found.headings, metas.titles, base
    )
    facts, chosen = _own(products, metas, signs)
    number = max(len({_key(product) for product in products} - {("", "")}), min(len(products), 1))
    return StructuredFacts(asdict(facts), _told(broken), number, chosen, found.cut)


def _told(broken: list[str]) -> tuple[str, ...]:
    told = [f"JSON-LD is broken: {one}" for one in broken[:_MAX_BROKEN]]
    more = len(broken) - _MAX_BROKEN
    return (*told, *([f"JSON-LD is broken: {more} more scripts"] if more > 0 else []))


def _own(products: list[PublishedProduct], metas: PageMetas, signs: PageSigns) -> tuple[ProductFacts, str]:
    """The facts of the page's own product, and why it is that one."""
    page = metas.facts(signs.base)
    if not products:
        return page, "metas" if page.price is not None or page.name is not None else ""
    own, why = choose(products, signs)
    # If nothing tells which product is the page's own, the metas count: they speak of the page.
    unsure = why == "first" and (page.price is not None or own.is_bare_offer)
    doubted = page.price is not None and page.name is not None
    if unsure or (why in ("first", "the only one") and is_of_another_page(own, signs, doubted=doubted)):
        return page, "" if page.price is None else "metas"
    facts = product_facts(own, signs)
    for other in _same(own, facts, products, signs):
        facts = facts.filled_from(other)
    if why != "first":
        facts = facts.filled_from(page)
        facts = replace(facts, name=facts.name or metas.title)
    return facts, why


def _same(
    own: PublishedProduct, facts: ProductFacts, products: list[PublishedProduct], signs: PageSigns
) -> Iterator[ProductFacts]:
    """The facts that other places of the page state of the same product."""
    many = {syntax for syntax in range(3) if _are_many([one for one in products if one.syntax == syntax])}
    (name, sku), paths = _key(own), _paths(own, signs)
    compared = 0
    for other in products:
        other_name, other_sku = _key(other)
        alone = (other.syntax != own.syntax or other.is_bare_offer) and not many & {own.syntax, other.syntax}
        if other is own or not (alone or (name and name == other_name) or (sku and sku == other_sku)):
            continue
        theirs = _paths(other, signs)
        if paths and theirs and not paths & theirs:
            continue
        compared += 1
        if compared > _MAX_COMPARED:
            return
        said = product_facts(other, signs)
        if facts.is_same_as(said, alone=alone):
            yield said


def _are_many(products: list[PublishedProduct]) -> bool:
    named = {_key(product) for product in products if not product.is_bare_offer}
    return len(named) > 1 or sum(product.is_bare_offer for product in products) > 1


def _paths(product: PublishedProduct, signs: PageSigns) -> set[str]:
    found = (PageAddress.of(url, signs.base) for url in product.addresses())
    return {address.path for address in found if address is not None and address.path}


def _key(product: PublishedProduct) -> tuple[str, str]:
    name = next(iter(product.node.texts("name")), "")
    return plain_name(name), str(next(iter(product.node.values("sku")), ""))
