"""Writes results in the background: one thread collects them into groups and writes each group in one transaction.

Owns the waiting results and retries while the database is away. Must not judge, drop or reorder results. A result
leaves the queue only when the database has committed it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Self

from pagemill.errors import DatabaseUnavailable, DeadlineExceeded, PagemillError, ResultRefused
from pagemill.model import ItemResult, Verdict
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

QUEUE_LIMIT = 2000
PUT_TIMEOUT_S = 5.0
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 5.0
_STOP_TIMEOUT_S = 1.0
_EXIT_TIMEOUT_S = 10.0

_log = get_logger("results")


class ResultWriter:
    """Collects results and writes them to the store in groups.

    Its thread, `pagemill-results`, starts with the first `put`. While the database is away, the group is tried again
    after growing pauses, up to 5 s; the outage is logged once, as `Results Delayed`.
    """

    def __init__(
        self,
        store: ResultStore,
        group_size: int,
        group_delay_ms: int,
        *,
        queue_limit: int = QUEUE_LIMIT,
        put_timeout_s: float = PUT_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            store: an open store; used only by the writer's thread.
            group_size: the most results in one transaction.
            group_delay_ms: how long a group's first result waits for others.
            queue_limit: how many results may wait.
            put_timeout_s: how long `put` waits while the queue is full.
            clock: monotonic seconds.
        """
        self._store = store
        self._group_size = group_size
        self._group_delay_s = group_delay_ms / 1000
        self._queue_limit = queue_limit
        self._put_timeout_s = put_timeout_s
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[tuple[float, ItemResult]] = deque()
        self._put_count = 0
        self._written_count = 0
        self._wanted_count = 0
        """The number of results that a `flush` waits for; these are written without waiting for a full group."""
        self._closing = False
        self._abandoned = False
        self._in_outage = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(_EXIT_TIMEOUT_S)

    @property
    def waiting(self) -> int:
        """The number of results that are not committed yet."""
        with self._changed:
            return len(self._waiting)

    def put(self, result: ItemResult) -> None:
        """Takes a result from any thread and returns at once. Only if the queue is full it waits, up to
        `put_timeout_s`.

        Raises:
            DeadlineExceeded: the queue stayed full; the result was not taken.
            PagemillError: the writer is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < self._queue_limit or self._closing, self._put_timeout_s)
            if self._closing:
                raise PagemillError("the result writer is closed")
            if len(self._waiting) >= self._queue_limit:
                raise DeadlineExceeded("finding room for a result", self._put_timeout_s)
            self._waiting.append((self._clock(), result))
            self._put_count += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pagemill-results", daemon=True)
                self._thread.start()
            # The writer waits for a group's first result, and then for its last one or until its time is over.
            if len(self._waiting) == 1 or len(self._waiting) >= self._group_size:
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> None:
        """Returns when all earlier results are committed. It blocks, so coroutines must call it in a thread.

        Raises:
            DeadlineExceeded: it took longer. Nothing is lost; the results are still waiting.
        """
        with self._changed:
            target = self._put_count
            self._wanted_count = max(self._wanted_count, target)
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._written_count >= target, timeout_s):
                raise DeadlineExceeded(f"committing {target - self._written_count} results to the database", timeout_s)

    def close(self, timeout_s: float) -> None:
        """Takes no more results, commits those that wait, and ends the thread. A second call does nothing.

        Raises:
            DeadlineExceeded: some results could not be committed in time and are given up. Their items must be done
                again.
        """
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        try:
            self.flush(timeout_s)
        finally:
            with self._changed:
                self._abandoned = True
                self._changed.notify_all()
            if self._thread is not None:
                self._thread.join(_STOP_TIMEOUT_S)

    def _run(self) -> None:
        pause_s = _FIRST_RETRY_S
        while group := self._next_group():
            try:
                self._write(group)
            except DatabaseUnavailable as error:
                self._note_outage(error, len(group))
            except Exception as error:  # noqa: BLE001 - the top of a thread that others wait for
                _log.error(events.UNEXPECTED, where="result writer", error=str(error), exc_info=True)
            else:
                pause_s = _FIRST_RETRY_S
                self._in_outage = False
                self._forget(len(group))
                continue
            with self._changed:
                if self._changed.wait_for(lambda: self._abandoned, pause_s):
                    return
            pause_s = min(2 * pause_s, _LAST_RETRY_S)

    def _next_group(self) -> list[ItemResult]:
        """The oldest results, at most one group. They stay in the queue. An empty list ends the thread."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
            while self._waiting and not self._group_is_due():
                first_put_at, _ = self._waiting[0]
                self._changed.wait(max(0.0, first_put_at + self._group_delay_s - self._clock()))
            if self._abandoned:
                return []
            return [result for _, result in islice(self._waiting, self._group_size)]

    def _group_is_due(self) -> bool:
        first_put_at, _ = self._waiting[0]
        return (
            len(self._waiting) >= self._group_size
            or self._closing
            or self._written_count < self._wanted_count
            or self._clock() >= first_put_at + self._group_delay_s
        )

    def _write(self, group: list[ItemResult]) -> None:
        try:
            self._store.write(group)
        except ResultRefused:
            for result in group:
                self._write_alone(result)

    def _write_alone(self, result: ItemResult) -> None:
        """Writes one result of a refused group. If it is refused again, a `failed` result without facts replaces it."""
        try:
            self._store.write([result])
        except ResultRefused as error:
            _log.error(
                events.UNEXPECTED,
                where="result writer",
                run=result.run,
                product_id=result.product_id,
                error=str(error),
            )
            bare = replace(
                result,
                verdict=Verdict.FAILED,
                reason="its result cannot be stored",
                differences=(),
                facts={},
                final_url="",
            )
            try:
                self._store.write([bare])
            except ResultRefused:
                # Even its key is refused. If it were kept, it would block all other results for ever.
                _log.error(events.UNEXPECTED, where="result writer", lost=repr(result.product_id))

    def _forget(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                self._waiting.popleft()
            self._written_count += count
            self._changed.notify_all()

    def _note_outage(self, error: DatabaseUnavailable, group_size: int) -> None:
        if self._in_outage:
            return
        self._in_outage = True
        _log.warning(events.RESULTS_DELAYED, reason=str(error), group=group_size, waiting=self.waiting)
