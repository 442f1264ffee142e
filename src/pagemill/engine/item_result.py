"""The result of one product, put together from what is known of it. Decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from pagemill.model import Batch, Facts, ItemResult, Judgement, Product


def item_result(
    batch: Batch,
    product: Product,
    judgement: Judgement,
    facts: Facts,
    worker: str,
    *,
    attempts: int = 0,
    started_at: datetime | None = None,
) -> ItemResult:
    """A result that is finished now; without a visit it was begun now as well."""
    finished_at = datetime.now(UTC)
    return ItemResult(
        run=batch.run,
        batch=batch.id,
        product_id=product.id,
        url=product.url,
        platform=batch.platform,
        verdict=judgement.verdict,
        reason=judgement.reason,
        differences=judgement.differences,
        facts=facts,
        attempts=attempts,
        started_at=started_at or finished_at,
        finished_at=finished_at,
        worker=worker,
    )
