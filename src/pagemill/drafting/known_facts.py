"""Compares what was known of a product with its page now, because prices and names change. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from pagemill.drafting.choose import FIELDS
from pagemill.drafting.evidence import PageEvidence, PageRole
from pagemill.drafting.known_products import KnownProduct
from pagemill.extraction.values import collapse
from pagemill.model import FactValue

_STOCK = frozenset({"status", "in_stock"})
"""Fields that are known by the page's role, and not by a value in it."""
DRAFTED = frozenset(FIELDS) | _STOCK
"""Fields that a draft looks for."""
_GONE = frozenset({404, 410})


def still_there(page: PageEvidence) -> bool:
    """Whether the page is still of use: not if it was a product's page and is gone now."""
    return page.role is PageRole.GONE or page.status not in _GONE


def still_expected(page: PageEvidence, facts: Mapping[str, FactValue]) -> dict[str, FactValue]:
    """Those former facts that the page still says somewhere, in any spelling."""
    if page.role is PageRole.GONE:
        return {}
    said = _everything(page)
    looked_for = {name: value for name, value in facts.items() if name in DRAFTED - _STOCK}
    return {name: value for name, value in looked_for.items() if _is_said(value, said)}


def as_it_is(page: PageEvidence, known: KnownProduct) -> PageEvidence:
    """The page with what is expected of it. If it was known as gone but shows its name, its state before counts."""
    if known.before is not None and page.status not in _GONE:
        was = replace(page, role=known.before.role)
        expected = still_expected(was, known.before.facts)
        if "name" in expected:
            return replace(was, expected=expected)
    return replace(page, expected=still_expected(page, known.facts))


def _everything(page: PageEvidence) -> str:
    documents = [page.structured, *(one.document for one in page.states), *(one.document for one in page.answers)]
    parts = [page.title, page.text, *(json.dumps(one, ensure_ascii=False, default=str) for one in documents)]
    for element in page.elements:
        parts += [element.text, *element.attributes.values()]
    return collapse(" ".join(parts)).casefold()


def _is_said(value: FactValue, said: str) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, str):
        wanted = collapse(value).partition("?")[0] if value.startswith(("http", "/")) else collapse(value)
        escaped = json.dumps(wanted, ensure_ascii=False)[1:-1]
        return wanted.casefold() in said or escaped.casefold() in said
    plain, grouped = f"{value:.2f}", f"{value:,.2f}"
    other_way = grouped.translate(str.maketrans(",.", ".,"))
    written = (plain, grouped, other_way)
    forms = {short for form in written for short in (form, form[:-1], form[:-3]) if _same(short, form)}
    return any(re.search(rf"(?<![\d.,]){re.escape(form)}(?![.,]?\d)", said) for form in forms)


def _same(short: str, form: str) -> bool:
    """Whether the texts differ only in the zeros of the cents."""
    return not form[len(short) :].strip("0.,")
