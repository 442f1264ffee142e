"""The products that a page publishes, and which of them is the page's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pagemill.extraction.published.page_address import PageAddress
from pagemill.extraction.published.schema_graph import Graph, Node
from pagemill.extraction.published.schema_text import plain_name
from pagemill.extraction.published.schema_words import OFFERS, PRODUCT_TYPES

_PRODUCTS = frozenset(PRODUCT_TYPES)
_OFFERS = frozenset({"offer", "aggregateoffer", "offerforpurchase"})
_NEVER_SOLD = frozenset(
    {"organization", "onlinestore", "onlinebusiness", "store", "corporation", "localbusiness", "person", "brand"}
    | {"website", "webpage", "itempage", "aboutpage", "collectionpage", "searchresultspage", "qapage", "faqpage"}
    | {"itemlist", "listitem", "breadcrumblist", "offercatalog", "demand", "review", "aggregaterating", "menusection"}
)
_CONTAINERS = ("@graph", "@included", "mainentity", "mainentityofpage", "maincontentofpage", "about")
"""Where a page's own product may stand. Not `itemListElement`, `isRelatedTo` or a review: those are other products."""
_MIN_LIKENESS = 0.5
"""If one text is a part of another, it must be this part of its length: a heading such as "Cups" fits many names."""
_MAX_DEPTH = 8
_MAX_PRODUCTS = 1_000


@dataclass(frozen=True, eq=False)
class PublishedProduct:
    """A product with its offers, wherever they stand."""

    node: Node
    offers: tuple[Node, ...]
    syntax: int = 0
    """How it was published: 0 as JSON-LD, 1 as microdata, 2 as RDFa. A lower number counts more."""
    is_main: bool = False
    """Whether the page says that this is its main entity."""

    @property
    def is_product(self) -> bool:
        """Whether it is of a product's type, and not something else that has offers."""
        return bool(self.node.types & _PRODUCTS)

    @property
    def is_bare_offer(self) -> bool:
        """Whether it is an offer that does not say what it offers."""
        return bool(self.node.types & _OFFERS)

    def addresses(self) -> list[str]:
        """The addresses that the product and its offers give as their own."""
        return addresses_of(self.node) + [url for offer in self.offers[:20] for url in addresses_of(offer)]


@dataclass(frozen=True)
class PageSigns:
    """What tells which product a page is about."""

    address: PageAddress | None
    canonical: tuple[PageAddress, ...] = ()
    headings: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    base: str = field(default="", repr=False)


def published_products(graph: Graph, syntax: int) -> list[PublishedProduct]:
    """The products of one syntax (JSON-LD, microdata or RDFa), in the order of the document.

    A variant of a product that is listed as well is left out: it belongs to that product.
    """
    found: list[PublishedProduct] = []
    seen: set[Node] = set()
    for node in graph.roots():
        found += itertools.islice(_below(node, seen, _MAX_DEPTH, syntax), _MAX_PRODUCTS - len(found))
    nodes = {product.node for product in found}
    theirs = {offer for product in found for offer in _all_offers(product) if offer is not product.node}
    return [
        product
        for product in found
        if not any(group in nodes for group in product.node.nodes("isvariantof")) and product.node not in theirs
    ]


def choose(products: Sequence[PublishedProduct], signs: PageSigns) -> tuple[PublishedProduct, str]:
    """The page's own product, and in a few words why it was chosen.

    The signs are tried in order: the page's address, its canonical address, its main entity, its heading, its title.
    Each sign keeps the products that fit best. If several are left, products come before other things that have offers,
    then those with offers before those without, then the first in the document.
    """
    left = list(products)
    headings, titles = (tuple(map(plain_name, texts)) for texts in (signs.headings, signs.titles))
    if _are_one(left):
        return min(left, key=_order_of_one), "the only one"
    rules: tuple[tuple[str, Callable[[PublishedProduct], float]], ...] = (
        ("its url is the page's", lambda one: _fit(one, [signs.address] if signs.address else [], signs.base)),
        ("canonical", lambda one: _fit(one, signs.canonical, signs.base)),
        ("main entity", lambda one: float(one.is_main)),
        ("h1", lambda one: _likeness(one, headings)),
        ("title", lambda one: _likeness(one, titles)),
    )
    for words, fits in rules:
        scores = [fits(one) for one in left]
        best = max(scores)
        if best > 0 and min(scores) < best:
            left = [one for one, score in zip(left, scores, strict=True) if score == best]
            if _are_one(left):
                return min(left, key=_order_of_one), words
    return min(left, key=_order), "first"


def is_of_another_page(product: PublishedProduct, signs: PageSigns, *, doubted: bool) -> bool:
    """Whether a product belongs to another page. If so, its name shares no word with any heading or title. In addition,
    its own addresses are not the page's, or it is `doubted` for another reason."""
    words = {word for name in product.node.texts("name")[:3] for word in _words(name)}
    said = {word for text in (*signs.headings, *signs.titles) for word in _words(text)}
    if not words or not said or words & said:
        return False
    own = [PageAddress.of(url, signs.base) for url in product.addresses()]
    paths = {address.path for address in own if address is not None}
    pages = {address.path for address in (signs.address, *signs.canonical) if address is not None}
    return doubted or bool(signs.headings and paths and not paths & pages)


def offers_of(node: Node, *more: Node) -> tuple[Node, ...]:
    """The offers of a product: those that it lists, those that refer to it, and `more`."""
    return tuple(dict.fromkeys((*node.nodes(*OFFERS), *node.linked_by("itemoffered"), *more)))


def addresses_of(node: Node) -> list[str]:
    """The addresses that a node gives as its own."""
    pages = [value.id if isinstance(value, Node) else str(value) for value in node.values("mainentityofpage")]
    urls = [value.id if isinstance(value, Node) else str(value) for value in node.values("url")]
    return [url for url in (*urls, node.id, *pages) if url]


def product_ids_of(node: Node) -> list[str]:
    """The ids by which a shop may name the product in an address."""
    said = [str(value) for value in node.values("sku", "productid", "identifier", "mpn") if not isinstance(value, Node)]
    return [*said, re.split(r"[/#?=:]", node.id)[-1]]


def _below(node: Node, seen: set[Node], depth: int, syntax: int, main: bool = False) -> Iterator[PublishedProduct]:
    if depth == 0 or node in seen:
        return
    seen.add(node)
    if node.types & _OFFERS:
        sold = [one for one in node.nodes("itemoffered") if one not in seen]
        for one in sold:
            seen.add(one)
            yield PublishedProduct(one, offers_of(one, node), syntax, main)
        if not node.values("itemoffered"):
            yield PublishedProduct(node, (node,), syntax, main)
        return
    offers = offers_of(node)
    if node.types & _PRODUCTS or (offers and not node.types & _NEVER_SOLD):
        seen.update(offers)
        yield PublishedProduct(node, offers, syntax, main)
        return
    for name in _CONTAINERS:
        for inner in node.nodes(name):
            yield from _below(inner, seen, depth - 1, syntax, main or name == "mainentity")
    made = node.nodes("makesoffer")
    if len(made) == 1:
        yield from _below(made[0], seen, depth - 1, syntax, main)


def _all_offers(product: PublishedProduct) -> Iterator[Node]:
    for offer in product.offers:
        yield offer
        yield from offer.nodes(*OFFERS)


def _fit(product: PublishedProduct, pages: Iterable[PageAddress], base: str) -> float:
    own = [PageAddress.of(url, base) for url in product.addresses()]
    return max((page.named_by(one) for page in pages for one in own if one is not None), default=0)


def _likeness(product: PublishedProduct, texts: Iterable[str]) -> float:
    """How much of the longer one the shorter one is, if a text contains the name or the name a text; else 0."""
    names = [plain_name(name) for name in product.node.texts("name")[:3]]
    best = 0.0
    for text in texts:
        for name in names:
            short, long = sorted((name, text), key=len)
            likeness = len(short) / len(long) if short and f" {short} " in f" {long} " else 0.0
            if short == name or likeness >= _MIN_LIKENESS:
                best = max(best, likeness)
    return best


def _words(name: str) -> set[str]:
    """The words of a name. In scripts without spaces every two letters are a word."""
    plain = plain_name(name)
    joined = "".join(character for character in plain if not character.isascii())
    return set(plain.split()) | {joined[at : at + 2] for at in range(len(joined) - 1)}


def _are_one(products: Sequence[PublishedProduct]) -> bool:
    """Whether their names say that they are one product: all are the same, or each syntax has one and all contain the
    shortest."""
    named = {(plain_name(name), one.syntax) for one in products for name in one.node.texts("name")[:1]}
    names = {name for name, _syntax in named} - {""}
    if len(products) == 1 or len(names) == 1:
        return True
    if not names or len({syntax for _name, syntax in named}) < len(named):
        return False
    shortest = min(names, key=len)
    return all(f" {shortest} " in f" {name} " for name in names)


def _order_of_one(product: PublishedProduct) -> tuple[bool, int, bool]:
    return (product.is_bare_offer, product.syntax, not product.offers)


def _order(product: PublishedProduct) -> tuple[bool, bool, bool, int]:
    return (not product.is_product, not product.offers, not product.node.texts("name"), product.syntax)
