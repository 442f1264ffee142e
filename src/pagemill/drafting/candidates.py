"""Candidates for a field: a source, a rule, and what the rule reads there on every page. Pure.

Here are those in JSON and in published data; `element_candidates` finds those in elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.strategies import STANDARD_FACTS
from pagemill.drafting.beliefs import Beliefs, agrees
from pagemill.drafting.json_paths import expressions
from pagemill.drafting.page_view import DocumentKey, PageView
from pagemill.extraction.json_path import find_value
from pagemill.extraction.values import to_fact
from pagemill.model import FactValue

STRUCTURED = DocumentKey("structured", "", "")
DOM = DocumentKey("dom", "", "")
NUMBERS = frozenset({"price", "list_price"})
_MAX_PATHS = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rule of one field in one source, with what it reads on each page; `None` if it reads nothing.

    `trust` (0 to 10) is higher, the longer the place is likely to last and to be about the product.
    """

    source: DocumentKey
    rule: Mapping[str, Any]
    values: tuple[FactValue, ...]
    trust: float
    why: str


def structured_candidates(field: str, views: Sequence[PageView]) -> list[Candidate]:
    """What the pages publish of that field for search engines, if any of them does."""
    values = tuple(_fact(view.evidence.structured.get(field)) for view in views)
    if field not in STANDARD_FACTS or all(value is None for value in values):
        return []
    rule = {"path": field, "type": STANDARD_FACTS[field]}
    return [Candidate(STRUCTURED, rule, values, 5.0, "published for search engines")]


def json_candidates(field: str, views: Sequence[PageView], beliefs: Beliefs) -> list[Candidate]:
    """Every path that leads to what is believed of some page."""
    return [json_candidate(source, rule, views) for source, rule in _rules(field, views, beliefs)]


def json_candidate(source: DocumentKey, rule: Mapping[str, Any], views: Sequence[PageView]) -> Candidate:
    """The candidate for that rule in that source, read on every page."""
    values = tuple(read_json(view, source, rule) for view in views)
    trust = 6.0 - str(rule["path"]).count("[") * 0.3 - len(str(rule["path"])) / 200
    if source.strategy == "api_capture":
        trust += 0.2 if "{id}" in source.where else -0.4
    return Candidate(source, rule, values, trust, _WHY[source.strategy])


_WHY = {"state": "JSON that stands in the page", "api_capture": "an answer that the page fetches"}


def read_json(view: PageView, source: DocumentKey, rule: Mapping[str, Any]) -> FactValue:
    """What the rule reads in that document of the page; `None` if there is no such document or value."""
    if source not in view.documents:
        return None
    parsed = FieldRule.model_validate(dict(rule))
    found = find_value(view.documents[source], parsed.path or "")
    return None if found is None or found.value is None else to_fact(found.value, parsed, machine=True)


def _rules(field: str, views: Sequence[PageView], beliefs: Beliefs) -> Iterable[tuple[DocumentKey, dict[str, Any]]]:
    seen: dict[tuple[DocumentKey, str], dict[str, Any]] = {}
    for view, believed in zip(views, beliefs, strict=True):
        belief = believed.get(field)
        if belief is None or not view.shows:
            continue
        for leaf in sorted(view.leaves, key=lambda one: (not one.own, len(one.path))):
            if len(seen) >= _MAX_PATHS:
                break
            prefix = _prefix(field, leaf.value, belief.value)
            if not prefix and not _says(field, leaf.value, belief.value):
                continue
            for expression in expressions(leaf.path, view.identity.token, leaf.main):
                rule: dict[str, Any] = {"path": expression}
                if field in NUMBERS:
                    rule["type"] = "number"
                if prefix:
                    rule["prefix"] = prefix
                seen.setdefault((leaf.source, expression), rule)
    return [(source, rule) for (source, _), rule in seen.items()]


def _says(field: str, value: FactValue, belief: FactValue) -> bool:
    if field in NUMBERS and isinstance(value, str):
        value = to_fact(value, FieldRule.model_validate({"path": "x", "type": "number"}), machine=True)
    return value is not None and agrees(value, belief)


def _prefix(field: str, value: FactValue, belief: FactValue) -> str:
    """The text that makes a picture's path an address."""
    if field != "image" or not (isinstance(value, str) and isinstance(belief, str)) or not value.startswith("/"):
        return ""
    whole, path = belief.partition("?")[0], value.partition("?")[0]
    return whole[: -len(path)] if whole.endswith(path) and whole != path and not path.startswith("//") else ""


def _fact(value: Any) -> FactValue:
    return value if isinstance(value, str | int | float | bool) else None
