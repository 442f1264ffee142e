"""What each page most likely says of its product, before it is known where: by how many places agree, and by what
stands where a visitor looks. Pure.

Whoever drafts may say what is right; then nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagemill.drafting.evidence import PageEvidence, SeenElement, Steadiness
from pagemill.drafting.page_view import PageView
from pagemill.drafting.price_labels import amounts_for_some
from pagemill.drafting.vocabulary import OTHER_PRICE, names_a_product, names_an_image, price_kind
from pagemill.extraction.numbers.number_text import read_number
from pagemill.extraction.values import collapse
from pagemill.model import FactValue

_MAX_NAME = 300
_SHOWN = 4.0
"""What speaks for an amount that a visitor sees beside the name: more than any two places for programs."""
_MAX_AMOUNT = 1e10
_HEADING = {"h1": 2.5, "h2": 1.2, "h3": 1.4, "h4": 0.6}
_GROUPED = re.compile(r"\d{1,3}(?:[.,' \u00a0]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+[.,]\d{1,2}(?!\d)|\d{4,}")
_CURRENCY = re.compile(r"[$€£¥₩원円元]|\b(?:USD|EUR|GBP|KRW|JPY|CNY|CHF|kr|zł|Kč)\b", re.IGNORECASE)
_PERCENT_ONLY = re.compile(r"[-−]?\s*\d{1,3}\s*%")
_UNSEEN = 0.3
"""What an amount counts that a visitor does not see, beside one that is seen."""
_CALLED_NAME = re.compile(r"[#.\[][^ >]*(?:title|name)", re.IGNORECASE)
_CALLED_LIST = re.compile(
    r"list-?price|old-?price|was-?price|price-?(?:old|was|list|regular|before)|(?<![a-z])(?:regular|compare-?at|strike\w*|rrp|uvp)"
    r"(?![a-z])|\b(?:was|statt|UVP|RRP|MSRP|정가)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?:)?//|/[\w-]+/")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one field of one page. `support` counts what agrees; `given` means that it was told."""

    value: FactValue
    support: float
    given: bool = False


Beliefs = Sequence[Mapping[str, Belief]]
"""Of every page, field by belief."""


@dataclass(slots=True)
class _Votes:
    """Values with what speaks for each."""

    support: Counter[Any] = field(default_factory=Counter)
    first: dict[Any, float] = field(default_factory=dict)

    def add(self, value: Any, weight: float, place: float = 1e9) -> None:
        self.support[value] += weight  # type: ignore[assignment]
        self.first[value] = min(place, self.first.get(value, 1e9))

    def best(self) -> tuple[Any, float] | None:
        if not self.support:
            return None
        value = max(self.support, key=lambda one: (self.support[one], -self.first[one]))
        return value, self.support[value]


def beliefs_of(views: Sequence[PageView]) -> list[dict[str, Belief]]:
    """For every page, field by belief; a field of which nothing is believed is not there."""
    repeated = _repeated_texts(views)
    return [_believed(view, repeated) for view in views]


def _believed(view: PageView, repeated: frozenset[str]) -> dict[str, Belief]:
    page = view.evidence
    given = {name: Belief(value, 0, given=True) for name, value in page.expected.items() if value is not None}
    if not view.shows:
        return given
    found: dict[str, Belief] = {}
    if (name := _name(view, repeated)) is not None:
        found["name"] = name
    found |= _prices(view, str((given.get("name") or found.get("name") or Belief("", 0)).value))
    for fact in ("brand", "image", "currency"):
        if isinstance(said := page.structured.get(fact), str) and said:
            found[fact] = Belief(said, 1)
    if "image" not in found and (image := _image(view)) is not None:
        found["image"] = image
    return found | given


def _repeated_texts(views: Sequence[PageView]) -> frozenset[str]:
    """Texts that every page shows: the shop's and no product's. What one page shows as another product is a name all
    the same."""
    shown = [view.evidence for view in views if view.shows]
    if len(shown) < 2:
        return frozenset()
    texts: list[set[str]] = []
    titles: list[set[str]] = []
    for page in shown:
        pieces = {piece.casefold() for title in _titles(page) for piece in _pieces(title)}
        texts.append(pieces | {collapse(element.text).casefold() for element in page.elements})
        titles.append(pieces)
    entitled = set[str]().union(*titles) - set[str].intersection(*titles)
    return frozenset(set[str].intersection(*texts) - entitled)


def _titles(page: PageEvidence) -> list[str]:
    return [collapse(page.title), *(collapse(one) for one in _metas(page, "og:title", "twitter:title", "title"))]


def _metas(page: PageEvidence, *names: str) -> Iterable[str]:
    for element in page.elements:
        attributes = element.attributes
        if element.tag == "meta" and (attributes.get("property") or attributes.get("name", "")).lower() in names:
            yield attributes.get("content", "")


def _pieces(title: str) -> list[str]:
    """The title, and its beginnings before each sign that parts it from the shop's name."""
    ends = [found.start() for found in re.finditer(r"\s+[-|:–—·»]\s+", title)]
    return [piece for piece in (title, *(title[:end].strip() for end in ends)) if piece]


def _name(view: PageView, repeated: frozenset[str]) -> Belief | None:
    page, votes = view.evidence, _Votes()
    titles = _titles(page)
    if isinstance(said := page.structured.get("name"), str):
        votes.add(collapse(said), 3, 0)
    for title in titles:
        for piece in _pieces(title):
            votes.add(piece, 0.3, 1)
    for leaf in view.leaves:
        key = next((one for one in reversed(leaf.path) if isinstance(one, str)), "")
        if isinstance(leaf.value, str) and names_a_product(key) and leaf.value.strip():
            depth = len(leaf.path) / 100  # a product's own name stands above those of its options
            votes.add(collapse(leaf.value), (2.5 if leaf.own else 0.4) - depth)
    for at, element in enumerate(page.elements):
        if element.tag == "meta" or not element.text:
            continue
        weight = _HEADING.get(element.tag, 0.3) if element.visible else 0.1
        if any(one.steadiness is Steadiness.MEANT and "name" in one.css for one in element.selectors):
            weight += 1
        elif any(_CALLED_NAME.search(one.css) for one in element.selectors):
            weight += 0.6
        if element.tag in ("a", "button", "label", "option", "li"):
            weight -= 0.25
        votes.add(collapse(element.text), weight, 10 + at)
    for text in list(votes.support):
        if not _may_be_a_name(text) or text.casefold() in repeated:
            del votes.support[text]
        elif any(text != title and text in title for title in titles):
            votes.support[text] += 1.5  # type: ignore[assignment]
    best = votes.best()
    return None if best is None else Belief(*best)


def _may_be_a_name(text: str) -> bool:
    if not 2 <= len(text) <= _MAX_NAME or _WORD.search(text) is None:
        return False
    return not (_CURRENCY.search(text) and _GROUPED.search(text) and len(text) < 30)


def _prices(view: PageView, name: str) -> dict[str, Belief]:
    """The price, and the higher one that is crossed out or called the list price; without any the same as the price."""
    page, sale, before = view.evidence, _Votes(), _Votes()
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
    """Amounts in the product's own JSON, each once however often it stands there: by kind and amount its weight."""
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
    """The place among the elements at which the product's name stands, as high in the page as it does."""
    wanted = name.casefold()
    places = [
        at
        for at, element in enumerate(page.elements)
        if element.tag != "meta" and element.visible and collapse(element.text).casefold() == wanted
    ]
    return places[0] if wanted and places else None


def _amounts(page: PageEvidence) -> Iterable[tuple[int, SeenElement, list[int | float]]]:
    """Every element that says one amount of money, or two."""
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
    """What an element says has to be paid, and what it says had to be: of two beside a percentage the lower one is
    to be paid, if none of them is crossed out."""
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


def _image(view: PageView) -> Belief | None:
    """The picture that most places name; addresses count without their query."""
    votes = _Votes()
    for address in _metas(view.evidence, "og:image", "twitter:image"):
        votes.add(address, 2)
    for leaf in view.leaves:
        is_named = any(isinstance(key, str) and names_an_image(key) for key in leaf.path[-2:])
        if leaf.own and is_named and isinstance(leaf.value, str) and _ADDRESS.match(leaf.value):
            main = 0.5 if leaf.main else 0
            votes.add(leaf.value, 1.5 + main - len(leaf.path) / 100)
    for at, element in enumerate(view.evidence.elements):
        if element.tag == "img" and (src := element.attributes.get("src")):
            is_own = bool(view.identity.token) and view.identity.token in src
            votes.add(src, 1.0 if is_own else 0.2, at)
    best = votes.best()
    return None if best is None or best[1] < 0.9 else Belief(*best)


def agrees(value: FactValue, belief: FactValue) -> bool:
    """Whether a fact says what is believed: texts without regard to case, addresses to their query, numbers by
    value."""
    if isinstance(value, str) and isinstance(belief, str) and _ADDRESS.match(belief):
        value, belief = value.partition("?")[0], belief.partition("?")[0]
    if isinstance(value, str) and isinstance(belief, str):
        return collapse(value).casefold() == collapse(belief).casefold()
    if isinstance(value, bool) or isinstance(belief, bool):
        return value is belief
    if isinstance(value, int | float) and isinstance(belief, int | float):
        return abs(value - belief) < 0.005
    return False
