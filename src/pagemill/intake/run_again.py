"""The products of a run that are to be checked again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pagemill.model import Product, Verdict
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore

WORTH_IT = (Verdict.FAILED, Verdict.BLOCKED)
"""Verdicts that say nothing of a product."""


def wanted_again(verdicts: Collection[Verdict] | None, missing: bool | None) -> tuple[tuple[Verdict, ...], bool]:
    """Which verdicts are meant, and whether products without a result are, where only one of the two may be named.

    With neither it is all that was not found out; each alone is that alone.
    """
    if verdicts is not None:
        return tuple(verdicts), bool(missing)
    return ((), True) if missing else (WORTH_IT, missing is None)


def products_again(
    run: str, store: ResultStore, verdicts: Collection[Verdict] = WORTH_IT, missing: bool = True
) -> Iterator[Product]:
    """Streams them, each with its platform and what the catalogue expected.

    Args:
        run: an older one.
        store: open.
        verdicts: those whose products are wanted; one that is named twice counts once.
        missing: whether those are that have no result, of a run that was cancelled or goes on.
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
