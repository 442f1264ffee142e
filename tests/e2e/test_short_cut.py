"""Strategy `in_page_fetch` in a whole run: the same results, and hardly a document loaded."""

from __future__ import annotations

import pytest

from benchmarks.bench import BY_API
from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace, assert_each_right_once

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_a_run_by_the_shops_api_has_the_same_results(place: Workplace, shop: StorefrontProcess) -> None:
    """Every state a product can be in, each with its right verdict; pages are rotated for their few visits alone."""
    place.platform("demo-hydrated", extract=BY_API)
    rows = list(generate("demo-hydrated", shop.base_url, 600))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        assert worker.wait(120) == 0
    results = place.results(run)
    assert_each_right_once(rows, results)
    assert len({result.verdict for result in results}) == 5
    assert len(place.events("Fetch Trusted")) == 1
    assert place.events("Fetch Distrusted") == []
    assert len(place.events("Page Rotation")) < 15
    visits = sum(shop.hits(row.product.id).visits for row in rows)
    assert visits < 600 / 5, "documents are asked for only as samples, and for what is gone or blocked"
    place.assert_nothing_left()


def test_a_served_page_is_fetched_as_a_document(place: Workplace, shop: StorefrontProcess) -> None:
    """Without an API: the document is asked for, and loaded into no page."""
    place.platform("demo-hydrated", extract={"strategy": "in_page_fetch"})
    rows = list(generate("demo-hydrated", shop.base_url, 200, weight="light"))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        assert worker.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    assert len(place.events("Fetch Trusted")) == 1
    assert len(place.events("Page Rotation")) < 10, "200 visits in full would have been 20"
