"""Strategy `jsonld`: facts from the JSON-LD of the page's own product, by path.

`page_reader` waits, `json_path` follows paths, and `schema_choice` decides which product is the page's own. Its values
are taken as written; strategy `structured` is the one that interprets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pagemill.config.reading.source import Source
from pagemill.extraction.published.json_ld import read_json_lds
from pagemill.extraction.published.page_address import PageAddress
from pagemill.extraction.published.schema_choice import PageSigns, choose, published_products
from pagemill.extraction.published.schema_graph import Graph
from pagemill.extraction.published.structured_data import StructuredData
from pagemill.extraction.sighting import Sighting
from pagemill.extraction.source_told import SourcesTold, told_by_json, told_nothing
from pagemill.extraction.watch_plan import WatchPlan

_MAX_TOLD = 5


class JsonLdSource:
    """Reads the fields of one source from the page's JSON-LD product."""

    def __init__(self, source: Source, position: int, plan: WatchPlan) -> None:
        self._source = source
        self._position = position
        plan.structured(list(source.fields))

    def tell(self, seen: Sighting, told: SourcesTold, asked: str) -> None:
        """Adds what each path into the product leads to, what is broken, and what is published instead of a product."""
        product, problems = own_product(StructuredData.of(seen.structured), seen.url or asked)
        told.troubles += [f"jsonld: {problem}" for problem in problems]
        if product is None:
            told.add(told_nothing(self._source.fields, self._position, "jsonld"))
        else:
            told.add(told_by_json(product, self._source.fields, self._position, "jsonld"))


def own_product(found: StructuredData, address: str) -> tuple[Mapping[str, Any] | None, list[str]]:
    """The product that the page is about, as its script has it, and what could not be read.

    Args:
        found: what the page publishes.
        address: where the page is.
    """
    documents, broken = read_json_lds(found.scripts)
    problems = [f"JSON-LD is broken: {one}" for one in broken]
    graph = Graph(documents, address)
    products = published_products(graph, 0)
    if not products:
        kinds = sorted({kind for node in graph.roots() for kind in node.types})[:_MAX_TOLD]
        problems.append(f"no product in {len(found.scripts)} scripts{': ' + ', '.join(kinds) if kinds else ''}")
        return None, problems[:_MAX_TOLD]
    page, canonical = PageAddress.of(address), PageAddress.of(found.canonical, address)
    signs = PageSigns(page, (canonical,) if canonical else (), found.headings, (), address)
    product, _why = choose(products, signs)
    return product.node.raw, problems[:_MAX_TOLD]
