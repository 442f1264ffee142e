"""What may be found old and removed, whatever the database: `test_old_runs` and `tests/postgres` both run this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, update

from pagemill.model import Batch, Product
from pagemill.results import schema
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.old_runs import OldRun, OldRuns
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIMIT = NOW - timedelta(days=30)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def add_run(
    store: ResultStore, run: str, queued_days: float, *finished_days: float, products: int | None = None
) -> None:
    """A run that was queued so many days ago, with a result of each of these days; unsealed without `products`."""
    store.create_run(run, "shop", "catalog.csv")
    sealed = {} if products is None else {"products": products, "batches": 1, "skipped": 0}
    times = {"created_at": days_ago(queued_days), "sealed_at": None if products is None else days_ago(queued_days)}
    with store.engine.begin() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id == run).values(**times, **sealed))
    add_results(store, run, *finished_days)


def add_results(store: ResultStore, run: str, *finished_days: float) -> None:
    store.write(
        [
            replace(make_result(f"P{number:05}", run=run), finished_at=days_ago(days))
            for number, days in enumerate(finished_days)
        ]
    )


class OldRunsContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url) as opened:
            yield opened

    def test_a_run_is_as_old_as_its_last_result(self, store: ResultStore) -> None:
        """One that took a month and ended yesterday is not old."""
        add_run(store, "old", 40, 40, 31, products=2)
        add_run(store, "long", 60, 60, 1, products=2)
        add_run(store, "new", 2, 1, products=1)

        assert list(OldRuns(store).before(LIMIT)) == [OldRun("old", "shop", 2, days_ago(31), complete=True)]

    def test_what_is_not_complete_is_told_so(self, store: ResultStore) -> None:
        """Products without a result, a run that was never sealed, and results whose run nobody knows."""
        add_run(store, "a-lacks", 40, 40, products=2)
        add_run(store, "b-unsealed", 40, 40)
        add_run(store, "c-empty", 40)
        add_results(store, "d-unknown", 40, 39)
        add_results(store, "e-unknown-and-new", 40, 3)

        found = list(OldRuns(store).before(LIMIT))

        assert [(each.run, each.results, each.last_at) for each in found] == [
            ("a-lacks", 1, days_ago(40)),
            ("b-unsealed", 1, days_ago(40)),
            ("c-empty", 0, days_ago(40)),
            ("d-unknown", 2, days_ago(39)),
        ]
        assert not any(each.complete for each in found)

    def test_what_is_to_come_is_told(self, store: ResultStore) -> None:
        """A batch that was asked for and is not done, of a run that nobody has cancelled."""
        for run in ("a-asked", "b-done", "c-cancelled", "d-of-0-1"):
            add_run(store, run, 40, products=3)
            if run != "d-of-0-1":
                batch = Batch(run, "b00001", "shop", (Product("P1", "https://www.shop.com/1"),))
                assert AskedBatches(store).note([batch], NOTHING, Reached(1, 1, "P1"))
        AskedBatches(store).done("b-done", "b00001")
        store.cancel_run("c-cancelled")

        found = {each.run: each.outstanding for each in OldRuns(store).before(LIMIT)}

        assert found == {"a-asked": True, "b-done": False, "c-cancelled": False, "d-of-0-1": None}
        OldRuns(store).remove("c-cancelled")
        assert [each.run for each in AskedBatches(store).outstanding("c-cancelled")] == []

    def test_a_removed_run_leaves_its_neighbours_alone(self, store: ResultStore) -> None:
        """Also those whose ids begin alike."""
        for run in ("run", "run-1", "run-10"):
            add_run(store, run, 40, 40, 40, products=2)

        assert OldRuns(store).remove("run-1") == 2
        assert OldRuns(store).remove("run-1") == 0

        assert sorted(each.run for each in store.runs()) == ["run", "run-10"]
        assert sorted({result.run for result in store.read()}) == ["run", "run-10"]

    def test_a_large_run_goes_in_short_steps(self, store: ResultStore) -> None:
        """Each removes a thousand at most, and after each others get as much time as it took."""
        add_run(store, "large", 40, *[40.0] * 2500, products=2500)
        pauses: list[float] = []
        counts: list[int] = []

        def note(_connection: object, cursor: object, statement: str, *_rest: object) -> None:
            if statement.startswith("DELETE FROM results"):
                counts.append(cursor.rowcount)  # type: ignore[attr-defined]

        event.listen(store.engine, "after_cursor_execute", note)

        assert OldRuns(store, pauses.append).remove("large") == 2500

        assert counts == [1000, 1000, 500]
        assert len(pauses) == 3
        assert all(seconds > 0 for seconds in pauses)

    def test_a_removal_that_is_cut_off_is_found_and_ended_later(self, store: ResultStore) -> None:
        """Nobody sees a run that lacks results meanwhile: its entry goes first."""
        add_run(store, "large", 40, *[40.0] * 2500, products=2500)

        def cut_off(_seconds: float) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            OldRuns(store, cut_off).remove("large")

        assert store.runs() == []
        (left,) = OldRuns(store).before(LIMIT)
        assert (left.run, left.platform, left.results) == ("large", "shop", 1500)
        assert OldRuns(store).remove("large") == 1500
        assert list(OldRuns(store).before(LIMIT)) == []

    def test_more_runs_than_a_page_are_found_while_they_are_removed(self, store: ResultStore) -> None:
        """None is passed over because those before it went."""
        for number in range(450):
            add_run(store, f"run-{number:03}", 40)

        old = OldRuns(store)
        for run in old.before(LIMIT):
            old.remove(run.run)

        assert store.runs() == []
