"""What each page most likely says of its product's price and list price. Amounts count by how many places agree, and by
what a visitor sees. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pagemill.drafting.beliefs import Belief, Votes
from pagemill.drafting.evidence import PageEvidence, SeenElement, Steadiness
from pagemill.drafting.page_view import PageView
from pagemill.drafting.price_labels import amounts_for_some
from pagemill.drafting.vocabulary import OTHER_PRICE, price_kind
from pagemill.extraction.numbers.number_text import read_number
from pagemill.extraction.values import collapse
from pagemill.model import FactValue

_SHOWN = 4.0
"""The weight of an amount that a visitor sees beside the name: more than any two places for programs."""
_MAX_AMOUNT = 1e10
_GROUPED = re.compile(r"\d{1,3}(?:[.,' \u00a0]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+[.,]\d{1,2}(?!\d)|\d{4,}")
_CURRENCY = re.compile(r"[$€£¥₩원円元]|\b(?:USD|EUR|GBP|KRW|JPY|CNY|CHF|kr|zł|Kč)\b", re.IGNORECASE)
_PERCENT_ONLY = re.compile(r"[-−]?\s*\d{1,3}\s*%")
_UNSEEN = 0.3
"""The factor for the weight of an amount that a visitor does not see."""
_CALLED_LIST = re.compile(
    r"list-?price|old-?price|was-?price|price-?(?:old|was|list|regular|before)|(?<![a-z])(?:regular|compare-?at|strike\w*|rrp|uvp)"
    r"(?![a-z])|\b(?:was|statt|UVP|RRP|MSRP|정가)\b",
    re.IGNORECASE,
)


def price_beliefs(view: PageView, name: str) -> dict[str, Belief]:
    """The price, and the higher one that is crossed out or called the list price; without one, the price again."""
    page, sale, before = view.evidence, Votes(), Votes()
    for fact, votes in (("price", sale), ("list_price", before)):
        said = page.structured.get(fact)
        if isinstance(said, int | float) and not isinstance(said, bool):
            votes.add(_plain(said), 2, 0)
    at_name = _where(page, name)
    crossed = {amount for _at, element, amounts in _amounts(page) if element.struck for amount in amounts}
    for at, element, amounts in _amounts(page):
        near = 1.0 if at_name is None else _SHOWN / (1 + abs(at - at_name) / 8)
        if OTHER_PRICE.search(element.text) or OTHER_PRICE.search(element.near):
            sale.add(amounts[0], -1, at)
            continue
        if any(one.steadiness is Steadiness.MEANT and "price" in one.css.lower() for one in element.selectors):
            near += 1
        if not element.visible:
            near *= _UNSEEN
        pays, was = _pays_and_was(element, amounts, crossed)
        if pays is not None:
            sale.add(pays, near, at)
        if was is not None:
            before.add(was, near, at)
    for (kind, said_there), weight in _own_amounts(view).items():
        (before if kind == "list" else sale).add(said_there, weight)
    if not sale.support and before.support:
        sale = before
    for_some = amounts_for_some(view)
    if sale.support.keys() - for_some:
        for amount in for_some & sale.support.keys():
            del sale.support[amount]
    best = sale.best()
    if best is None or best[1] <= 0:
        return {}
    price, support = best
    higher = {value: weight for value, weight in before.support.items() if value > price and weight >= 1}
    found = {"price": Belief(price, support)}
    if higher:
        listed = max(higher, key=lambda value: (higher[value], -before.first[value]))
        found["list_price"] = Belief(listed, higher[listed])
    else:
        found["list_price"] = Belief(price, 0)
    return found


def _own_amounts(view: PageView) -> dict[tuple[str, int | float], float]:
    """The weight of each kind and amount in the product's own JSON; repeated amounts count once."""
    found: dict[tuple[str, int | float], float] = {}
    for leaf in view.leaves:
        kind, amount = price_kind(leaf.path), _amount_of(leaf.value)
        if not kind or amount is None or not leaf.own:
            continue
        weight = 1.6 - len(leaf.path) / 50 + (0.5 if kind == "sale" else 0)
        key = "list" if kind == "list" else "sale", amount
        found[key] = max(weight, found.get(key, 0))
    return found


def _where(page: PageEvidence, name: str) -> int | None:
    """The index of the element with the product's name; if there are several, of the highest one in the page."""
    wanted = name.casefold()
    places = [
        at
        for at, element in enumerate(page.elements)
        if element.tag != "meta" and element.visible and collapse(element.text).casefold() == wanted
    ]
    return places[0] if wanted and places else None


def _amounts(page: PageEvidence) -> Iterable[tuple[int, SeenElement, list[int | float]]]:
    """Every element that states one amount of money, or two."""
    for at, element in enumerate(page.elements):
        text = element.text
        if element.tag == "meta" or not text or len(text) > 40:
            continue
        is_money = _CURRENCY.search(text) or any("price" in one.css.lower() for one in element.selectors)
        written = _GROUPED.findall(text) if is_money else []
        if len(written) > 2 or not is_money or _PERCENT_ONLY.fullmatch(text.strip()):
            continue
        several = [read_number(one) for one in written] if len(written) == 2 else [read_number(text)]
        amounts = list(dict.fromkeys(amount for one in several if (amount := _amount_of(one)) is not None))
        if amounts:
            yield at, element, amounts


def _pays_and_was(
    element: SeenElement, amounts: Sequence[int | float], crossed: set[int | float]
) -> tuple[int | float | None, int | float | None]:
    """The price and the former price that an element states. Of two amounts beside a percentage the lower one is the
    price, if none is crossed out."""
    if (
        element.struck
        or _CALLED_LIST.search(element.text)
        or any(_CALLED_LIST.search(one.css) for one in element.selectors)
    ):
        return None, amounts[0]
    if len(amounts) == 1:
        return amounts[0], None
    open_ones = [amount for amount in amounts if amount not in crossed]
    if len(open_ones) == 1:
        return open_ones[0], None
    if "%" in element.text:
        return min(amounts), max(amounts)
    return amounts[0], None


def _amount_of(value: FactValue) -> int | float | None:
    if isinstance(value, str):
        value = float(value) if re.fullmatch(r"\d{1,10}(?:\.\d{1,4})?", value.strip()) else None
    if value is None or isinstance(value, bool) or not 0 < value < _MAX_AMOUNT:
        return None
    return _plain(value)


def _plain(value: int | float) -> int | float:
    return int(value) if value == int(value) else value


def is_amount(text: str) -> bool:
    """Whether a text states an amount of money."""
    return _CURRENCY.search(text) is not None and _GROUPED.search(text) is not None
