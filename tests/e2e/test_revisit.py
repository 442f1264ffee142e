"""Two runs over one catalogue: the second leaves alone what was well a moment ago."""

from __future__ import annotations

import pytest

from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Verdict
from tests.e2e.workplace import Workplace, assert_each_right_once

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def worked_off(place: Workplace, shop: StorefrontProcess, rows: list[CatalogueRow]) -> set[str]:
    """Runs the catalogue once; the ids of the products whose pages were visited."""
    shop.reset()
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        assert worker.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    return {row.product.id for row in rows if shop.hits(row.product.id).visits}


def test_an_unchanged_catalogue_is_hardly_visited_and_a_tag_exactly(place: Workplace, shop: StorefrontProcess) -> None:
    """Only what is well is left alone; a tag's invalidation brings back its products and no others."""
    place.platform("demo-hydrated", revisit={"enabled": True, "tags": ["price"]})
    candidates = list(generate("demo-hydrated", shop.base_url, 120))
    well = [row for row in candidates if row.right_verdict is Verdict.OK]
    unwell = [row for row in candidates if row.right_verdict is not Verdict.OK][:10]
    rows = [*well, *unwell]
    everything = {row.product.id for row in rows}
    always = {row.product.id for row in unwell}

    assert worked_off(place, shop, rows) == everything
    assert worked_off(place, shop, rows) == always
    assert len(always) < len(rows) / 10

    tagged = {row.product.id for row in well if row.product.expected["price"] == 11800}
    assert len(tagged) > 1
    place.run("forget", "--platform", "demo-hydrated", "--tag", "price=11800")
    assert worked_off(place, shop, rows) == always | tagged
    assert worked_off(place, shop, rows) == always
