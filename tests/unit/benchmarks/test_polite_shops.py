"""The shops of the benchmark at a polite pace: real requests to a process of its own."""

from __future__ import annotations

import time
import urllib.request

from benchmarks.polite_shops import Street, catalogue


def test_each_shop_has_an_address_and_products_of_its_own_and_notes_when_they_are_asked_for() -> None:
    """The first time counts, until it has been told; data, scripts and photos do not."""
    with Street(2) as street:
        rows = [catalogue(url, number, 3) for number, url in enumerate(street.base_urls)]
        assert len({url.rpartition(":")[0] for url in street.base_urls}) == 2
        assert len({row.product.id for of_shop in rows for row in of_shop}) == 6
        visited = [rows[0][0].product, rows[1][2].product]
        before = time.time()
        for product in visited:
            for _ in range(2):
                with urllib.request.urlopen(product.url, timeout=10) as answer:
                    assert answer.status == 200
        arrivals = street.take_arrivals()
        assert list(arrivals) == [product.id for product in visited]
        assert before <= arrivals[visited[0].id] <= arrivals[visited[1].id] <= time.time()
        assert street.take_arrivals() == {}
