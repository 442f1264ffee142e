"""What a result store does, whatever its database: `test_result_store_sqlite` and `tests/postgres` both run this."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import update

from pagemill.errors import PagemillError, ResultRefused, UsageError
from pagemill.model import Batch, Difference, Priority, Product, ResultOutline, Verdict
from pagemill.results import schema
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.product_history import product_history
from pagemill.results.store import ResultStore
from pagemill.results.writer import ResultWriter
from tests.unit.results.old_database import make_old_database, write_as_before
from tests.unit.results.result_values import STARTED_AT, make_result


class StoreContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url) as opened:
            yield opened

    def test_a_result_comes_back_as_it_was_written(self, store: ResultStore) -> None:
        """Every field survives, times to the microsecond and in UTC."""
        result = make_result(
            verdict=Verdict.CHANGED,
            reason="price 12,900원 → 9,900원",
            differences=(Difference("price", 12900, 9900.5), Difference("name", "a", None)),
            final_url="https://m.shop.com/products/A1?from=한국",
        )

        store.write([result])

        assert list(store.read()) == [result]

    def test_outlines_say_what_results_say(self, store: ResultStore) -> None:
        """Of one run, in the order of its products, over more than one page; without what sums do not need."""
        differences = (Difference("price", 12900, 9900.5), Difference("name", "가", None))
        written = [
            make_result(f"A{number:04}", verdict=Verdict.CHANGED, reason="가", differences=differences[: number % 3])
            for number in range(1100)
        ]
        store.write([*written, make_result("A0000", run="run-2")])

        outlines = list(store.outlines("run-1"))

        assert outlines == [
            ResultOutline(*(getattr(result, name) for name in ResultOutline._fields)) for result in written
        ]

    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_every_verdict_is_kept_counted_and_found(self, store: ResultStore, verdict: Verdict) -> None:
        """Whatever a product can come to, the database has room for it."""
        store.create_run("run-1", "shop", "catalog.csv")

        assert store.write([make_result("A", verdict=verdict)]) == 1

        assert [result.verdict for result in store.read("run-1", verdict)] == [verdict]
        assert store.progress("run-1").by_verdict == {verdict: 1}

    def test_times_are_utc_whatever_zone_they_came_in(self, store: ResultStore) -> None:
        """09:00 in Seoul is midnight UTC."""
        seoul = datetime(2026, 11, 21, 9, 0, tzinfo=timezone(timedelta(hours=9)))

        store.write([replace(make_result(), started_at=seoul, finished_at=seoul)])

        (read,) = store.read()
        assert read.started_at == datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
        assert read.started_at.utcoffset() == timedelta(0)

    def test_a_second_write_of_the_same_item_changes_nothing(self, store: ResultStore) -> None:
        """The first result stays; only new ones are counted."""
        assert store.write([make_result("A"), make_result("B")]) == 2

        again = store.write([make_result("B", verdict=Verdict.FAILED, worker="w2"), make_result("C")])

        assert again == 1
        assert [(result.product_id, result.verdict) for result in store.read()] == [
            ("A", Verdict.OK),
            ("B", Verdict.OK),
            ("C", Verdict.OK),
        ]

    def test_the_same_item_twice_in_one_write_is_one_result(self, store: ResultStore) -> None:
        """A group may hold an item that two workers judged."""
        assert store.write([make_result("A"), make_result("A", worker="w2")]) == 1
        assert len(list(store.read())) == 1

    def test_the_same_product_in_another_run_is_another_result(self, store: ResultStore) -> None:
        """The key is run and product together."""
        assert store.write([make_result("A", run="r1"), make_result("A", run="r2")]) == 2

    def test_writing_nothing_is_allowed(self, store: ResultStore) -> None:
        """An empty group costs nothing."""
        assert store.write([]) == 0

    @pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "x\udfff"])
    def test_text_that_databases_refuse_is_cleaned(self, store: ResultStore, text: str) -> None:
        """NUL and lone surrogates become U+FFFD wherever a page can put them."""
        dirty = replace(
            make_result(reason=text, facts={text: text}, differences=(Difference(text, text, text),)),
            url=f"https://www.shop.com/{text}",
            final_url=f"https://m.shop.com/{text}",
        )

        assert store.write([dirty]) == 1

        (read,) = store.read()
        clean = text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
        assert read.final_url == f"https://m.shop.com/{clean}"
        assert read.reason == clean
        assert read.facts == {clean: clean}
        assert read.differences == (Difference(clean, clean, clean),)

    def test_numbers_that_json_lacks_are_kept_as_text(self, store: ResultStore) -> None:
        """NaN and infinity do not stop the write."""
        store.write([make_result(facts={"a": float("nan"), "b": float("inf"), "c": 1e300})])

        (read,) = store.read()
        assert read.facts == {"a": "nan", "b": "inf", "c": 1e300}

    def test_a_product_id_that_was_cleaned_counts_as_judged(self, store: ResultStore) -> None:
        """A resumed batch recognises it under its own name."""
        store.write([make_result("A\x00")])

        assert store.judged("run-1", ["A\x00", "B"]) == {"A\x00"}

    def test_a_refused_row_is_an_error_that_retrying_does_not_help(self, store: ResultStore) -> None:
        """A time without a zone cannot be stored; the message is not about the database being away."""
        bad = replace(make_result("B"), started_at=STARTED_AT.replace(tzinfo=None))

        with pytest.raises(ResultRefused):
            store.write([make_result("A"), bad])

        assert list(store.read()) == []

    def test_judged_names_only_what_this_run_has(self, store: ResultStore) -> None:
        """Asked for more ids than one query takes."""
        ids = [f"P{number:05d}" for number in range(1200)]
        store.write([make_result(product_id) for product_id in ids[::2]])
        store.write([make_result(ids[1], run="another")])

        assert store.judged("run-1", ids) == set(ids[::2])
        assert store.judged("run-1", []) == set()

    def test_a_run_is_followed_from_its_creation_to_its_end(self, store: ResultStore) -> None:
        """The total is unknown until the run is sealed; it is finished when every product has a result."""
        store.create_run("run-1", "shop", "catalog.csv")
        store.write([make_result("A")])

        before = store.progress("run-1")
        store.seal_run("run-1", products=2, batches=1, skipped=3)
        sealed = store.progress("run-1")
        store.write([make_result("B", verdict=Verdict.GONE)])
        after = store.progress("run-1")

        assert (before.products, before.sealed, before.done, before.finished) == (None, False, 1, False)
        assert (sealed.products, sealed.sealed, sealed.done, sealed.finished) == (2, True, 1, False)
        assert after.finished
        assert after.by_verdict == {Verdict.OK: 1, Verdict.GONE: 1}

    def test_unknown_and_repeated_runs_are_usage_errors(self, store: ResultStore) -> None:
        """The message names the run."""
        store.create_run("run-1", "shop", "catalog.csv")

        with pytest.raises(UsageError, match="run-1"):
            store.create_run("run-1", "shop", "catalog.csv")
        with pytest.raises(UsageError, match="nope"):
            store.progress("nope")
        with pytest.raises(UsageError, match="nope"):
            store.seal_run("nope", 1, 1, 0)

    def test_runs_are_listed_newest_first(self, store: ResultStore) -> None:
        """With their counts and their number of results."""
        assert store.latest_run() is None
        for name in ("r1", "r2", "r3"):
            store.create_run(name, "shop", f"{name}.csv")
        store.seal_run("r2", products=5, batches=2, skipped=1)
        store.write([make_result("A", run="r2"), make_result("B", run="r2")])

        newest = store.runs(limit=2)

        assert store.latest_run() == "r3"
        assert [summary.run for summary in newest] == ["r3", "r2"]
        assert (newest[0].products, newest[0].sealed_at, newest[0].done) == (None, None, 0)
        assert (newest[1].products, newest[1].batches, newest[1].skipped, newest[1].done) == (5, 2, 1, 2)
        assert newest[1].source == "r2.csv"
        assert newest[1].created_at.utcoffset() == timedelta(0)
        assert newest[1].sealed_at is not None

    def test_reading_narrows_by_run_and_verdict(self, store: ResultStore) -> None:
        """Both, one or none of them."""
        store.write(
            [
                make_result("A", run="r1"),
                make_result("B", run="r1", verdict=Verdict.GONE),
                make_result("A", run="r2", verdict=Verdict.GONE),
            ]
        )

        def keys(run: str | None, verdict: Verdict | None) -> list[tuple[str, str]]:
            return [(result.run, result.product_id) for result in store.read(run, verdict)]

        assert keys(None, None) == [("r1", "A"), ("r1", "B"), ("r2", "A")]
        assert keys("r1", None) == [("r1", "A"), ("r1", "B")]
        assert keys(None, Verdict.GONE) == [("r1", "B"), ("r2", "A")]
        assert keys("r1", Verdict.GONE) == [("r1", "B")]
        assert keys("r3", None) == []

    def test_a_products_history_has_the_newest_run_first(self, store: ResultStore) -> None:
        """Of one platform or of all, over more runs than a page; also of runs over several."""
        for number in range(1100):
            store.create_run(f"run-{number:04}", "auto" if number % 2 else "shop", "x.csv")
        with store.engine.begin() as connection:  # half of them at the same moment
            connection.execute(update(schema.runs).where(schema.runs.c.id >= "run-0550").values(created_at=STARTED_AT))
        results = [make_result("A", run=f"run-{number:04}") for number in range(0, 1100, 100)]
        others = [replace(make_result("A", run=f"run-{number:04}"), platform="other") for number in (1, 501, 1099)]
        store.write([*results, *others, make_result("B", run="run-0000")])
        order = [f"run-{number:04}" for number in (501, 500, 400, 300, 200, 100, 1, 0, 1099, 1000, 900, 800, 700, 600)]
        assert [each.run for each in product_history(store, "A")] == order
        assert [each.run for each in product_history(store, "A", "other")] == ["run-0501", "run-0001", "run-1099"]
        assert [each.product_id for each in product_history(store, "B", "shop")] == ["B"]
        assert list(product_history(store, "C")) == []

    def test_a_run_keeps_its_priority_and_its_platforms(self, store: ResultStore) -> None:
        """Of a run over several, those that it has results of, or batches that are not done."""
        for priority in Priority:
            store.create_run(f"run-{priority}", "auto", "x.csv", priority=priority)
        assert {each.run: each.priority for each in store.runs()} == {f"run-{each}": each for each in Priority}
        store.create_run("run-1", "shop", "x.csv")
        store.write([replace(make_result("A", run="run-low"), platform="z")])
        batches = [Batch("run-low", f"b{name}", name, (Product("P1", "https://a.test/"),)) for name in "ab"]
        asked = AskedBatches(store)
        assert asked.note(batches, NOTHING, Reached(2, 2, "P1"))
        assert [each.priority for each in asked.outstanding()] == [Priority.LOW] * 2
        assert [each.priority for each in asked.outstanding("run-low")] == [Priority.LOW] * 2
        store.cancel_run("run-low")
        assert list(asked.outstanding()) == []
        assert store.platforms_of("run-low") == ["a", "b", "z"]
        assert store.platforms_of("run-1") == ["shop"]
        with pytest.raises(UsageError, match="there is no run run-7"):
            store.platforms_of("run-7")

    @pytest.mark.parametrize("count", [499, 500, 501, 1000, 1300])
    def test_reading_crosses_pages_in_one_stable_order(self, store: ResultStore, count: int) -> None:
        """Sorted by the bytes of the id, on every database alike; nothing twice, nothing missed."""
        ids = [f"{'aB한-_'[number % 5]}{number}" for number in range(count)]
        store.write([make_result(product_id) for product_id in ids])

        read = [result.product_id for result in store.read("run-1")]

        assert read == sorted(ids, key=str.encode)

    def test_writing_is_possible_while_somebody_reads(self, store: ResultStore) -> None:
        """A reader that stops in the middle holds no lock."""
        store.write([make_result(f"P{number}") for number in range(600)])
        reader = store.read()
        next(reader)

        assert store.write([make_result("later")]) == 1

    def test_opening_again_keeps_everything(self, store: ResultStore, database_url: str) -> None:
        """The tables are created only if they are missing."""
        store.write([make_result("A")])

        with ResultStore(database_url) as second:
            assert [result.product_id for result in second.read()] == ["A"]

    def test_a_database_of_0_1_keeps_its_rows_and_takes_new_ones(self, database_url: str) -> None:
        """A row from before visits told where they end has no such place; a new one has it, and a new verdict."""
        make_old_database(database_url)
        write_as_before(database_url, "A")
        new = make_result("B", verdict=Verdict.OFF_SALE, final_url="https://www.shop.com/")

        for _ in range(2):  # the second time there is nothing to add
            with ResultStore(database_url) as store:
                store.write([new])

                old, read = store.read("run-1")
                assert (old.product_id, old.url, old.final_url) == ("A", "https://www.shop.com/old", "")
                assert (old.facts, old.started_at) == ({"price": 12900}, STARTED_AT)
                assert read == new

    def test_a_worker_of_0_1_may_go_on_beside_newer_ones(self, database_url: str) -> None:
        """It knows nothing of the new column, and its rows can be read all the same."""
        make_old_database(database_url)
        with ResultStore(database_url) as store:
            write_as_before(database_url, "A")

            assert [(result.product_id, result.final_url) for result in store.read()] == [("A", "")]

    @pytest.mark.parametrize("before", ["nothing", "0.1"])
    def test_many_threads_opening_at_once_all_succeed(self, database_url: str, before: str) -> None:
        """Creating and upgrading the tables is one step, whoever comes first."""
        if before == "0.1":
            make_old_database(database_url)
        failures: list[BaseException] = []
        start = threading.Barrier(6)

        def open_one() -> None:
            start.wait(5)
            try:
                with ResultStore(database_url) as opened:
                    list(opened.read())
            except BaseException as error:
                failures.append(error)

        in_parallel([open_one] * 6)

        assert failures == []

    def test_a_store_is_used_from_several_threads(self, store: ResultStore) -> None:
        """Four threads write overlapping results; each item is counted as new once."""
        new: list[int] = []

        def write_some() -> None:
            new.append(
                sum(store.write([make_result(f"P{number + step}") for step in range(5)]) for number in range(0, 50, 5))
            )

        in_parallel([write_some] * 4)

        assert sum(new) == 50
        assert len(list(store.read())) == 50

    def test_a_closed_store_says_so(self, database_url: str) -> None:
        """Using it is a mistake of ours, not an outage."""
        store = ResultStore(database_url)
        store.open()
        store.close()
        store.close()

        with pytest.raises(PagemillError, match="not open"):
            store.latest_run()

    def test_a_writer_gets_everything_in_though_one_result_is_refused(self, store: ResultStore) -> None:
        """The culprit is kept as a bare verdict if it can be, and holds nobody up."""
        writer = ResultWriter(store, group_size=10, group_delay_ms=10)
        bad = make_result("B", facts={"deep": 10**5000})

        for result in (make_result("A"), bad, make_result("C")):
            writer.put(result)
        writer.flush(10)
        writer.close(5)

        read = {result.product_id: result for result in store.read()}
        assert set(read) == {"A", "B", "C"}
        assert read["B"].verdict is Verdict.FAILED
        assert "cannot be stored" in read["B"].reason


def in_parallel(targets: list[Callable[[], None]]) -> None:
    """Runs all of them in threads of their own and waits for their end."""
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
