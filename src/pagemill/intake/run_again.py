"""The products of an older run that are checked again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pagemill.model import Product, Verdict
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore

WORTH_IT = (Verdict.FAILED, Verdict.BLOCKED)
"""Verdicts that say nothing about a product, so that another visit is worth it."""


def wanted_again(verdicts: Collection[Verdict] | None, missing: bool | None) -> tuple[tuple[Verdict, ...], bool]:
    """The wanted verdicts, and whether products without a result are wanted, if either may be left out.

    With neither given, it is everything that has no answer yet. With only one given, only that is wanted.
    """
    if verdicts is not None:
        return tuple(verdicts), bool(missing)
    return ((), True) if missing else (WORTH_IT, missing is None)


def products_again(
    run: str, store: ResultStore, verdicts: Collection[Verdict] = WORTH_IT, missing: bool = True
) -> Iterator[Product]:
    """Streams the products, each with its platform and the values that the catalogue expected.

    Args:
        run: the older run.
        store: open.
        verdicts: products with these verdicts are wanted; repeated verdicts count once.
        missing: whether products without a result are wanted, too, of a cancelled or unfinished run.
    """
    for verdict in dict.fromkeys(verdicts):
        for result in store.read(run, verdict):
            yield Product(result.product_id, result.url, result.expected, result.platform)
    if not missing:
        return
    asked = AskedBatches(store)
    for outstanding in asked.outstanding(run):
        if (batch := asked.batch(run, outstanding.batch)) is not None:
            known = store.judged(run, [product.id for product in batch.products])
            left = (product for product in batch.products if product.id not in known)
            yield from (replace(product, platform=batch.platform) for product in left)
