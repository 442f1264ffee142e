"""A result put together from what is known of a product."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pagemill.engine.item_result import MAX_FINAL_URL_CHARS, item_result
from pagemill.model import Batch, ItemResult, Judgement, Product, Verdict

PRODUCT = Product("p1", "https://www.shop.com/p/1")
BATCH = Batch("run-1", "b00001", "shop", (PRODUCT,))


def made(final_url: str) -> ItemResult:
    """Of a visit that ended there."""
    return item_result(BATCH, PRODUCT, Judgement(Verdict.OFF_SALE, "for members only"), {}, "w1", final_url=final_url)


def test_a_result_tells_the_catalogues_address_and_where_the_visit_ended() -> None:
    """The one does not take the place of the other."""
    result = made("https://m.shop.com/p/1")
    assert (result.url, result.final_url) == ("https://www.shop.com/p/1", "https://m.shop.com/p/1")
    assert (result.verdict, result.reason) == (Verdict.OFF_SALE, "for members only")


def test_without_a_visit_there_is_no_place_where_it_ended() -> None:
    """And it was begun when it was finished."""
    before = datetime.now(UTC)
    result = item_result(BATCH, PRODUCT, Judgement(Verdict.FAILED, "no browser"), {}, "w1")
    assert (result.final_url, result.attempts) == ("", 0)
    assert before <= result.started_at == result.finished_at


@pytest.mark.parametrize("chars", [MAX_FINAL_URL_CHARS, MAX_FINAL_URL_CHARS + 1, 2_000_000])
def test_an_endless_address_is_cut(chars: int) -> None:
    """A page can give itself one of megabytes, and results hold one for each product."""
    result = made("https://www.shop.com/".ljust(chars, "x"))
    assert len(result.final_url) == MAX_FINAL_URL_CHARS
    assert result.final_url.startswith("https://www.shop.com/")
