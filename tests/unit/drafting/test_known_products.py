"""Which products a file that no longer fits is looked at with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pagemill.drafting.known_products import known_products
from pagemill.model import Batch, Facts, ItemResult, Product, Verdict
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result

FACTS: Facts = {"name": "Cup", "price": 700, "list_price": 900}


def _chosen(tmp_path: Path, *runs: Sequence[ItemResult]) -> list[str]:
    with ResultStore(f"sqlite:///{tmp_path}/results.db") as store:
        for number, results in enumerate(runs):
            store.create_run(f"r{number}", "shop", "c.csv")
            store.write(list(results))
        return [product.product_id for product in known_products(store, "shop")]


def test_what_fails_otherwise_is_of_another_form(tmp_path: Path) -> None:
    """Alike in all that was known of them; one of ten fails for another reason, and is among the few that are visited.
    What a reason says of the product itself makes no form."""
    good = [make_result(f"P{at}", run="r0", facts=FACTS) for at in range(10)]
    reasons = {at: f'required and not said: name ("Cup {at}" is not understood)' for at in range(9)}
    reasons[9] = "timeout: content did not appear"
    bad = [
        make_result(f"P{at}", run="r1", verdict=Verdict.FAILED, facts={}, reason=reason)
        for at, reason in reasons.items()
    ]
    chosen = _chosen(tmp_path, good, bad)
    assert len(chosen) == 4
    assert "P9" in chosen


def test_products_of_runs_over_several_platforms_are_known(tmp_path: Path) -> None:
    """A shop whose catalogue is only ever queued among others'."""
    with ResultStore(f"sqlite:///{tmp_path}/results.db") as store:
        store.create_run("r1", "auto", "c.csv")
        product = Product("P1", "https://shop.test/1")
        AskedBatches(store).note([Batch("r1", "b1", "shop", (product,))], NOTHING, Reached(1, 1, "P1"))
        store.write([make_result("P1", run="r1", facts=FACTS)])
        assert [product.product_id for product in known_products(store, "shop")] == ["P1"]
        assert known_products(store, "other") == []
