"""What is kept of what was not told yet, whatever the database: `test_untold` and `tests/postgres`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pagemill.config.platform import Platform
from pagemill.model import Batch, Difference, ItemResult, Product, Verdict
from pagemill.results.asked_batches import AskedBatches, Reached
from pagemill.results.notice_outbox import NoticeOutbox, UntoldRun
from pagemill.results.old_runs import OldRuns
from pagemill.results.run_end import FailureReason, run_end
from pagemill.results.runs import Telling
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from pagemill.results.watched_changes import watching
from tests.unit.results.result_values import make_result

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DEARER = (Difference("price", 12900, 13900),)
SHOP = Platform.model_validate(
    {
        "platform": "shop",
        "hosts": ["www.shop.com"],
        "extract": {"fields": {"name": "h1", "price": {"selector": ".price", "type": "number"}}},
        "watch": {"fields": ["price"], "products": ["W1", "W2", "W3"]},
    }
)


def a_change(product_id: str, run: str = "r1", field: str = "name", verdict: Verdict = Verdict.CHANGED) -> ItemResult:
    """A result that differs in that field."""
    return make_result(product_id, run=run, verdict=verdict, differences=(Difference(field, "old", "new"),))


def the_run(untold: NoticeOutbox) -> UntoldRun:
    """The only one."""
    (found,) = untold.runs(10)
    return found


class NoticeOutboxContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url, is_watched=watching({"shop": SHOP})) as opened:
            yield opened

    @pytest.fixture
    def untold(self, store: ResultStore) -> NoticeOutbox:
        return NoticeOutbox(store)

    def test_a_run_is_known_from_its_beginning_until_it_was_told(
        self, store: ResultStore, untold: NoticeOutbox
    ) -> None:
        """With how it is to be told, and how far it is; to begin it again changes nothing."""
        store.create_run("r1", "shop", "c.csv", telling=Telling("nightly", "Asia/Seoul", {"quiet": True}))
        store.create_run("r1", "shop", "c.csv", may_exist=True)
        run = the_run(untold)
        assert run.telling == Telling("nightly", "Asia/Seoul", {"quiet": True})
        assert (run.is_there, run.sealed, run.is_any_left, run.has_changes) == (True, False, False, False)
        assert run.broken_at is None
        asked = AskedBatches(store)
        asked.note([Batch("r1", "b1", "shop", (Product("A", "u"),))], Reached(), Reached(1, 1, "A"))
        assert the_run(untold).is_any_left
        store.seal_run("r1", products=1, batches=1, skipped=0)
        asked.done("r1", "b1")
        assert (the_run(untold).sealed, the_run(untold).is_any_left) == (True, False)
        untold.settle("r1")
        assert untold.runs(10) == []

    def test_that_a_run_broke_off_is_known_until_it_is_gone_on_with(
        self, store: ResultStore, untold: NoticeOutbox
    ) -> None:
        """Whoever had it in hand gives it back with that; when it breaks off again, nobody knows that yet."""
        store.create_run("r1", "shop", "c.csv")
        signs = SignsOfLife(store)
        signs.break_off(signs.enqueueing()[0])
        broken_at = the_run(untold).broken_at
        assert broken_at is not None
        assert run_end(store, "r1", 0, str).ended_at == broken_at
        untold.claim("r1", "api-1", NOW, MINUTE)
        assert not the_run(untold).is_known_broken
        untold.release("r1", "api-1", told_broken_at=broken_at)
        assert the_run(untold).is_known_broken
        assert untold.claim("r1", "api-2", NOW, MINUTE) == 1
        signs.give("r1")
        assert (the_run(untold).broken_at, the_run(untold).is_known_broken) == (None, False)
        signs.break_off(signs.enqueueing()[0])
        assert not the_run(untold).is_known_broken

    def test_runs_are_read_page_by_page(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """By name, behind the last one."""
        for number in range(5):
            store.create_run(f"r{number}", "shop", "c.csv")
        assert [run.run for run in untold.runs(2, "r1")] == ["r2", "r3"]

    def test_one_of_many_has_a_run_in_hand(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """At the same moment, each on a connection of its own."""
        store.create_run("r1", "shop", "c.csv")
        barrier, tries = threading.Barrier(8), []

        def claim(number: int) -> None:
            barrier.wait(20)
            tries.append(untold.claim("r1", f"api-{number}", NOW, MINUTE))

        threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(tries) == [0] * 7 + [1]

    def test_what_a_dead_process_had_in_hand_is_taken_over(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """After its time, and counted; who gives it back is not counted, and what was told is free for nobody."""
        store.create_run("r1", "shop", "c.csv")
        assert untold.claim("r1", "api-1", NOW, MINUTE) == 1
        assert untold.claim("r1", "api-2", NOW + MINUTE, MINUTE) == 0
        assert untold.claim("r1", "api-2", NOW + MINUTE * 1.1, MINUTE) == 2
        untold.release("r1", "api-1")
        assert untold.claim("r1", "api-3", NOW + MINUTE * 1.2, MINUTE) == 0
        untold.release("r1", "api-2", NOW)
        assert the_run(untold).changes_told_at == NOW
        assert untold.claim("r1", "api-3", NOW + MINUTE * 1.2, MINUTE) == 1
        untold.settle("r1")
        assert untold.claim("r1", "api-1", NOW + MINUTE * 10, MINUTE) == 0

    def test_watched_changes_are_noted_with_their_results(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """Of a watched product every change, of others one of a watched field; a second write notes nothing again."""
        store.create_run("r1", "shop", "c.csv")
        results = [
            a_change("A", field="price"),
            a_change("B"),
            make_result("C", run="r1"),
            make_result("D", run="r1", verdict=Verdict.SOLD_OUT, differences=DEARER),
            make_result("E", run="r1", verdict=Verdict.FAILED, reason="HTTP 500"),
            make_result("W1", run="r1", verdict=Verdict.GONE),
            make_result("W2", run="r1"),
            make_result("W3", run="r1", verdict=Verdict.BLOCKED),
        ]
        assert store.write(results) == 8
        assert the_run(untold).has_changes
        changes = untold.changes("r1", 10)
        assert changes is not None
        assert ([each.product_id for each in changes.first], changes.count) == (["A", "D", "W1"], 3)
        untold.changes_told("r1", changes.notice)
        assert store.write(results) == 0
        assert (untold.changes("r1", 10), the_run(untold).has_changes) == (None, False)

    def test_a_message_that_was_begun_says_the_same_again(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """What has come meanwhile makes the next one; few are shown and all are counted."""
        store.create_run("r1", "shop", "c.csv")
        store.write([a_change(f"A{number}", field="price") for number in range(5)])
        first = untold.changes("r1", 2)
        store.write([a_change("B", field="price")])
        again = untold.changes("r1", 2)
        assert first is not None
        assert again == first
        assert (first.count, len(first.first)) == (5, 2)
        untold.changes_told("r1", first.notice)
        second = untold.changes("r1", 2)
        assert second is not None
        assert ([each.product_id for each in second.first], second.count) == (["B"], 1)
        assert second.notice != first.notice

    def test_nothing_is_noted_of_a_run_that_was_told(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """Nobody would ever ask for it: one that was cancelled has results a moment longer."""
        store.create_run("r1", "shop", "c.csv")
        untold.settle("r1")
        store.write([a_change("A", field="price")])
        assert untold.changes("r1", 10) is None

    def test_what_goes_with_a_run_is_gone(self, store: ResultStore, untold: NoticeOutbox) -> None:
        """When it is pruned."""
        store.create_run("r1", "shop", "c.csv")
        store.write([a_change("A", field="price")])
        OldRuns(store, lambda _seconds: None).remove("r1")
        assert (untold.runs(10), untold.changes("r1", 10)) == ([], None)

    def test_an_end_is_read_in_parts(self, store: ResultStore) -> None:
        """Counts of all, the first changes, and why others failed, the most frequent reason first."""
        store.create_run("r1", "shop", "c.csv")
        failed = [make_result(f"F{n}", run="r1", verdict=Verdict.FAILED, reason=f"HTTP 50{n % 2}") for n in range(5)]
        blocked = make_result("X", run="r1", verdict=Verdict.BLOCKED, reason="HTTP 403")
        gone = make_result("G", run="r1", verdict=Verdict.GONE)
        store.write(
            [a_change(f"C{number}") for number in range(3)] + [gone, blocked, make_result("A", run="r1")] + failed
        )
        store.seal_run("r1", 11, 1, 0)
        end = run_end(store, "r1", 3, lambda reason: reason)
        assert [each.product_id for each in end.changes] == ["C0", "C1", "C2"]
        assert [each.product_id for each in run_end(store, "r1", 9, str).changes] == ["C0", "C1", "C2", "G"]
        assert run_end(store, "r1", 0, str).changes == ()
        assert end.reasons == (
            FailureReason(Verdict.FAILED, "HTTP 500", 3),
            FailureReason(Verdict.FAILED, "HTTP 501", 2),
            FailureReason(Verdict.BLOCKED, "HTTP 403", 1),
        )
        assert end.count((Verdict.GONE, Verdict.CHANGED)) == 4
        assert end.ended_at == end.summary.sealed_at
