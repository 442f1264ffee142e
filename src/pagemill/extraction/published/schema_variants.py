"""Which of a product's variants or offers the page's address names, by an address, an id, or what it describes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pagemill.extraction.published.page_address import PageAddress
from pagemill.extraction.published.schema_choice import PageSigns, addresses_of, product_ids_of
from pagemill.extraction.published.schema_graph import Node
from pagemill.extraction.published.schema_text import plain_name
from pagemill.extraction.published.schema_words import OFFERS

_VARIED = ("color", "size", "pattern", "material")
"""Properties by which variants differ. Queries of addresses call them by the same names."""
_MAX_VARIED = 50


def pick_named(nodes: Sequence[Node], signs: PageSigns, common: Iterable[str] = ()) -> Node | None:
    """The one variant or offer that the page's address names, by its own address or an id; `None` if it names none.

    Args:
        nodes: what to pick among.
        signs: of the page.
        common: ids that all of them share, which therefore say nothing.
    """
    if signs.address is None or len(nodes) < 2:
        return None
    ignored = {identifier.casefold() for identifier in common}
    scores = [_named(node, signs.address, signs.base, ignored) for node in nodes]
    best = max(scores)
    # The page's plain address belongs to the first of several variants that differ only in the query: it names none.
    if best < 2 or scores.count(best) > 1 or (best == 2 and 1 in scores):
        return None
    return nodes[scores.index(best)]


def _named(node: Node, page: PageAddress, base: str, ignored: set[str]) -> int:
    nodes = [node, *node.nodes("itemoffered")[:5], *node.nodes(*OFFERS)[:20]]
    own = [PageAddress.of(url, base) for one in nodes for url in addresses_of(one)]
    fit = max((page.named_by(one) for one in own if one is not None), default=0)
    ids = [identifier for one in nodes for identifier in product_ids_of(one)]
    named = any(page.has_id(identifier) for identifier in ids if identifier.casefold() not in ignored)
    return max(fit, 100 if named else 0, _described(node, page))


def _described(node: Node, page: PageAddress) -> int:
    """How well the query describes a variant, as in `?color=red&size=M`; 0 if it describes another one."""
    said: dict[str, set[str]] = {name: set(map(plain_name, node.texts(name))) for name in _VARIED}
    for one in node.nodes("additionalproperty")[:_MAX_VARIED]:
        for name in one.texts("name", "propertyid")[:2]:
            said.setdefault(plain_name(name), set()).update(plain_name(str(value)) for value in one.values("value"))
    asked = [(plain_name(name.rsplit(".", 1)[-1]), plain_name(value)) for name, value in page.query]
    known = [value in said[name] for name, value in asked if said.get(name)]
    return 10 + len(known) if known and all(known) else 0
