"""Values that tests of reports share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pagemill.model import Difference, ItemResult, Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_result(
    product_id: str,
    *,
    took_s: float = 1.0,
    attempts: int = 1,
    verdict: Verdict = Verdict.OK,
    reason: str = "",
    differences: tuple[Difference, ...] = (),
    ended_at: datetime = NOW,
    run: str = "r1",
) -> ItemResult:
    """One result."""
    return ItemResult(
        run=run,
        batch="b1",
        product_id=product_id,
        url=f"https://www.musinsa.com/products/{product_id}",
        platform="musinsa",
        verdict=verdict,
        reason=reason,
        differences=differences,
        facts={},
        attempts=attempts,
        started_at=ended_at - timedelta(seconds=took_s),
        finished_at=ended_at,
        worker="w1",
    )
