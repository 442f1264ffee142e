"""Flags of the product that say that it cannot be bought, although they are off on all given pages. Pure.

`isSoldOut` and `membersOnly` mean the same in every shop, so no page that has them on is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pagemill.drafting.beliefs import Beliefs
from pagemill.drafting.candidates import Candidate, read_json
from pagemill.drafting.json_paths import expressions
from pagemill.drafting.page_view import DocumentKey, Leaf, PageView
from pagemill.drafting.stock_data import word_of_page
from pagemill.drafting.vocabulary import flag_means
from pagemill.extraction.identity import ID_KEY
from pagemill.extraction.own_part import Path
from pagemill.extraction.values import collapse

_ON = {"false": "true", "n": "y", "no": "yes", "0": "1"}
"""The "on" value that belongs to each "off" value of a flag."""


def flag_candidates(views: Sequence[PageView], beliefs: Beliefs) -> list[Candidate]:
    """One rule for each such flag. It speaks if the flag is on, and says nothing otherwise."""
    keys: dict[tuple[DocumentKey, str], str] = {}
    for view, believed in zip(views, beliefs, strict=True):
        name = collapse(str(believed["name"].value)) if "name" in believed else ""
        for leaf in _own_flags(view, name):
            for expression in expressions(leaf.path, view.identity.token)[:1]:
                keys.setdefault((leaf.source, expression), str(leaf.path[-1]))
    found = []
    for (source, path), key in keys.items():
        words = {
            word.casefold()
            for view in views
            if view.sells and (word := word_of_page(view, source, path)) not in (None, "")
        }
        if len(words) != 1 or (on := _ON.get(words.pop())) is None:
            continue
        rule = {"path": path, "map": {on: flag_means(key)}}
        values = tuple(read_json(view, source, rule) if view.shows else None for view in views)
        if all(value in (None, view.evidence.role.value) for value, view in zip(values, views, strict=True)):
            found.append(Candidate(source, rule, values, 5.0 - len(path) / 100, f"`{key}`, by its name"))
    return found


def _own_flags(view: PageView, name: str) -> Iterator[Leaf]:
    """Flags in an object that names the product, and not in one of its options or of its seller."""
    objects = {(leaf.source, leaf.path[:-1]) for leaf in view.leaves if leaf.own and _names(leaf, view, name)}
    for leaf in view.leaves:
        if (
            leaf.own
            and _is_plain(leaf.path)
            and (leaf.source, leaf.path[:-1]) in objects
            and flag_means(str(leaf.path[-1]))
        ):
            yield leaf


def _names(leaf: Leaf, view: PageView, name: str) -> bool:
    said, token = collapse(str(leaf.value)), view.identity.token
    if name and said == name:
        return True
    key = leaf.path[-1] if leaf.path else ""
    return bool(token) and said.casefold() == token.casefold() and isinstance(key, str) and bool(ID_KEY.fullmatch(key))


def _is_plain(path: Path) -> bool:
    return bool(path) and all(isinstance(key, str) for key in path)
