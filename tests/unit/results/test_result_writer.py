"""The writer in front of a store: groups, outages, refusals, flush and close."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from pagemill.errors import DatabaseUnavailable, DeadlineExceeded, PagemillError, ResultRefused
from pagemill.model import ItemResult, Verdict
from pagemill.results.database import LOCK_TIMEOUT_S
from pagemill.results.store import ResultStore
from pagemill.results.writer import ResultWriter
from pagemill.telemetry import events
from tests.unit.results.result_values import make_result


class RecordingStore(ResultStore):
    """Keeps the groups it is given; `fault` raises what a database would."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.groups: list[list[str]] = []
        self.results: list[ItemResult] = []
        self.calls = 0
        self.called = threading.Event()
        self.away = False
        self.failures = threading.Semaphore(0)
        self.refused: frozenset[str] = frozenset()
        self.gate = threading.Event()
        self.gate.set()

    def write(self, results: Sequence[ItemResult]) -> int:
        self.calls += 1
        self.called.set()
        assert self.gate.wait(10)
        if self.away:
            self.failures.release()
            raise DatabaseUnavailable("database is locked")
        if any(result.product_id in self.refused and result.facts for result in results):
            raise ResultRefused("not this one")
        self.groups.append([result.product_id for result in results])
        self.results.extend(results)
        return len(results)


class WatchedStore(ResultStore):
    """`failed` is set when the database could not be used."""

    def __init__(self, url: str, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        super().__init__(url, lock_timeout_s=lock_timeout_s)
        self.failed = threading.Event()

    def write(self, results: Sequence[ItemResult]) -> int:
        try:
            return super().write(results)
        except DatabaseUnavailable:
            self.failed.set()
            raise


@pytest.fixture
def store() -> RecordingStore:
    return RecordingStore()


@pytest.fixture
def log() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def lines_of(log: list[Any], event_name: str) -> list[Any]:
    return [line for line in log if line["event"] == event_name]


def test_results_are_written_in_groups_and_in_order(store: RecordingStore) -> None:
    """A full group goes at once, the rest with the flush."""
    writer = ResultWriter(store, group_size=2, group_delay_ms=500)
    store.gate.clear()

    for name in "ABCDE":
        writer.put(make_result(name))
    store.gate.set()
    writer.flush(5)
    writer.close(5)

    assert store.groups == [["A", "B"], ["C", "D"], ["E"]]


def test_a_lone_result_waits_for_the_delay_and_no_longer(store: RecordingStore) -> None:
    """Without a flush and without company it is committed within half a second."""
    writer = ResultWriter(store, group_size=50, group_delay_ms=100)
    begun = time.monotonic()

    writer.put(make_result("A"))
    assert store.called.wait(5)
    waited_s = time.monotonic() - begun

    assert 0.09 <= waited_s < 0.5
    writer.close(5)


def test_a_flush_does_not_wait_for_company(store: RecordingStore) -> None:
    """What waits is written at once, long before its delay is over."""
    writer = ResultWriter(store, group_size=50, group_delay_ms=60_000)
    writer.put(make_result("A"))

    begun = time.monotonic()
    writer.flush(5)

    assert time.monotonic() - begun < 2
    assert store.groups == [["A"]]
    writer.close(5)


def test_a_flush_without_results_returns(store: RecordingStore) -> None:
    """There is nothing to wait for, and no thread."""
    writer = ResultWriter(store, group_size=2, group_delay_ms=0)
    writer.flush(0.1)
    writer.close(0.1)
    assert store.calls == 0


def test_the_group_is_kept_while_the_database_is_away(store: RecordingStore, log: list[Any]) -> None:
    """It is tried again until it succeeds; the outage is one line in the log, the next outage another."""
    writer = ResultWriter(store, group_size=10, group_delay_ms=0)
    for outage in (1, 2):
        store.away = True
        writer.put(make_result(f"A{outage}"))
        for _ in range(2):
            assert store.failures.acquire(timeout=5)
        store.away = False
        writer.flush(10)
        assert len(lines_of(log, events.RESULTS_DELAYED)) == outage
    writer.close(5)

    assert [result.product_id for result in store.results] == ["A1", "A2"]
    assert "database is locked" in lines_of(log, events.RESULTS_DELAYED)[0]["reason"]


def test_a_flush_that_takes_too_long_is_an_error_and_loses_nothing(store: RecordingStore) -> None:
    """The results wait on and are there when the database is."""
    store.away = True
    writer = ResultWriter(store, group_size=10, group_delay_ms=0)
    writer.put(make_result("A"))

    with pytest.raises(DeadlineExceeded, match="timeout: committing 1 results"):
        writer.flush(0.05)

    assert writer.waiting == 1
    store.away = False
    writer.flush(10)
    assert store.groups == [["A"]]
    writer.close(5)


def test_closing_commits_what_waits_and_ends_the_thread(store: RecordingStore) -> None:
    """Afterwards nothing is taken; a second close does nothing."""
    writer = ResultWriter(store, group_size=50, group_delay_ms=60_000)
    writer.put(make_result("A"))

    writer.close(5)
    writer.close(5)

    assert store.groups == [["A"]]
    assert "pagemill-results" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(PagemillError, match="closed"):
        writer.put(make_result("B"))


def test_closing_while_the_database_is_away_gives_up_in_time(store: RecordingStore) -> None:
    """The error says how many are not committed, and the thread ends all the same."""
    store.away = True
    writer = ResultWriter(store, group_size=10, group_delay_ms=0)
    writer.put(make_result("A"))

    with pytest.raises(DeadlineExceeded, match="committing 1 results"):
        writer.close(0.05)

    assert "pagemill-results" not in {thread.name for thread in threading.enumerate()}


def test_a_full_queue_makes_put_wait_and_then_fail(store: RecordingStore) -> None:
    """The caller learns it after the stated time; what was taken before is written."""
    store.gate.clear()
    writer = ResultWriter(store, group_size=1, group_delay_ms=0, queue_limit=2, put_timeout_s=0.05)
    writer.put(make_result("A"))
    writer.put(make_result("B"))

    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="room for a result"):
        writer.put(make_result("C"))

    assert 0.04 < time.monotonic() - begun < 2
    store.gate.set()
    writer.close(5)
    assert [result.product_id for result in store.results] == ["A", "B"]


def test_room_in_a_full_queue_lets_a_waiting_put_through(store: RecordingStore) -> None:
    """Back-pressure, not an error, as long as the database moves."""
    store.gate.clear()
    writer = ResultWriter(store, group_size=1, group_delay_ms=0, queue_limit=1, put_timeout_s=10)
    writer.put(make_result("A"))
    opener = threading.Timer(0.05, store.gate.set)
    opener.start()

    writer.put(make_result("B"))

    opener.join()
    writer.close(5)
    assert [result.product_id for result in store.results] == ["A", "B"]


def test_a_refused_result_is_kept_as_a_bare_verdict(store: RecordingStore, log: list[Any]) -> None:
    """The others of its group are written as they are, and the log names the culprit."""
    store.refused = frozenset({"B"})
    writer = ResultWriter(store, group_size=3, group_delay_ms=500)

    for name in "ABC":
        writer.put(make_result(name, final_url=f"https://www.shop.com/{name}"))
    writer.flush(5)
    writer.close(5)

    kept = {result.product_id: result for result in store.results}
    assert set(kept) == {"A", "B", "C"}
    assert (kept["B"].verdict, kept["B"].facts, kept["B"].final_url) == (Verdict.FAILED, {}, "")
    assert kept["C"] == make_result("C", final_url="https://www.shop.com/C")
    assert [line["product_id"] for line in lines_of(log, events.UNEXPECTED)] == ["B"]


def test_a_mistake_of_ours_is_logged_and_tried_again(store: RecordingStore, log: list[Any]) -> None:
    """The thread survives what nobody thought of."""
    original = store.write
    attempts = iter([RuntimeError("boom")])

    def write(results: Sequence[ItemResult]) -> int:
        error = next(attempts, None)
        if error is not None:
            raise error
        return original(results)

    store.write = write  # type: ignore[method-assign]
    writer = ResultWriter(store, group_size=1, group_delay_ms=0)
    writer.put(make_result("A"))
    writer.flush(5)
    writer.close(5)

    assert store.groups == [["A"]]
    assert [line["error"] for line in lines_of(log, events.UNEXPECTED)] == ["boom"]


def test_many_threads_put_at_once(store: RecordingStore) -> None:
    """Nothing is lost or doubled, and no group is too large."""
    writer = ResultWriter(store, group_size=7, group_delay_ms=5)

    def put_some(name: str) -> None:
        for number in range(100):
            writer.put(make_result(f"{name}{number}"))

    threads = [threading.Thread(target=put_some, args=(name,)) for name in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    writer.flush(5)
    writer.close(5)

    ids = [result.product_id for result in store.results]
    assert len(ids) == len(set(ids)) == 400
    assert max(len(group) for group in store.groups) <= 7


def test_a_lock_on_the_file_delays_results_and_loses_none(tmp_path: Path, log: list[Any]) -> None:
    """A real SQLite file that another connection holds."""
    other = sqlite3.connect(tmp_path / "r.db", isolation_level=None, check_same_thread=False)
    with WatchedStore(f"sqlite:///{tmp_path}/r.db", lock_timeout_s=0.01) as store:
        writer = ResultWriter(store, group_size=5, group_delay_ms=0)
        other.execute("BEGIN EXCLUSIVE")
        for number in range(12):
            writer.put(make_result(f"P{number}"))
        assert store.failed.wait(5)

        other.execute("ROLLBACK")
        writer.flush(10)
        writer.close(5)

        assert len(list(store.read())) == 12
    other.close()
    assert len(lines_of(log, events.RESULTS_DELAYED)) == 1


def test_a_full_disk_delays_results_and_loses_none(tmp_path: Path, log: list[Any]) -> None:
    """A real SQLite file that may not grow, until it may again."""
    page_limit = [1_000_000]
    with WatchedStore(f"sqlite:///{tmp_path}/r.db") as store:
        assert store._engine is not None

        @event.listens_for(store._engine, "checkout")
        def limit(dbapi_connection: Any, *_: object) -> None:
            dbapi_connection.execute(f"PRAGMA max_page_count={page_limit[0]}")

        writer = ResultWriter(store, group_size=20, group_delay_ms=0)
        page_limit[0] = 1
        for number in range(60):
            writer.put(make_result(f"P{number}", reason="x" * 1000))
        assert store.failed.wait(5)

        page_limit[0] = 1_000_000
        writer.flush(10)
        writer.close(5)

        assert len(list(store.read())) == 60
    (line,) = lines_of(log, events.RESULTS_DELAYED)
    assert "full" in line["reason"]
    assert "Free some disk space" in line["reason"]
