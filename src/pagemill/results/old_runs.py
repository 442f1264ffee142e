"""Finds and removes old runs, each step in a short transaction.

Owns the SQL statements. Its caller decides how old is old, and whether a run is still at work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from pagemill.results import schema
from pagemill.results.database import reading, writing
from pagemill.results.store import ResultStore

_RUNS_PER_PAGE = 200
_RESULTS_PER_LOOK = 5000
_RESULTS_PER_DELETE = 1000


@dataclass(frozen=True, slots=True)
class OldRun:
    """A run in which nothing has happened for a long time."""

    run: str
    platform: str
    results: int
    last_at: datetime
    """The time of its last result, or of its enqueueing."""
    complete: bool
    """Whether every product has a result. False if the run's own row is missing, because its products are unknown."""
    outstanding: bool | None = None
    """Whether batches are still expected: recorded, not done and not cancelled. `None` for runs of pagemill 0.1, which
    did not record batches."""


class OldRuns:
    """The old runs of one store. May be used while others read and write the store."""

    def __init__(self, store: ResultStore, pause: Callable[[float], object] = time.sleep) -> None:
        """
        Args:
            store: open.
            pause: waits for so many seconds; called between steps. It may raise an error to stop. The pause after a
                removal is as long as the removal took, so that other writers get their turn.
        """
        self._store = store
        self._pause = pause

    def before(self, moment: datetime) -> Iterator[OldRun]:
        """Streams the runs in which nothing has happened since `moment`, by id. Results without a run's row count as a
        run.

        Raises:
            DatabaseUnavailable: a retry may help.
        """
        for row in self._entries(moment):
            last_at = max(row.created_at, row.sealed_at or row.created_at)
            found = self._results_before(row.id, moment)
            if found is not None and last_at < moment:
                count, finished_at = found
                complete = row.sealed_at is not None and row.products is not None and count >= row.products
                outstanding = None if row.asked_batches is None else self._is_outstanding(row)
                yield OldRun(row.id, row.platform, count, max(last_at, finished_at or last_at), complete, outstanding)
        for run, platform in self._without_entry():
            found = self._results_before(run, moment)
            if found is not None and found[1] is not None:
                yield OldRun(run, platform, found[0], found[1], complete=False)

    def remove(self, run: str) -> int:
        """Removes a run with its results, and returns the number of results.

        The run's row is removed first. So nobody ever sees a run with missing results, even after a crash. Remaining
        results are found by `before` again.

        Raises:
            DatabaseUnavailable: a part may be removed; another call continues.
        """
        with writing(self._store.engine) as connection:
            connection.execute(delete(schema.runs).where(schema.runs.c.id == run))
            for table in (schema.run_platforms, schema.batches, schema.untold_ends, schema.untold_changes):
                connection.execute(delete(table).where(table.c.run == run))
        removed = 0
        after: str | None = None
        while True:
            begun_s = time.monotonic()
            after, count = self._remove_some(run, after)
            removed += count
            if after is None:
                return removed
            self._pause(time.monotonic() - begun_s)

    def _entries(self, moment: datetime) -> Iterator[Any]:
        columns = schema.runs.c
        told = (columns.products, columns.created_at, columns.sealed_at, columns.asked_batches, columns.cancelled_at)
        query = select(columns.id, columns.platform, *told)
        query = query.where(columns.created_at < moment).order_by(columns.id).limit(_RUNS_PER_PAGE)
        after: str | None = None
        while True:
            with reading(self._store.engine) as connection:
                page = connection.execute(query if after is None else query.where(columns.id > after)).all()
            yield from page
            if len(page) < _RUNS_PER_PAGE:
                return
            after = page[-1].id

    def _is_outstanding(self, run: Any) -> bool:
        if run.cancelled_at is not None:
            return False
        batch = select(schema.batches.c.id).where(schema.batches.c.run == run.id).limit(1)
        with reading(self._store.engine) as connection:
            return connection.scalar(batch) is not None

    def _without_entry(self) -> Iterator[tuple[str, str]]:
        """Run and platform of results without a run's row. Skips from run to run, without reading every result."""
        columns = schema.results.c
        has_entry = select(schema.runs.c.id).where(schema.runs.c.id == columns.run).exists()
        query = select(columns.run, columns.platform, has_entry.label("has_entry"))
        query = query.order_by(columns.run, columns.product_id).limit(1)
        after: str | None = None
        while True:
            with reading(self._store.engine) as connection:
                row = connection.execute(query if after is None else query.where(columns.run > after)).one_or_none()
            if row is None:
                return
            if not row.has_entry:
                yield row.run, row.platform
            after = row.run

    def _results_before(self, run: str, moment: datetime) -> tuple[int, datetime | None] | None:
        """The run's number of results and the last one's time; `None` if that time is not before `moment`."""
        total, last_at, after = 0, None, None
        while True:
            some = self._next(run, after, _RESULTS_PER_LOOK).subquery()
            query = select(func.count(), func.max(some.c.product_id), func.max(some.c.finished_at)).select_from(some)
            with reading(self._store.engine) as connection:
                count, upto, finished_at = connection.execute(query).one()
            if not count:
                return total, last_at
            if finished_at >= moment:
                return None
            self._pause(0)
            total, after = total + count, upto
            last_at = finished_at if last_at is None else max(last_at, finished_at)

    def _remove_some(self, run: str, after: str | None) -> tuple[str | None, int]:
        """Removes the next results; returns the last removed product id, or `None` at the end, and the number."""
        columns = schema.results.c
        some = self._next(run, after, _RESULTS_PER_DELETE).subquery()
        with writing(self._store.engine) as connection:
            upto = connection.scalar(select(func.max(some.c.product_id)))
            if upto is None:
                return None, 0
            statement = delete(schema.results).where(columns.run == run, columns.product_id <= upto)
            if after is not None:
                statement = statement.where(columns.product_id > after)
            return upto, connection.execute(statement).rowcount

    def _next(self, run: str, after: str | None, limit: int) -> Any:
        columns = schema.results.c
        query = select(columns.product_id, columns.finished_at).where(columns.run == run)
        if after is not None:
            query = query.where(columns.product_id > after)
        return query.order_by(columns.product_id).limit(limit)
