"""What the lists of runs and of a product's results do, whatever the database: `test_run_list` and `tests/postgres`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pagemill.errors import UsageError
from pagemill.model import Batch, Product, Verdict
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.old_runs import OldRuns
from pagemill.results.product_history import history_page
from pagemill.results.request_keys import KEPT, Claim, RequestKeys
from pagemill.results.runs import RunState
from pagemill.results.selection import Selection
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
PRODUCT = Product("P1", "https://a.test/")


class RunListContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url) as opened:
            yield opened

    def test_a_run_is_told_with_its_verdicts_and_its_state(self, store: ResultStore) -> None:
        """From the first batch to the last result, and cancelled."""
        store.create_run("r1", "shop", "c.csv")
        assert (store.run("r1").state, store.run("r1").missing) == (RunState.QUEUEING, None)
        store.seal_run("r1", products=3, batches=1, skipped=2)
        store.write([make_result("A", run="r1"), make_result("B", run="r1", verdict=Verdict.GONE)])
        run = store.run("r1")
        assert (run.state, run.done, run.missing, run.skipped) == (RunState.AT_WORK, 2, 1, 2)
        assert run.by_verdict == {Verdict.OK: 1, Verdict.GONE: 1}
        store.write([make_result("C", run="r1")])
        assert (store.run("r1").state, store.run("r1").missing) == (RunState.COMPLETE, 0)
        store.cancel_run("r1")
        assert store.run("r1").state is RunState.CANCELLED
        with pytest.raises(UsageError, match="there is no run r2"):
            store.run("r2")

    def test_the_list_of_runs_goes_on_where_a_page_ended(self, store: ResultStore) -> None:
        """Of one platform as well; runs of the same moment are not lost between two pages."""
        for number in range(7):
            store.create_run(f"r{number}", "shop" if number % 2 else "other", "c.csv")
        seen: list[str] = []
        while page := store.runs(3, before=seen[-1] if seen else ""):
            seen += [run.run for run in page]
        assert seen == [f"r{number}" for number in reversed(range(7))]
        assert [run.run for run in store.runs(2, before="r5", platform="shop")] == ["r3", "r1"]
        assert store.run_ids(2, before="r2") == ["r1", "r0"]
        with pytest.raises(UsageError, match="there is no run r9"):
            store.runs(3, before="r9")

    def test_a_run_over_several_platforms_is_one_of_each(self, store: ResultStore) -> None:
        """From its first batch on, and when all are done."""
        for run in ("r1", "r2"):
            store.create_run(run, "auto", "c.csv")
        store.create_run("r3", "shop", "c.csv")
        asked, reached = AskedBatches(store), Reached(1, 1, "P1")
        assert asked.note([Batch("r1", "b1", "shop", (PRODUCT,))], NOTHING, reached)
        assert asked.note([Batch("r1", "b2", "other", (PRODUCT,))], reached, Reached(2, 2, "P1"))
        assert asked.note([Batch("r2", "b1", "other", (PRODUCT,))], NOTHING, reached)
        asked.done("r1", "b1")
        assert [run.run for run in store.runs(platform="shop")] == ["r3", "r1"]
        assert [run.run for run in store.runs(platform="other")] == ["r2", "r1"]
        assert [run.run for run in store.runs(platform="auto")] == ["r2", "r1"]
        assert [run.run for run in store.runs(1, before="r3", platform="shop")] == ["r1"]
        OldRuns(store).remove("r1")
        store.create_run("r1", "auto", "c.csv")
        assert [run.run for run in store.runs(platform="other")] == ["r2"]

    def test_results_are_selected_by_all_their_marks(self, store: ResultStore) -> None:
        """Page by page, and as a stream from any place on."""
        verdicts = [Verdict.OK, Verdict.CHANGED, Verdict.FAILED]
        store.write(
            [make_result(f"P{number:04}", run="r1", verdict=verdicts[number % 3]) for number in range(1200)]
            + [make_result("P0001", run="r2", verdict=Verdict.CHANGED)]
        )
        chosen = Selection("r1", (Verdict.CHANGED, Verdict.FAILED))
        assert [each.product_id for each in store.page(chosen, 3)] == ["P0001", "P0002", "P0004"]
        assert [each.product_id for each in store.page(chosen, 2, ("r1", "P0002"))] == ["P0004", "P0005"]
        assert len(list(store.stream(chosen))) == 800
        assert len(list(store.stream(chosen, ("r1", "P0599")))) == 400
        assert [each.run for each in store.stream(Selection(product_id="P0001"))] == ["r1", "r2"]
        assert list(store.stream(Selection("r1", platform="other"))) == []
        assert len(list(store.stream(Selection(platform="shop")))) == 1201

    def test_a_products_history_goes_from_run_to_run(self, store: ResultStore) -> None:
        """The newest first, past runs that have nothing of it, with a place to go on at wherever it ends early."""
        for number in range(450):
            store.create_run(f"r{number:03}", "shop", "c.csv")
        store.write([make_result("A1", run=f"r{number:03}") for number in (1, 230, 231, 449)])
        store.write([make_result("A2", run=f"r{number:03}") for number in range(450)])
        found = history_page(store, "A1", "shop")
        assert [each.run for each in found.results] == ["r449", "r231", "r230", "r001"]
        assert found.next_before == ""
        first = history_page(store, "A1", "shop", limit=2)
        assert ([each.run for each in first.results], first.next_before) == (["r449", "r231"], "r231")
        rest = history_page(store, "A1", "shop", before=first.next_before)
        assert [each.run for each in rest.results] == ["r230", "r001"]
        cut = history_page(store, "A1", "shop", most_runs=200)
        assert ([each.run for each in cut.results], cut.next_before) == (["r449"], "r250")
        assert history_page(store, "A1", "other").results == ()
        assert history_page(store, "nobody", "shop").results == ()

    def test_a_key_stands_for_its_first_request(self, store: ResultStore) -> None:
        """For a day, or until it is given back."""
        keys = RequestKeys(store)
        first, second = Claim("r1", "a"), Claim("r2", "b")
        assert keys.claim("nightly", first, NOW) == first
        assert keys.claim("nightly", second, NOW + timedelta(hours=23)) == first
        assert keys.claim("other", second, NOW) == second
        assert keys.claim("nightly", second, NOW + KEPT + timedelta(seconds=1)) == second
        keys.release("nightly", "r1")
        assert keys.claim("nightly", first, NOW + KEPT + timedelta(seconds=2)) == second
        keys.release("nightly", "r2")
        assert keys.claim("nightly", first, NOW + KEPT + timedelta(seconds=3)) == first
