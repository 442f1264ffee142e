"""Finds in the shop's own JSON whether a product is sold: enumerations, flags and amounts of stock. Pure.

The pages show which word means what: pages of products on sale have one, the sold-out page has another. A word that no
page has is not guessed, unless it means the same in every shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pagemill.drafting.candidates import Candidate, read_json
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.json_paths import expressions
from pagemill.drafting.page_view import DocumentKey, PageView
from pagemill.drafting.vocabulary import WORDS_OF_STATE, names_a_state, words_of_key
from pagemill.extraction.json_path import find_value
from pagemill.extraction.values import collapse
from pagemill.model import FactValue

_LONGEST_WORD = 40
_SOLD_OUT_WORDS = "SOLD_OUT|SOLDOUT|OUT_OF_STOCK"
"""Words that mean the same in every shop, for shops whose pages did not show their own word."""


def data_candidates(views: Sequence[PageView]) -> list[Candidate]:
    """Enumerations, flags and amounts of stock among the product's own values."""
    places: dict[tuple[DocumentKey, str], str] = {}
    for view in views:
        for leaf in view.leaves:
            key = next((one for one in reversed(leaf.path) if isinstance(one, str)), "")
            if leaf.own and names_a_state(key):
                for expression in expressions(leaf.path, view.identity.token)[:1]:
                    places.setdefault((leaf.source, expression), key)
    found = []
    for (source, path), key in places.items():
        rule = _rule(path, key, [word_of_page(view, source, path) for view in views], views)
        if rule is None:
            continue
        values = tuple(_read(view, source, rule) for view in views)
        known = [word for word in rule["map"] if any(one.fullmatch(word) for one in WORDS_OF_STATE.values())]
        trust = 5.5 + (0.7 if known else 0) - len(path) / 100 - path.count("[") * 0.5
        found.append(Candidate(source, rule, values, trust, f"`{key}` in the shop's own data"))
    return found


def word_of_page(view: PageView, source: DocumentKey, path: str) -> str | None:
    """The word at that path; empty if the document has none, `None` without the document."""
    if source not in view.documents:
        return None
    found = find_value(view.documents[source], path)
    if found is None or found.value is None:
        return ""
    value = found.value
    return ("true" if value else "false") if isinstance(value, bool) else collapse(str(value))


def _rule(path: str, key: str, words: Sequence[str | None], views: Sequence[PageView]) -> dict[str, Any] | None:
    """A map of the pages' words, if these distinguish the states."""
    by_role: dict[PageRole, set[str]] = {}
    for word, view in zip(words, views, strict=True):
        if word is not None:
            by_role.setdefault(view.evidence.role, set()).add(word)
    selling, out = by_role.get(PageRole.ON_SALE, set()) - {""}, by_role.get(PageRole.SOLD_OUT, set()) - {""}
    stopped = by_role.get(PageRole.OFF_SALE, set())
    if not selling or selling & out or selling & stopped or any(len(word) > _LONGEST_WORD for word in selling | out):
        return None
    if selling <= {"true", "false"}:
        return _flag(path, key, selling, out, stopped)
    if all(word.isdecimal() for word in selling | out):
        if out == {"0"} and "0" not in selling:
            return {"path": path, "map": {"0": "sold_out", "*": "on_sale"}}
        return None
    if len(selling) > 1 and not all(word_means(word) == "on_sale" for word in selling):
        return None
    if not out and not all(word_means(word) == "on_sale" for word in selling):
        return None
    meanings = dict.fromkeys(sorted(selling), "on_sale") | dict.fromkeys(sorted(out), "sold_out")
    meanings |= dict.fromkeys(sorted(stopped - {""}), "off_sale")
    if stopped:
        if not out:
            meanings[_SOLD_OUT_WORDS] = "sold_out"
        meanings["*"] = "off_sale"
    rule: dict[str, Any] = {"path": path, "map": meanings}
    return rule | {"else": "off_sale"} if stopped == {""} else rule


def _flag(path: str, key: str, selling: set[str], out: set[str], stopped: set[str]) -> dict[str, Any] | None:
    """What true and false mean, according to the pages; without a sold-out page, according to the key."""
    if len(selling) > 1:
        return None
    sells = next(iter(selling))
    other = "false" if sells == "true" else "true"
    parts = set(words_of_key(key))
    says_out = bool(parts & {"sold", "soldout", "out", "discontinued"})
    if other not in out and (out or sells != ("false" if says_out else "true")):
        return None
    if stopped == {other}:
        meanings = {sells: "on_sale"} if out else {sells: "on_sale", other: "off_sale"}
        return {"path": path, "map": meanings}
    rule: dict[str, Any] = {"path": path, "map": {sells: "on_sale", other: "sold_out"}}
    return rule | {"else": "off_sale"} if stopped == {""} else rule


def word_means(word: str) -> str:
    return next((state for state, words in WORDS_OF_STATE.items() if words.fullmatch(word)), "")


def _read(view: PageView, source: DocumentKey, rule: dict[str, Any]) -> FactValue:
    value = read_json(view, source, {name: one for name, one in rule.items() if name != "else"})
    return rule["else"] if value is None and "else" in rule and source in view.documents and view.shows else value
