"""The standard facts of one product, from one syntax (JSON-LD, microdata, RDFa or metas)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from pagemill.extraction.published.schema_choice import PageSigns, PublishedProduct, offers_of, product_ids_of
from pagemill.extraction.published.schema_graph import Node
from pagemill.extraction.published.schema_offer import Offered, offered_by, stock_of
from pagemill.extraction.published.schema_price import Prices, prices_of
from pagemill.extraction.published.schema_text import plain_name, read_image, read_text
from pagemill.extraction.published.schema_variants import pick_named

_MAX_VARIANTS = 500
_OF_AN_OFFER = ("price", "lowprice", "pricespecification", "availability")


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """The standard facts of a product; `None` for what is not said."""

    name: str | None = None
    brand: str | None = None
    sku: str | None = None
    image: str | None = None
    price: float | None = None
    list_price: float | None = None
    currency: str | None = None
    in_stock: bool | None = None

    def is_same_as(self, other: ProductFacts, *, alone: bool) -> bool:
        """Whether both are of one product: the same sku, or the same name if not both have a sku.

        Args:
            other: from elsewhere on the page.
            alone: neither place has any other product. Then it is enough if one name is a part of the other, or
                missing.
        """
        if self.sku and other.sku:
            return self.sku.casefold() == other.sku.casefold()
        short, long = sorted((plain_name(self.name or ""), plain_name(other.name or "")), key=len)
        if short == long:
            return bool(short) or alone
        return alone and (not short or f" {short} " in f" {long} ")

    def filled_from(self, other: ProductFacts) -> ProductFacts:
        """These facts, with what they lack taken from `other`, which must be of the same product.

        If the two name different prices, `other` may be of another variant: its stock, list price and currency do not
        count. A price in another currency never counts.
        """
        missing = {
            one.name: getattr(other, one.name)
            for one in fields(self)
            if getattr(self, one.name) is None and getattr(other, one.name) is not None
        }
        if self.currency is not None and other.currency not in (None, self.currency):
            unlike = {"price", "list_price"}
        elif self.price is not None and other.price is not None and self.price != other.price:
            unlike = {"list_price", "currency", "in_stock"}
        else:
            unlike = set()
        if self.price is not None and (other.list_price or 0) < self.price:
            unlike.add("list_price")
        return replace(self, **{name: value for name, value in missing.items() if name not in unlike})


def product_facts(product: PublishedProduct, signs: PageSigns) -> ProductFacts:
    """The facts of a product, or of the variant that the page's address names.

    If the address names no variant, the product can be bought if any variant can be, for the lowest price of those.
    """
    node = product.node
    if product.is_bare_offer:
        return _facts(node, offered_by([node]), signs.base)
    variants = _variants(node)
    named = pick_named(variants, signs, [*product_ids_of(node), *map(str, node.values("productgroupid"))])
    if named is not None:
        group = _facts(node, Offered(), signs.base)
        facts = _facts(named, _offered(named, offers_of(named), signs), signs.base)
        return replace(
            facts,
            name=facts.name or group.name,
            brand=facts.brand or group.brand,
            image=facts.image or group.image,
        )
    offers = list(product.offers) or [offer for variant in variants for offer in _own_offers(variant)]
    facts = _facts(node, _offered(node, offers, signs), signs.base)
    for variant in variants[:1]:
        first = _facts(variant, Offered(), signs.base)
        facts = replace(facts, brand=facts.brand or first.brand, image=facts.image or first.image)
    return facts


def _variants(node: Node) -> list[Node]:
    """The variants that the product lists, and those that refer to it."""
    found = dict.fromkeys((*node.nodes("hasvariant"), *node.linked_by("isvariantof")))
    return [variant for variant in found if variant is not node][:_MAX_VARIANTS]


def _own_offers(variant: Node) -> list[Node]:
    """The variant's offers, or the variant itself if it has a price or a stock. Some variants are only an address."""
    said = any(variant.values(name) for name in _OF_AN_OFFER)
    return list(offers_of(variant)) or ([variant] if said else [])


def _offered(node: Node, offers: Sequence[Node], signs: PageSigns) -> Offered:
    """What the offers say, or only the one that the page's address names. What they lack is taken from the node."""

    def narrow(single: Sequence[Node]) -> Sequence[Node]:
        named = pick_named(single, signs, product_ids_of(node))
        return single if named is None else [named]

    offered = offered_by(offers, narrow)
    own = prices_of(node)
    prices = offered.prices
    if prices.price is None and own.price is not None:
        prices = Prices(own.price, own.list_price, own.currency or prices.currency)
    elif prices.list_price is None and (own.list_price or 0) >= (prices.price or 0):
        prices = replace(prices, list_price=own.list_price)
    if prices.currency is None:
        prices = replace(prices, currency=own.currency)
    return Offered(prices, stock_of(node) if offered.in_stock is None else offered.in_stock)


def _facts(node: Node, offered: Offered, base: str) -> ProductFacts:
    prices = offered.prices
    return ProductFacts(
        name=_first_text(node, "name"),
        brand=_first_text(node, "brand"),
        sku=_first_text(node, "sku", "productid"),
        image=next((one for value in node.values("image") if (one := read_image(value, base)) is not None), None),
        price=prices.price,
        list_price=prices.list_price,
        currency=prices.currency,
        in_stock=offered.in_stock,
    )


def _first_text(node: Node, *names: str) -> str | None:
    return next((text for value in node.values(*names) if (text := read_text(value)) is not None), None)
