"""Results for the tests of the results package."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pagemill.model import Difference, Facts, ItemResult, Verdict

STARTED_AT = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)


def make_result(
    product_id: str = "A1",
    *,
    run: str = "run-1",
    verdict: Verdict = Verdict.OK,
    reason: str = "",
    facts: Facts | None = None,
    differences: tuple[Difference, ...] = (),
    worker: str = "w1",
    final_url: str = "",
) -> ItemResult:
    """A result that is complete; what a test is about is passed in."""
    return ItemResult(
        run=run,
        batch="b00001",
        product_id=product_id,
        url=f"https://www.shop.com/{product_id}",
        platform="shop",
        verdict=verdict,
        reason=reason,
        differences=differences,
        facts=facts if facts is not None else {"name": "셔츠", "price": 12900, "in_stock": True, "image": None},
        attempts=1,
        started_at=STARTED_AT,
        finished_at=STARTED_AT + timedelta(seconds=1.5),
        worker=worker,
        final_url=final_url,
        expected={"name": "셔츠", "price": 12900},
    )
