"""What a product's offers say together: whether it can be bought, and for how much. `schema_choice` picks the
product."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pagemill.extraction.availability import read_availability
from pagemill.extraction.published.schema_graph import Node
from pagemill.extraction.published.schema_price import NO_PRICES, Prices, prices_of
from pagemill.extraction.published.schema_words import OFFERS

_NOT_NEW = frozenset({"usedcondition", "refurbishedcondition", "damagedcondition", "used", "refurbished", "damaged"})
_NOT_SOLD = frozenset(
    {"leaseout", "buy", "dispose", "provideservice", "maintain", "repair", "constructioninstallation"}
)
_MAX_OFFERS = 500
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Offered:
    """What the offers say; `None` for what they do not."""

    prices: Prices = NO_PRICES
    in_stock: bool | None = None


@dataclass(frozen=True, slots=True)
class _Offer:
    node: Node
    prices: Prices
    in_stock: bool | None


def offered_by(
    nodes: Sequence[Node], narrow: Callable[[Sequence[Node]], Sequence[Node]] = lambda nodes: nodes
) -> Offered:
    """What these offers say together.

    The product can be bought if any offer can be; it cannot if none can. The price is the lowest of the offers that can
    be bought; else of those that do not say; else of all. Offers for members, for rent or of used things count only if
    there are no others. Of several currencies, the first counts.

    Args:
        nodes: offers, or products that have a price themselves.
        narrow: chooses among the single offers, for instance those of a variant.
    """
    seen: set[Node] = set()
    single = [offer for node in nodes for offer in _single(node, _MAX_DEPTH, seen)]
    picked = set(narrow([offer.node for offer in single[:_MAX_OFFERS]]))
    offers = [offer for offer in single if offer.node in picked]
    for unwanted in (_is_summary, _is_for_members, _is_not_sold, _is_not_new):
        offers = [offer for offer in offers if not unwanted(offer.node)] or offers
    stocks = {offer.in_stock for offer in offers}
    return Offered(_lowest(offers), True if True in stocks else False if stocks == {False} else None)


def _lowest(offers: Sequence[_Offer]) -> Prices:
    """The lowest price, chosen as `offered_by` says."""
    currency = next((offer.prices.currency for offer in offers if offer.prices.currency), None)
    can_be_bought = any(offer.in_stock for offer in offers)
    for in_stock in (True, None) if can_be_bought else (None, False):
        said = [offer.prices for offer in offers if offer.in_stock is in_stock]
        priced = [one for one in said if one.price is not None and one.currency in (None, currency)]
        if priced:
            return replace(min(priced, key=lambda one: (one.price, one.list_price is None)), currency=currency)
    without = next((one.prices for one in offers if one.prices.price is None and one.prices.list_price), NO_PRICES)
    return replace(without, currency=currency)


def stock_of(node: Node) -> bool | None:
    """Whether an offer can be bought; `None` if it does not say, or says both."""
    found = {_stock(value) for value in node.values("availability")} - {None}
    if not found:
        levels = [one for level in node.values("inventorylevel") for one in _numbers(level)]
        found = {level > 0 for level in levels}
    return found.pop() if len(found) == 1 else None


def _single(node: Node, depth: int, seen: set[Node]) -> Iterator[_Offer]:
    """The offer, or the offers that it sums up, with what it says of all of them. No offer comes twice."""
    if node in seen:
        return
    seen.add(node)
    prices, in_stock = prices_of(node), stock_of(node)
    inner = [one for one in node.nodes(*OFFERS) if one not in seen] if depth else []
    if not inner:
        yield _Offer(node, prices, in_stock)
    for offer in (offer for one in inner for offer in _single(one, depth - 1, seen)):
        said = offer.prices
        if said.price is None:
            said = replace(prices, currency=said.currency or prices.currency)
        elif said.currency is None:
            said = replace(said, currency=prices.currency)
        yield _Offer(offer.node, said, in_stock if offer.in_stock is None else offer.in_stock)


def _stock(value: Any) -> bool | None:
    if isinstance(value, Node):
        said = (read_availability(text) for text in (value.id, *value.texts("name", "url")) if text)
        return next((one for one in said if one is not None), None)
    if isinstance(value, bool):
        return value
    return read_availability(value) if isinstance(value, str) else None


def _numbers(level: Any) -> list[float]:
    values = level.values("value", "minvalue") if isinstance(level, Node) else [level]
    texts = [str(value).strip() for value in values if not isinstance(value, bool)]
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10]


def _is_summary(node: Node) -> bool:
    return "aggregateoffer" in node.types


def _is_for_members(node: Node) -> bool:
    return bool(node.values("validformembertier"))


def _is_not_sold(node: Node) -> bool:
    return bool(_words(node, "businessfunction") & _NOT_SOLD)


def _is_not_new(node: Node) -> bool:
    return bool(_words(node, "itemcondition") & _NOT_NEW)


def _words(node: Node, name: str) -> set[str]:
    values: Iterable[Any] = node.values(name)
    texts = [value.id if isinstance(value, Node) else str(value) for value in values]
    return {text.replace("#", "/").rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].casefold() for text in texts}
