"""The six shipped platform files, pointed at the practice forms of their shops: every variant has its right verdict."""

from __future__ import annotations

import pytest

from pagemill.demo.shops.addresses import SHOPS, shop_url
from pagemill.demo.shops.catalogue import generate_shop, write_shop_csv
from pagemill.demo.shops.local import write_local_config
from pagemill.demo.shops.variants import VARIANTS
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import REPOSITORY, Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]


def test_every_variant_of_every_shop_is_right(place: Workplace) -> None:
    """Verdict and facts, by YAML alone, one worker for all of them; no attempt lasts longer than its sources'
    limits."""
    place.settings()
    settings = (place.config / "pagemill.yaml").read_text()
    with StorefrontProcess(shops=True) as server:
        write_local_config(REPOSITORY / "config", place.config, server.port)
        (place.config / "pagemill.yaml").write_text(settings)
        rows, runs = {}, {}
        for shop in SHOPS:
            rows[shop] = list(generate_shop(shop, shop_url(shop, server.port), len(VARIANTS[shop]) + 2))
            assert {row.truth.variant.name for row in rows[shop]} >= {variant.name for variant in VARIANTS[shop]}
            file = place.folder / f"{shop}.csv"
            write_shop_csv(file, rows[shop])
            queued = place.run("enqueue", str(file), "--platform", shop)
            runs[shop] = queued.stdout.split()[1].rstrip(":,")
        worker = place.run("worker", "--burst", timeout_s=170)
        assert worker.returncode == 0
    for shop in SHOPS:
        results = {result.product_id: result for result in place.results(runs[shop])}
        assert results.keys() == {row.product.id for row in rows[shop]}
        for row in rows[shop]:
            result = results[row.product.id]
            assert row.mistakes(result.verdict, result.facts) == (), (row.product.url, result.reason)
            seconds = (result.finished_at - result.started_at).total_seconds()
            assert seconds < 7 * result.attempts, (row.product.url, seconds)
