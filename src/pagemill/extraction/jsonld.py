"""Strategy `jsonld`: facts from the JSON-LD of a product, by path. Waiting is `look`'s, paths are `json_path`'s."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pagemill.config.field_rule import FieldRule
from pagemill.config.source import Source
from pagemill.extraction.json_path import answered, parse_json
from pagemill.extraction.look import Sighting
from pagemill.extraction.source_told import SourcesTold, told_by_json, told_nothing
from pagemill.extraction.watch_plan import WatchPlan

_PRODUCT_TYPES = frozenset({"Product", "ProductGroup", "ProductModel", "IndividualProduct"})
_CONTAINERS = ("@graph", "mainEntity", "mainEntityOfPage")
"""Where a page's own product may sit. Not `itemListElement` or `isRelatedTo`: those are other products."""
_MAX_DEPTH = 6
_OPENINGS = ("<!--", "<![CDATA[", "//<![CDATA[", "// <![CDATA[", "/*<![CDATA[*/", "/* <![CDATA[ */")
_CLOSINGS = ("-->", "//]]>", "// ]]>", "/*]]>*/", "/* ]]> */", "]]>", ";")


class JsonLdSource:
    """Reads the fields of one source from the page's JSON-LD product."""

    def __init__(self, source: Source, position: int, plan: WatchPlan) -> None:
        self._source = source
        self._position = position
        plan.structured(list(source.fields))

    def tell(self, seen: Sighting, told: SourcesTold, asked: str) -> None:
        """What each path into the product leads to."""
        scripts = seen.structured.get("scripts", ()) if isinstance(seen.structured, Mapping) else ()
        product = best_product([text for text in scripts if isinstance(text, str)], self._source.fields)
        if product is None:
            told.troubles.append(f"jsonld: no product in {len(scripts)} scripts")
            told.add(told_nothing(self._source.fields, self._position, "jsonld"))
        else:
            told.add(told_by_json(product, self._source.fields, self._position, "jsonld"))


def best_product(scripts: Iterable[str], fields: Mapping[str, tuple[FieldRule, ...]]) -> Mapping[str, Any] | None:
    """The product that answers the most fields, the first of several."""
    rules = [rule for rules in fields.values() for rule in rules]
    products = [product for script in scripts for product in find_products(script)]
    return max(products, key=lambda product: answered(product, rules), default=None)


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
