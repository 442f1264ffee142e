"""Makes a platform's file from the evidence of a few pages: forms beliefs, finds places, and chooses those to trust.

No page is visited here; a `SelectorProbe` asks for elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml

from pagemill.config.platform import Platform
from pagemill.config.product import ProductAddress
from pagemill.drafting.addresses import product_addresses
from pagemill.drafting.beliefs import Beliefs, agrees
from pagemill.drafting.candidates import Candidate, json_candidates, structured_candidates
from pagemill.drafting.element_candidates import SelectorProbe, element_candidates
from pagemill.drafting.evidence import PageEvidence, PageRole
from pagemill.drafting.field_choice import FieldChoice, Sureness, choose_field, with_first
from pagemill.drafting.file_text import FileParts, file_text
from pagemill.drafting.page_beliefs import beliefs_of
from pagemill.drafting.page_view import PageView, views_of
from pagemill.drafting.price_paths import other_price_candidates, price_candidates
from pagemill.drafting.signs import FoundSign, signs_of
from pagemill.drafting.source_order import Placed, sources_of
from pagemill.drafting.stock_choice import FIELD, as_in_stock, choose_stock

FIELDS = ("name", "price", "list_price", "image", "brand", "currency")
ALWAYS = ("name", "price")
"""Fields without which a file is of little use. They are reported even if they were not found."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted and checked file, and how sure each of its fields is."""

    text: str
    platform: Platform
    beliefs: Beliefs
    """The beliefs of each page, in the given order."""
    parts: FileParts
    """What the text was made from; see `by_hand`."""

    @property
    def choices(self) -> Sequence[FieldChoice]:
        """The choice for each field."""
        return self.parts.choices


async def draft_platform(
    name: str,
    pages: Sequence[PageEvidence],
    probe: SelectorProbe,
    *,
    wait_time_ms: str = "3000-4000",
    visitor: Mapping[str, Any] | None = None,
    more_hosts: Sequence[str] = (),
    like: Platform | None = None,
) -> Draft:
    """The platform file that reads these pages.

    Args:
        name: the platform's name.
        pages: at least one with the role `on_sale`.
        probe: finds out what selectors find on the pages, in their order.
        wait_time_ms: the pace to write.
        visitor: the section of that name with which the pages were visited.
        more_hosts: hosts to list besides those of the pages.
        like: an existing platform: only its fields are looked for, and its ids are kept.
    """
    shown = [page for page in pages if page.role is not PageRole.GONE] or list(pages)
    addresses = product_addresses(list(dict.fromkeys(page.url for page in shown)))
    views = views_of(pages, ProductAddress(id=addresses.id) if like is None else like.product)
    beliefs = beliefs_of(views)
    others = other_price_candidates(views)
    labelled = {at for one in others for at, value in enumerate(one.values) if value is not None}
    prices = price_candidates(views, beliefs, labelled)
    choices = []
    for field in FIELDS:
        candidates: list[Candidate] = structured_candidates(field, views)
        candidates += prices[field] if field in prices else json_candidates(field, views, beliefs)
        candidates += await element_candidates(field, views, beliefs, probe)
        if field == "price":
            choice = with_first(choose_field(field, [*others, *candidates], views, beliefs), others)
        else:
            choice = choose_field(field, candidates, views, beliefs)
        if choice.rules or field in ALWAYS:
            choices.append(choice)
    if all(_same(one, "price", "list_price") for one in beliefs):
        choices = [choice for choice in choices if choice.name != "list_price"]
    stock = await choose_stock(views, beliefs, probe)
    choices.append(stock)
    fields = placed(choices)
    if like is not None:
        fields = {name: rules for name, rules in fields.items() if name in like.extract.fields}
    parts = FileParts(
        platform=name,
        hosts=tuple(dict.fromkeys([*(urlsplit(page.url).hostname or "" for page in pages), *more_hosts])),
        pages=len(pages),
        addresses=addresses,
        wait_time_ms=wait_time_ms,
        visitor=visitor or {},
        sources=sources_of(fields),
        choices=tuple(choices),
        signs=_signs(views, stock),
        require=required_of(fields),
        judge_facts=meant_verdicts(choices, fields),
    )
    text = file_text(parts)
    return Draft(text, Platform.model_validate(yaml.safe_load(text)), beliefs, parts)


def placed(choices: Sequence[FieldChoice]) -> dict[str, list[Placed]]:
    """Every field's rules with their sources. Prices come first, because their order matters most."""
    order = {"price": 0, "list_price": 1, FIELD: 2}
    fields: dict[str, list[Placed]] = {}
    for choice in sorted(choices, key=lambda one: order.get(one.name, 3)):
        fields[choice.name] = [(rule.source, rule.rule, rule.why) for rule in choice.rules]
        if choice.name == FIELD:
            fields["in_stock"] = [(rule.source, as_in_stock(dict(rule.rule)), rule.why) for rule in choice.rules]
    return {name: rules for name, rules in fields.items() if rules}


def required_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a page must say: a name, and how the product is sold."""
    return tuple(name for name in ("name", FIELD) if name in fields)


def _same(beliefs: Mapping[str, Any], one: str, other: str) -> bool:
    """Whether both beliefs are equal, or one of them is missing."""
    return one not in beliefs or other not in beliefs or agrees(beliefs[one].value, beliefs[other].value)


def _signs(views: Sequence[PageView], stock: FieldChoice) -> dict[str, tuple[FoundSign, ...]]:
    """The signs of gone products. For the other states, only if no fact tells them."""
    found = {"gone": signs_of(PageRole.GONE, views)}
    for role in (PageRole.SOLD_OUT, PageRole.OFF_SALE):
        told = {value for rule in stock.rules for value in rule.values}
        if role.value not in told:
            found[role.value] = signs_of(role, views)
    return found


def meant_verdicts(choices: Sequence[FieldChoice], fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The verdicts that values of the stock field mean, if that field is read."""
    values = {
        value
        for choice in choices
        if choice.name == FIELD
        for rule in choice.rules
        for value in (*rule.rule.get("map", {}).values(), rule.rule.get("else"))
        if value is not None
    }
    return {state: {FIELD: state} for state in ("off_sale", "sold_out") if FIELD in fields and state in values}


__all__ = ["Draft", "SelectorProbe", "Sureness", "draft_platform"]
