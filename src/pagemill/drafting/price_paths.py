"""Prices in JSON: which paths to ask, in which order. Often a missing price or 0 means "as the other price". Pure.

A shop's JSON has several amounts, such as a list price that is `null` without a discount or a sale price that is 0. The
first amount above 0 counts.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import permutations
from typing import Any

from pagemill.drafting.beliefs import Beliefs, agrees
from pagemill.drafting.candidates import Candidate, json_candidate
from pagemill.drafting.json_paths import expressions
from pagemill.drafting.page_view import DocumentKey, PageView
from pagemill.drafting.price_labels import other_prices
from pagemill.drafting.vocabulary import price_kind
from pagemill.extraction.json_path import find_value
from pagemill.model import FactValue

_MAX_PATHS = 10
_LONGEST = 3
_ORDER = {"sale": 0, "price": 1, "list": 2}


def price_candidates(
    views: Sequence[PageView], beliefs: Beliefs, labelled: Set[int] = frozenset()
) -> dict[str, list[Candidate]]:
    """For `price` and `list_price`, one candidate for each document that says what is believed of every page that has
    it. The price of `labelled` pages does not count: other rules read it.

    After the paths that the given pages need comes the other price, because a product without a discount has only one
    price and shops may leave out either.
    """
    found: dict[str, list[Candidate]] = {"price": [], "list_price": []}
    for source in dict.fromkeys(key for view in views for key in view.documents):
        paths = _paths(source, views)
        chosen: dict[str, tuple[str, ...]] = {}
        for field in found:
            order = paths if field == "price" else sorted(paths, key=lambda path: -_ORDER[paths[path]])
            known = [{} if field == "price" and at in labelled else believed for at, believed in enumerate(beliefs)]
            if (best := _shortest(field, source, tuple(order), views, known)) is not None:
                chosen[field] = best
        for field, several in chosen.items():
            other = chosen.get("list_price" if field == "price" else "price", ())
            whole = (*several, *(path for path in other if path not in several))
            found[field].append(json_candidate(source, _rule(whole, source, views), views))
    return found


def other_price_candidates(views: Sequence[PageView]) -> list[Candidate]:
    """Rules that only speak if only some people pay a page's price; they then read what all others pay."""
    found = [json_candidate(source, rule, views) for source, rule in other_prices(views)]
    return [replace(one, why="what all others pay where it is labelled as some people's") for one in found]


def _paths(source: DocumentKey, views: Sequence[PageView]) -> dict[str, str]:
    """Paths to the product's own amounts, each with its kind; sale prices first."""
    kinds: dict[str, str] = {}
    for view in views:
        leaves = [leaf for leaf in view.leaves if leaf.source == source]
        for leaf in leaves:
            kind = price_kind(leaf.path)
            if kind and (leaf.own or not any(one.own for one in leaves)) and not isinstance(leaf.value, bool):
                for expression in expressions(leaf.path, view.identity.token)[:1]:
                    kinds.setdefault(expression, kind)
    ordered = sorted(kinds, key=lambda path: (_ORDER[kinds[path]], path.count("["), len(path)))
    return {path: kinds[path] for path in ordered[:_MAX_PATHS]}


def _shortest(
    field: str, source: DocumentKey, paths: tuple[str, ...], views: Sequence[PageView], beliefs: Beliefs
) -> tuple[str, ...] | None:
    """The fewest paths whose first amount above 0 is right on every page that sells and has the document."""
    wanted = [
        (view.documents[source], believed[field].value, view.sells)
        for view, believed in zip(views, beliefs, strict=True)
        if source in view.documents and field in believed and view.shows
    ]
    selling = [one for one in wanted if one[2]]
    if not selling:
        return None
    amounts = {path: [_amount(document, path) for document, _value, _sells in wanted] for path in paths}
    best: tuple[int, tuple[str, ...]] | None = None
    for length in range(1, _LONGEST + 1):
        for several in permutations(paths, length):
            said = [next((a[at] for path in several if (a := amounts[path])[at]), None) for at in range(len(wanted))]
            right = [
                s is not None and agrees(s, value) for s, (_document, value, _sells) in zip(said, wanted, strict=True)
            ]
            if not all(ok for ok, (_document, _value, sells) in zip(right, wanted, strict=True) if sells):
                continue
            if best is None or sum(right) > best[0]:
                best = sum(right), several
        if best is not None and best[0] == len(wanted):
            break
    return None if best is None else best[1]


def _amount(document: Any, path: str) -> FactValue:
    found = find_value(document, path)
    value = None if found is None else found.value
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return None if isinstance(value, bool) or value is None or value <= 0 else value


def _rule(paths: tuple[str, ...], source: DocumentKey, views: Sequence[PageView]) -> dict[str, Any]:
    if len(paths) == 1:
        return {"path": paths[0], "type": "number"}
    texts = any(
        isinstance(value.value, str)
        for view in views
        if source in view.documents
        for path in paths
        if (value := find_value(view.documents[source], path)) is not None
    )
    parent = _common([path.split(".") for path in paths]) if not any("|" in path for path in paths) else ""
    inner = [path[len(parent) + 1 :] if parent else path for path in paths]
    if texts:
        inner = [f"to_number({one})" for one in inner]
    return {"path": f"{parent + '.' if parent else ''}[{', '.join(inner)}][?@ > `0`] | [0]", "type": "number"}


def _common(ways: Sequence[Sequence[str]]) -> str:
    """The keys with which all paths begin; each path has at least one more."""
    found = []
    for keys in zip(*(way[:-1] for way in ways), strict=False):
        if len(set(keys)) > 1:
            break
        found.append(keys[0])
    return ".".join(found)
