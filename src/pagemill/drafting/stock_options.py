"""Finds whether a product is sold by its options: it is sold if any option is, and sold out if all are. Pure.

The pages show which word of an option means what, as for the product's own state in `stock_data`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pagemill.drafting.candidates import Candidate, read_json
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.page_view import DocumentKey, PageView
from pagemill.drafting.vocabulary import names_a_state
from pagemill.extraction.json_path import find_value
from pagemill.extraction.values import collapse

_LONGEST_WORD = 40
_MAX_WORDS = 4
_PLAIN = re.compile(r"[A-Za-z_]\w*")


def option_candidates(views: Sequence[PageView]) -> list[Candidate]:
    """One rule for each list whose elements say it and distinguish sold-out pages from those that sell."""
    lists: dict[tuple[DocumentKey, str, str], None] = {}
    for view in views:
        for leaf in view.leaves:
            *way, at, key = leaf.path if len(leaf.path) > 2 else ("", "", "")
            is_option = isinstance(at, int) and isinstance(key, str) and names_a_state(key)
            if leaf.own and is_option and all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in (*way, key)):
                lists.setdefault((leaf.source, ".".join(map(str, way)), str(key)))
    found = []
    for source, place, state in lists:
        rule = _rule(place, state, [(view.evidence.role, _words(view, source, place, state)) for view in views])
        if rule is not None:
            values = tuple(read_json(view, source, rule) for view in views)
            trust = 5.6 - len(place) / 100
            found.append(Candidate(source, rule, values, trust, f"`{state}` of the product's options"))
    return found


def _words(view: PageView, source: DocumentKey, way: str, key: str) -> list[str]:
    """The word of each of the page's options."""
    if source not in view.documents:
        return []
    count = find_value(view.documents[source], f"length({way} || `[]`)")
    found = []
    for at in range(int(count.value) if count is not None and isinstance(count.value, int) else 0):
        said = find_value(view.documents[source], f"{way}[{at}].{key}")
        if said is not None and said.value is not None:
            value = said.value
            found.append(("true" if value else "false") if isinstance(value, bool) else collapse(str(value)))
    return found


def _rule(way: str, key: str, said: Sequence[tuple[PageRole, list[str]]]) -> dict[str, Any] | None:
    selling = [set(words) for role, words in said if role is PageRole.ON_SALE and words]
    out = {word for role, words in said if role is PageRole.SOLD_OUT for word in words}
    sells = set[str]().union(*selling) - out
    if not selling or not out or not all(words & sells for words in selling):
        return None
    if sells | out <= {"true", "false"}:
        return _some(way, f"{key}==`{sells.pop()}`")
    if all(word.isdecimal() for word in sells | out):
        return _some(way, f"{key} > `0`") if out == {"0"} else None
    if len(sells | out) > _MAX_WORDS or any(not _is_a_word(word) for word in sells | out):
        return None
    words = sorted(sells)
    any_of = " || ".join(f"{key}=='{word}'" for word in words)
    path = f"{way}[?{any_of}] && '{words[0]}' || {way}[0].{key}"
    return {"path": path, "map": dict.fromkeys(words, "on_sale") | dict.fromkeys(sorted(out), "sold_out")}


def _some(way: str, condition: str) -> dict[str, Any]:
    path = f"{way}[?{condition}] && 'some' || {way}[0] && 'none'"
    return {"path": path, "map": {"some": "on_sale", "none": "sold_out"}}


def _is_a_word(word: str) -> bool:
    return len(word) <= _LONGEST_WORD and not set("|'\\`") & set(word)
