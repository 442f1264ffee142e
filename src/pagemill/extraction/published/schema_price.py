"""Prices and currencies as shops publish them. Pure; which offer counts is `schema_offer`'s."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pagemill.extraction.numbers.number_text import read_number
from pagemill.extraction.published.schema_graph import Node
from pagemill.extraction.values import collapse

_PLAIN = re.compile(r"\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MAX_PRICE = 10**15
_MAX_CHARS = 100
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₩": "KRW",
    "원": "KRW",
    "₺": "TRY",
    "TL": "TRY",
    "円": "JPY",
    "元": "CNY",
    "₹": "INR",
}
"""Signs that stand for one currency only; `$` and `¥` stand for several."""

_LIST_KINDS = frozenset({"listprice", "msrp", "srp", "strikethroughprice", "regularprice", "suggestedretailprice"})
_OTHER_KINDS = frozenset({"invoiceprice", "minimumadvertisedprice"})
_OTHER_TYPES = frozenset({"deliverychargespecification", "paymentchargespecification"})
_CONDITIONS = ("validformembertier", "eligibletransactionvolume", "billingduration")
"""A price with one of these is for some buyers only, or for something else than one piece."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The price that is to be paid, and the list price."""

    price: float | None = None
    list_price: float | None = None
    currency: str | None = None


NO_PRICES = Prices()


def read_price(value: object) -> float | None:
    """The amount of a JSON number or text. In a text that is only a number, the point starts decimals: `4.500` is 4.5.

    Other texts are read as people write them: `1.299,00 €`. Negative amounts are no prices.
    """
    if isinstance(value, str):
        text = collapse(value[: 2 * _MAX_CHARS])
        if len(text) > _MAX_CHARS:
            return None
        value = float(text) if _PLAIN.fullmatch(text) else read_number(text)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not (math.isfinite(value) and 0 <= value < _MAX_PRICE):
        return None
    return int(value) if value == int(value) else value


def read_currency(text: str) -> str | None:
    """The three letters of a currency. A sign counts if it stands for one currency only."""
    text = text.strip()[:_MAX_CHARS]
    code = _CODE.search(text.upper() if len(text) == 3 else text)
    if code is not None:
        return code[0]
    return next((name for sign, name in _SIGNS.items() if sign in text), None)


def prices_of(offer: Node) -> Prices:
    """The prices of an offer, or of a product that has its price itself.

    A specification of kind `SalePrice` counts before the offer's own price; that becomes the list price if it is
    higher. Other specifications, except list prices, count after the offer's own price. Among them a price with tax
    comes first. A price per quantity, for members or for a time comes last.
    """
    own, own_currency = _first_price(offer, "price")
    if own is None:
        own, own_currency = _first_price(offer, "lowprice")
    before, _currency = _first_price(offer, "listprice", "msrp")
    offered = _Specifications(offer.nodes("pricespecification"))
    price, currency = offered.sale if offered.sale is not None else (own, own_currency)
    if price is None:
        price, currency = offered.ordinary or (None, None)
    if before is None:
        before = offered.list
    if before is None and offered.sale is not None:
        before = own
    if before is not None and price is not None and before < price:
        before = None
    currencies = [currency, *map(read_currency, offer.texts("pricecurrency", "currency")), offered.currency]
    return Prices(price, before, next((one for one in currencies if one), None))


class _Specifications:
    """The price specifications of one offer, by kind."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.sale: tuple[float, str | None] | None = None
        self.ordinary: tuple[float, str | None] | None = None
        self.list: float | None = None
        self.currency: str | None = None
        ranked: list[tuple[tuple[bool, bool], float, str | None]] = []
        for node in nodes:
            price, currency = _amount(node)
            kinds = {re.sub(r"[\s_-]", "", node.graph.name(kind)).rsplit("/", 1)[-1] for kind in _kinds(node)}
            self.currency = self.currency or currency
            if price is None or node.types & _OTHER_TYPES or kinds & _OTHER_KINDS:
                continue
            if kinds & _LIST_KINDS:
                self.list = price if self.list is None else self.list
            elif "saleprice" in kinds and not _is_conditional(node):
                self.sale = self.sale or (price, currency)
            else:
                ranked.append(((_is_conditional(node), _is_without_tax(node)), price, currency))
        if ranked:
            _rank, price, currency = min(ranked, key=lambda one: one[0])
            self.ordinary = price, currency


def _kinds(node: Node) -> list[str]:
    return [value.id if isinstance(value, Node) else str(value) for value in node.values("pricetype")]


def _amount(node: Node) -> tuple[float | None, str | None]:
    price, currency = _first_price(node, "price", "value", "minprice")
    components = node.nodes("pricecomponent")
    if price is None and len(components) == 1:
        price, currency = _first_price(components[0], "price")
    if currency is None:
        currency = next(filter(None, map(read_currency, node.texts("pricecurrency", "currency"))), None)
    return price, currency


def _is_conditional(node: Node) -> bool:
    if any(node.values(name) for name in _CONDITIONS):
        return True
    if any(map(_is_several, node.values("eligiblequantity"))):
        return True
    return "unitpricespecification" in node.types and bool(node.values("referencequantity"))


def _is_several(quantity: object) -> bool:
    values = quantity.values("minvalue", "value") if isinstance(quantity, Node) else [quantity]
    return any((read_price(value) or 0) > 1 for value in values)


def _is_without_tax(node: Node) -> bool:
    return any(str(value).strip().casefold() in ("false", "0") for value in node.values("valueaddedtaxincluded"))


def _first_price(node: Node, *names: str) -> tuple[float | None, str | None]:
    """The first value that is a price, and its currency if the value is an object with one."""
    for value in node.values(*names):
        if isinstance(value, Node):
            amounts = [read_price(amount) for amount in value.values("value", "price", "amount")]
            currencies = map(read_currency, value.texts("currency", "pricecurrency"))
            amount = next((amount for amount in amounts if amount is not None), None)
            if amount is not None:
                return amount, next(filter(None, currencies), None)
        elif (price := read_price(value)) is not None:
            return price, None
    return None, None
