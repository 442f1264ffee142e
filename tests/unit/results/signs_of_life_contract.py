"""What signs of life do, whatever the database: `test_signs_of_life` and `tests/postgres`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pagemill.model import Batch, Product
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.runs import RunState
from pagemill.results.signs_of_life import BrokenOff, SignsOfLife
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result


class SignsOfLifeContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url) as opened:
            opened.create_run("r1", "shop", "c.csv")
            yield opened

    @pytest.fixture
    def signs(self, store: ResultStore) -> SignsOfLife:
        return SignsOfLife(store)

    def test_a_run_that_broke_off_ends_with_what_was_handed_in(self, store: ResultStore, signs: SignsOfLife) -> None:
        """Its products are worked off; then it is incomplete, and it can be cancelled."""
        note(store, NOTHING, "A", "B")
        [seen] = signs.enqueueing()
        assert signs.break_off(seen) == BrokenOff("r1", "shop", 2)
        assert signs.enqueueing() == []
        run = store.run("r1")
        assert (run.state, run.products, run.missing) == (RunState.AT_WORK, 2, 2)
        assert not store.progress("r1").finished
        store.write([make_result("A", run="r1"), make_result("B", run="r1")])
        assert store.run("r1").state is RunState.INCOMPLETE
        progress = store.progress("r1")
        assert (progress.finished, progress.broken_off, progress.sealed) == (True, True, False)
        store.cancel_run("r1")
        assert store.run("r1").state is RunState.CANCELLED

    def test_one_of_which_nothing_was_noted_has_no_products(self, store: ResultStore, signs: SignsOfLife) -> None:
        """Its enqueuer died before its first batch."""
        [seen] = signs.enqueueing()
        assert signs.break_off(seen) == BrokenOff("r1", "shop", 0)
        assert (store.run("r1").state, store.run("r1").products) == (RunState.INCOMPLETE, 0)

    @pytest.mark.parametrize("what", ["sign", "batch", "seal", "cancel", "other"])
    def test_one_that_lives_or_has_ended_by_then_does_not_break_off(
        self, store: ResultStore, signs: SignsOfLife, what: str
    ) -> None:
        """What was seen is no longer so; and of two who look, one tells."""
        [seen] = signs.enqueueing()
        changes: dict[str, Callable[[], object]] = {
            "sign": lambda: signs.give("r1"),
            "batch": lambda: note(store, NOTHING, "A"),
            "seal": lambda: store.seal_run("r1", 0, 0, 0),
            "cancel": lambda: store.cancel_run("r1"),
            "other": lambda: signs.break_off(seen),
        }
        changes[what]()
        assert signs.break_off(seen) is None
        assert store.progress("r1").broken_off == (what == "other")

    @pytest.mark.parametrize("how", ["sign", "batch", "seal"])
    def test_whoever_goes_on_opens_it_again(self, store: ResultStore, signs: SignsOfLife, how: str) -> None:
        """It was only stopped, or another one has taken over."""
        signs.break_off(signs.enqueueing()[0])
        changes: dict[str, Callable[[], object]] = {
            "sign": lambda: signs.give("r1"),
            "batch": lambda: note(store, NOTHING, "A"),
            "seal": lambda: store.seal_run("r1", 5, 1, 0),
        }
        changes[how]()
        run = store.run("r1")
        assert (run.broken_at, run.products) == (None, 5 if how == "seal" else None)
        assert len(signs.enqueueing()) == (how != "seal")

    def test_a_sign_of_a_run_that_is_not_there_yet_changes_nothing(
        self, store: ResultStore, signs: SignsOfLife
    ) -> None:
        """It is given before there is a product."""
        signs.give("r2")
        assert store.run_ids(5) == ["r1"]

    def test_those_that_broke_off_lately_are_listed(self, store: ResultStore, signs: SignsOfLife) -> None:
        """Not when it is long ago, nor when they were cancelled or gone on with."""
        for number in range(2, 6):
            store.create_run(f"r{number}", "auto", "c.csv")
        before = datetime.now(UTC)
        for seen in signs.enqueueing()[:4]:
            signs.break_off(seen)
        store.cancel_run("r2")
        signs.give("r3")
        assert signs.broken_off(before) == [BrokenOff("r1", "shop", 0), BrokenOff("r4", "auto", 0)]
        assert signs.broken_off(datetime.now(UTC) + timedelta(seconds=1)) == []


def note(store: ResultStore, before: Reached, *ids: str) -> None:
    """One batch more of `r1`."""
    products = tuple(Product(each, f"https://shop.test/{each}") for each in ids)
    after = Reached(before.batches + 1, before.products + len(ids), ids[-1])
    assert AskedBatches(store).note([Batch("r1", f"b{after.batches:05}", "shop", products)], before, after)
