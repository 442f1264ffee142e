"""Strategy `jsonld`: facts from the JSON-LD of a product. Waiting is `look`'s, paths are `json_path`'s."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from playwright.async_api import Page

from pagemill.config.extract import FieldRule
from pagemill.config.platform import Platform
from pagemill.extraction.json_path import answered, facts_at, parse_json
from pagemill.extraction.look import Watch, visit_page
from pagemill.extraction.visit import Visit
from pagemill.model import Facts, PageReading

_PRODUCT_TYPES = frozenset({"Product", "ProductGroup", "ProductModel", "IndividualProduct"})
_CONTAINERS = ("@graph", "mainEntity", "mainEntityOfPage")
"""Where a page's own product may sit. Not `itemListElement` or `isRelatedTo`: those are other products."""
_MAX_DEPTH = 6
_OPENINGS = ("<!--", "<![CDATA[", "//<![CDATA[", "// <![CDATA[", "/*<![CDATA[*/", "/* <![CDATA[ */")
_CLOSINGS = ("-->", "//]]>", "// ]]>", "/*]]>*/", "/* ]]> */", "]]>", ";")


class JsonLdStrategy:
    """Reads every field of the platform from the page's JSON-LD product, in one round trip after the navigation.

    Without `ready` it waits until the document holds the JSON-LD of a product; with it, until that sign is there.
    """

    def __init__(self, platform: Platform) -> None:
        self._fields = platform.extract.fields
        self._watch = Watch.of(platform, ready=platform.extract.ready, json_ld=True)

    async def read(self, page: Page, visit: Visit) -> PageReading:
        """See `Strategy.read`."""
        seen = await visit_page(page, visit, self._watch)
        facts = product_facts(seen.scripts, self._fields) if seen.ready or seen.scripts else {}
        return PageReading(status=seen.status, url=seen.url, facts=facts, ready=seen.ready, texts=seen.texts)


def product_facts(scripts: Iterable[str], fields: Mapping[str, FieldRule]) -> Facts:
    """The facts of the product that answers the most fields, the first of several; all `None` without any product.

    Args:
        scripts: the texts of the `application/ld+json` scripts; those that are no JSON are passed over.
        fields: every rule has a path, which starts at the product.
    """
    products = [product for script in scripts for product in find_products(script)]
    best = max(products, key=lambda product: answered(product, fields.values()), default={})
    return facts_at(best, fields)


def find_products(script: str) -> Iterator[Mapping[str, Any]]:
    """The products of one script: at the top, in lists, in `@graph`, or as what the page is about."""
    try:
        document = parse_json(script)
    except ValueError:
        try:
            document = parse_json(_unwrapped(script))
        except ValueError:
            return
    yield from _products(document, _MAX_DEPTH)


def _unwrapped(script: str) -> str:
    """Without the HTML comment or CDATA marks that older shops put around it."""
    text = script.strip()
    for opening in _OPENINGS:
        text = text.removeprefix(opening).lstrip()
    for closing in _CLOSINGS:
        text = text.removesuffix(closing).rstrip()
    return text


def _products(node: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth == 0:
        return
    if isinstance(node, list):
        for element in node:
            yield from _products(element, depth - 1)
    elif isinstance(node, dict):
        if _is_product(node.get("@type")):
            yield node
        for key in _CONTAINERS:
            if key in node:
                yield from _products(node[key], depth - 1)


def _is_product(types: Any) -> bool:
    names = types if isinstance(types, list) else [types]
    return any(isinstance(name, str) and re.split(r"[/:#]", name)[-1] in _PRODUCT_TYPES for name in names)
