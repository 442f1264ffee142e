"""Chooses products with a known good result, as different as possible, to show what is right.

Only reads the results store. A result is good if something was read: not `failed`, not `blocked`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from pagemill.drafting.evidence import PageRole
from pagemill.model import Facts, FactValue, ItemResult, Verdict
from pagemill.results.selection import Selection
from pagemill.results.store import ResultStore

_ROLES = {
    Verdict.OK: PageRole.ON_SALE,
    Verdict.CHANGED: PageRole.ON_SALE,
    Verdict.SOLD_OUT: PageRole.SOLD_OUT,
    Verdict.OFF_SALE: PageRole.OFF_SALE,
    Verdict.GONE: PageRole.GONE,
}
_WANTED = {PageRole.ON_SALE: 4, PageRole.SOLD_OUT: 2, PageRole.OFF_SALE: 1, PageRole.GONE: 3}
"""How many products of each role are visited, if there are so many."""
_PARTICULARS = re.compile(r'"[^"]*"|\d+|https?://\S+')
_MOST_RUNS = 20
_MOST_RESULTS = 2000
"""Results of each run that are looked at: enough to include all kinds of products that are not very rare."""


@dataclass(frozen=True, slots=True)
class KnownProduct:
    """A product, and its state and facts when it was last read well."""

    role: PageRole
    product_id: str
    url: str
    facts: Facts
    reason: str
    """Why it was judged so; this tells the ways of being gone apart."""
    known_at: datetime
    failure: str | None = None
    """Why it fails now, without the parts of the reason that are only its own; `None` if it does not fail."""
    before: KnownProduct | None = None
    """For a gone product, its state before. A file that no longer fits may take all products for gone."""


def known_products(store: ResultStore, platform: str) -> list[KnownProduct]:
    """The products to visit, by role. Failing ones come first, and one of each form of facts before a second one.

    Raises:
        DatabaseUnavailable: a retry may help.
    """
    failing: dict[str, str] = {}
    found: dict[str, KnownProduct] = {}
    for number, run in enumerate(store.runs(_MOST_RUNS, platform=platform)):
        if number == 0:
            failed = _results(store, run.run, platform, (Verdict.FAILED,))
            failing = {result.product_id: _PARTICULARS.sub("", result.reason) for result in failed}
        for result in _results(store, run.run, platform, tuple(_ROLES)):
            known = _known(result, failing.get(result.product_id))
            newer = found.setdefault(result.product_id, known)
            if newer.role is PageRole.GONE and newer.before is None and known.role is not PageRole.GONE:
                found[result.product_id] = replace(newer, before=known)
    return list(_chosen(found.values()))


def _results(store: ResultStore, run: str, platform: str, verdicts: tuple[Verdict, ...]) -> Iterator[ItemResult]:
    return islice(store.stream(Selection(run, verdicts, platform)), _MOST_RESULTS)


def _known(result: ItemResult, failure: str | None) -> KnownProduct:
    return KnownProduct(
        role=_ROLES[result.verdict],
        product_id=result.product_id,
        url=result.url,
        facts=dict(result.facts),
        reason=result.reason,
        known_at=result.finished_at,
        failure=failure,
    )


def _chosen(products: Iterable[KnownProduct]) -> Iterator[KnownProduct]:
    """As many products of every role as are wanted: failing ones, then one that does not fail, so that what still works
    is seen. Last come those that had that role before they were called gone."""
    by_role: dict[PageRole, list[KnownProduct]] = {role: [] for role in _WANTED}
    for product in products:
        by_role[product.role].append(product)
        if product.before is not None:
            by_role[product.before.role].append(product)
    taken: set[str] = set()
    for role, wanted in _WANTED.items():
        there = [product for product in by_role[role] if product.product_id not in taken]
        sure = [product for product in there if product.before is None]
        failing = _spread([product for product in sure if product.failure is not None])
        working = _spread([product for product in sure if product.failure is None])
        spared = working[:1] if wanted > 1 and failing else []
        others = [*failing, *working[len(spared) :], *_spread([one for one in there if one.before is not None])]
        chosen = [*others[: wanted - len(spared)], *spared]
        taken |= {product.product_id for product in chosen}
        yield from chosen


def _spread(products: list[KnownProduct]) -> list[KnownProduct]:
    """The same products, one of each form before the second of any form."""
    rounds: dict[tuple[object, ...], int] = {}
    placed = []
    for product in products:
        facts = product.facts if product.before is None else product.before.facts
        form = _form(facts) if facts else (product.reason,)
        form = (*form, product.failure)
        rounds[form] = rounds.get(form, -1) + 1
        placed.append((rounds[form], product))
    return [product for _round, product in sorted(placed, key=lambda one: one[0])]


def _form(facts: Facts) -> tuple[object, ...]:
    """What products that are read alike have in common: which facts there are, and whether the prices differ."""
    said = tuple(sorted(name for name, value in facts.items() if value is not None))
    return said, _is_lower(facts.get("price"), facts.get("list_price"))


def _is_lower(price: FactValue, list_price: FactValue) -> bool:
    both = isinstance(price, int | float) and isinstance(list_price, int | float)
    return both and price < list_price  # type: ignore[operator]
