"""Finds prices that not everybody pays, by the label beside them in the shop's own data. Pure.

If a shop labels one of its prices so, the price for all others is in an object of the same form beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pagemill.drafting.page_view import DocumentKey, Leaf, PageView
from pagemill.drafting.vocabulary import PRICE_FOR_SOME, is_a_label, price_kind
from pagemill.extraction.own_part import Path
from pagemill.model import FactValue

_FOR_SOME = re.compile(PRICE_FOR_SOME, re.IGNORECASE)
_REGEX = rf"(?i)(?:{PRICE_FOR_SOME}).* (\d+(?:\.\d+)?)$"
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_MOST = 2


def amounts_for_some(view: PageView) -> set[FactValue]:
    """The product's own amounts whose label says that only some people pay them."""
    return {
        amount.value
        for amount, label in _labelled(view)
        if isinstance(label.value, str) and _FOR_SOME.search(label.value)
    }


def other_prices(views: Sequence[PageView]) -> list[tuple[DocumentKey, dict[str, Any]]]:
    """The price for everybody else, as a rule for each labelled place that has a counterpart. It reads nothing unless
    the label names some people."""
    places: dict[tuple[DocumentKey, str], None] = {}
    for view in views:
        for amount, label in _labelled(view):
            fellow = _fellow(amount, view)
            if fellow is not None:
                places.setdefault((amount.source, _path(amount.path, label.path, fellow)))
    return [(source, {"path": path, "regex": _REGEX, "type": "number"}) for source, path in list(places)[:_MOST]]


def _labelled(view: PageView) -> Iterator[tuple[Leaf, Leaf]]:
    """Pairs of an amount and its label, which is in the same object or in one within it."""
    texts = [
        leaf
        for leaf in view.leaves
        if leaf.own
        and isinstance(leaf.value, str)
        and all(isinstance(key, str) for key in leaf.path[-2:])
        and is_a_label(str(leaf.path[-1]))
    ]
    beside: dict[tuple[DocumentKey, Path], Leaf] = {}
    for leaf in texts:
        beside.setdefault((leaf.source, leaf.path[:-1]), leaf)
        if len(leaf.path) > 1 and is_a_label(str(leaf.path[-2])):
            beside.setdefault((leaf.source, leaf.path[:-2]), leaf)
    for leaf in view.leaves:
        label = beside.get((leaf.source, leaf.path[:-1]))
        is_amount = isinstance(leaf.value, int | float) and not isinstance(leaf.value, bool)
        if label is not None and leaf.own and is_amount and price_kind(leaf.path) in ("sale", "price"):
            yield leaf, label


def _fellow(amount: Leaf, view: PageView) -> Path | None:
    """The amount of the same name in the neighbouring object."""
    *way, inner, key = amount.path if len(amount.path) > 1 else ("", "", "")
    if not all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in (*way, inner, key)):
        return None
    for leaf in view.leaves:
        *other_way, other, other_key = leaf.path if len(leaf.path) > 1 else ("", "", "")
        is_beside = leaf.source == amount.source and other_way == way and other_key == key and other != inner
        is_named = isinstance(other, str) and _PLAIN.fullmatch(other) is not None
        if is_beside and is_named and price_kind(leaf.path) in ("sale", "price"):
            return leaf.path
    return None


def _path(amount: Path, label: Path, fellow: Path) -> str:
    """A path to the label and the other amount as one text; the amount is read only if the label names some people."""
    way, start = ".".join(map(str, amount[:-2])), len(amount) - 2
    said, other = (".".join(map(str, path[start:])) for path in (label, fellow))
    around = f"{way}." if way else ""
    return f"{around}[{said} || '', to_string({other})] | join(' ', @)"
