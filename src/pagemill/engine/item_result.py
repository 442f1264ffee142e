"""Puts the result of one product together. Decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from pagemill.model import Batch, Facts, ItemResult, Judgement, Product

MAX_FINAL_URL_CHARS = 8_000
"""As many as a catalogue's URL may have. A redirect or a script can make a URL of megabytes."""


def item_result(
    batch: Batch,
    product: Product,
    judgement: Judgement,
    facts: Facts,
    worker: str,
    *,
    attempts: int = 0,
    started_at: datetime | None = None,
    final_url: str = "",
) -> ItemResult:
    """A result that is finished now. Without a visit it also began now.

    `final_url` is where the visit ended; it is cut after `MAX_FINAL_URL_CHARS`.
    """
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
        final_url=final_url[:MAX_FINAL_URL_CHARS],
        expected=product.expected,
    )
