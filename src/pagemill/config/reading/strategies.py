"""The one table of strategies: what each one reads from, and which keys of a source it uses.

Pure facts. The classes that follow them are `extraction/NAME.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RuleForm = Literal["selector", "path"]
"""How a field's place is written: a CSS selector, or a path into JSON."""


@dataclass(frozen=True, slots=True)
class StrategyFacts:
    """What holds for every source of one strategy.

    `place` is what a bare text means as a field; `None` if the strategy decides. `page` says whether a page is visited,
    `driver` whether that must be a page of Playwright's driver. `keys` are the keys of a source that it uses besides
    `strategy` and `fields`; of `required` at least one must be there.
    """

    place: RuleForm | None
    page: bool
    driver: bool = False
    keys: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()


STRATEGIES: dict[str, StrategyFacts] = {
    "dom": StrategyFacts("selector", page=True, keys=frozenset({"frame"})),
    "jsonld": StrategyFacts("path", page=True),
    "structured": StrategyFacts("path", page=True),
    "state": StrategyFacts(
        "path",
        page=True,
        keys=frozenset({"script", "variable", "document"}),
        required=("script", "variable", "document"),
    ),
    "api_capture": StrategyFacts("path", page=True, keys=frozenset({"match", "within_ms"}), required=("match",)),
    "http": StrategyFacts(
        "path", page=False, keys=frozenset({"url", "method", "headers", "json", "form", "within_ms"})
    ),
    "in_page_fetch": StrategyFacts("selector", page=True, keys=frozenset({"fetch"})),
}

OWN = StrategyFacts(None, page=True, driver=True, keys=frozenset({"options"}))
"""A class of the user's own, named by its dotted path."""

STANDARD_FACTS: dict[str, Literal["text", "number", "boolean"]] = {
    "name": "text",
    "brand": "text",
    "sku": "text",
    "image": "text",
    "price": "number",
    "list_price": "number",
    "currency": "text",
    "in_stock": "boolean",
}
"""The facts that `structured` reads without paths, and their types."""


def strategy_facts(name: str) -> StrategyFacts:
    """The facts about the strategy of that name. A dotted path is a class of the user's own."""
    return STRATEGIES.get(name, OWN)
