"""The store of runs and results: each result is written once, whoever writes it and however often.

Owns the statements. Must not decide what a result means, and must not retry: who calls knows how long it can wait.
A store may be used from several threads; a process opens its own, never one that it inherited through a fork.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, Text, cast, func, select, text, union, update

from pagemill.config.platform import AUTO
from pagemill.errors import DatabaseUnavailable, PagemillError, ResultRefused, UsageError
from pagemill.model import ConnectionCounts, ItemResult, Priority, ResultOutline, Verdict
from pagemill.results import schema
from pagemill.results.database import (
    LOCK_TIMEOUT_S,
    database_connection_counts,
    insert,
    open_engine,
    reading,
    use_write_ahead_log,
    writing,
)
from pagemill.results.rows import from_row, outline_of, storable_text, to_row
from pagemill.results.run_rows import NEWEST_FIRST, no_such_run, older_than, products_of, summaries
from pagemill.results.runs import RunProgress, RunSummary, Telling
from pagemill.results.selection import Selection
from pagemill.results.upgrade import add_missing_columns

_OPEN_TIMEOUT_S = 10.0
_OPEN_RETRY_S = 0.05
_IDS_PER_QUERY = 500
_ROWS_PER_PAGE = 500
_SCHEMA_LOCK = 7_264_171_001
"""Any number, the same in every pagemill process: PostgreSQL's advisory lock for creating and upgrading the tables."""


class ResultStore:
    """Runs and results in one SQL database.

    Every method raises `DatabaseUnavailable` when the database does not answer, is locked for
    longer than a few seconds, or is full. No message contains the password.
    """

    def __init__(
        self,
        url: str,
        *,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        slow_statement_ms: float = 0,
        is_watched: Callable[[ItemResult], bool] = lambda _result: False,
    ) -> None:
        """
        Args:
            url: `sqlite:///data/pagemill.db` or `postgresql+psycopg://user:password@host/database`.
            lock_timeout_s: how long a statement waits for what another process has locked.
            slow_statement_ms: a statement that takes longer is logged; with 0 none is.
            is_watched: whether a result is one that is told at once, see `untold`.
        """
        self._url = url
        self._is_watched = is_watched
        self._slow_statement_ms = slow_statement_ms
        self._lock_timeout_s = lock_timeout_s
        self._engine: Engine | None = None

    def open(self) -> None:
        """Connects, and creates what is missing: the folder of a SQLite file, tables, indexes, later columns.

        Several processes may do this at the same moment.

        Raises:
            UsageError: the URL is not one that can work.
            DatabaseUnavailable: the message names the cause and the remedy.
        """
        engine = open_engine(self._url, self._lock_timeout_s, slow_statement_ms=self._slow_statement_ms)
        try:
            _create_schema(engine)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine

    def close(self) -> None:
        """Closes all connections. A second call does nothing."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def engine(self) -> Engine:
        """The open engine, for what else reads or writes these tables.

        Raises:
            PagemillError: the store is not open.
        """
        if self._engine is None:
            raise PagemillError("the result store is not open")
        return self._engine

    def connections(self) -> ConnectionCounts:
        """Those to the database now."""
        return database_connection_counts(self.engine)

    def create_run(
        self,
        run_id: str,
        platform: str,
        source: str,
        *,
        may_exist: bool = False,
        priority: Priority = Priority.NORMAL,
        telling: Telling | None = None,
    ) -> None:
        """Notes that a run begins; `source` says where its products come from, `platform` is `auto` for several, and
        `telling` how its end is told.

        Raises:
            UsageError: there is a run with this id, and it may not exist.
        """
        telling, now = telling or Telling(), datetime.now(UTC)
        row = {
            "id": run_id,
            "platform": platform,
            "source": storable_text(source),
            "created_at": now,
            "priority": None if priority is Priority.NORMAL else priority.value,
            "alive_at": now,
        }
        end = {
            "run": run_id,
            "noted_at": now,
            "entry": telling.entry,
            "time_zone": telling.time_zone,
            "notify": dict(telling.notify),
            "tries": 0,
        }
        with writing(self.engine) as connection:
            if not _insert(connection, schema.runs, [row]) and not may_exist:
                raise UsageError(f"there is a run {run_id} already")
            _insert(connection, schema.untold_ends, [end])

    def seal_run(self, run_id: str, products: int, batches: int, skipped: int) -> None:
        """Notes that all batches of a run are on the queue, and how many products, batches and skipped rows it has.

        Raises:
            UsageError: there is no such run.
        """
        counts = {"products": products, "batches": batches, "skipped": skipped}
        statement = update(schema.runs).where(schema.runs.c.id == run_id)
        with writing(self.engine) as connection:
            values = statement.values(sealed_at=datetime.now(UTC), broken_at=None, **counts)
            found = connection.execute(values).rowcount
        if not found:
            raise no_such_run(run_id)

    def cancel_run(self, run_id: str) -> None:
        """Notes that nothing more of a run is wanted.

        Raises:
            UsageError: there is no such run.
        """
        statement = update(schema.runs).where(schema.runs.c.id == run_id)
        moment = func.coalesce(schema.runs.c.cancelled_at, datetime.now(UTC))
        with writing(self.engine) as connection:
            if not connection.execute(statement.values(cancelled_at=moment)).rowcount:
                raise no_such_run(run_id)

    def platform_of(self, run_id: str) -> str:
        """The platform of a run; `auto` for one over several.

        Raises:
            UsageError: there is no such run.
        """
        with reading(self.engine) as connection:
            platform: str | None = connection.scalar(select(schema.runs.c.platform).where(schema.runs.c.id == run_id))
        if platform is None:
            raise no_such_run(run_id)
        return platform

    def platforms_of(self, run_id: str) -> list[str]:
        """The platforms that a run has results of, or batches that are not done.

        Raises:
            UsageError: there is no such run.
        """
        if (platform := self.platform_of(run_id)) != AUTO:
            return [platform]
        named = (select(table.c.platform).where(table.c.run == run_id) for table in (schema.results, schema.batches))
        with reading(self.engine) as connection:
            return sorted(connection.scalars(union(*named)))

    def is_cancelled(self, run_id: str) -> bool:
        """Whether nothing more of a run is wanted; one that is not known was not cancelled."""
        query = select(schema.runs.c.cancelled_at).where(schema.runs.c.id == run_id)
        with reading(self.engine) as connection:
            return connection.scalar(query) is not None

    def judged(self, run: str, product_ids: Sequence[str]) -> set[str]:
        """Those of the products that have their result in this run already."""
        stored = {storable_text(product_id): product_id for product_id in product_ids}
        keys = list(stored)
        column = schema.results.c.product_id
        found: set[str] = set()
        with reading(self.engine) as connection:
            for start in range(0, len(keys), _IDS_PER_QUERY):
                chunk = keys[start : start + _IDS_PER_QUERY]
                rows = connection.scalars(select(column).where(schema.results.c.run == run, column.in_(chunk)))
                found.update(stored[key] for key in rows)
        return found

    def write(self, results: Sequence[ItemResult]) -> int:
        """Writes all of them in one transaction and returns how many are new.

        A result whose run and product have one already changes nothing, so writing again is always safe. Text is
        cleaned of what databases refuse. Those of the new ones that are watched are noted in the same transaction.

        Raises:
            ResultRefused: the database refuses one of them for its content; none is written.
        """
        if not results:
            return 0
        # One order for everybody: two processes that write the same keys cannot wait for each other in a circle.
        rows = sorted((to_row(result) for result in results), key=lambda row: (row["run"], row["product_id"]))
        watched = {
            (storable_text(each.run), storable_text(each.product_id)) for each in filter(self._is_watched, results)
        }
        try:
            with writing(self.engine) as connection:
                new = _insert(connection, schema.results, rows)
                if untold := [key for key in new if key in watched]:
                    _note_untold(connection, untold)
            return len(new)
        except (ValueError, TypeError, OverflowError) as error:
            # psycopg makes JSON of facts itself, and lets what goes wrong there through as it is.
            raise ResultRefused(f"a result cannot be stored: {error}") from error

    def progress(self, run: str) -> RunProgress:
        """How far the run is.

        Raises:
            UsageError: there is no such run.
        """
        by_verdict = (
            select(schema.results.c.verdict, func.count())
            .where(schema.results.c.run == run)
            .group_by(schema.results.c.verdict)
        )
        with reading(self.engine) as connection:
            row = connection.execute(select(schema.runs).where(schema.runs.c.id == run)).one_or_none()
            counts = {Verdict(row[0]): int(row[1]) for row in connection.execute(by_verdict)}
        if row is None:
            raise no_such_run(run)
        return RunProgress(
            run=run,
            products=products_of(row),
            sealed=row.sealed_at is not None,
            done=sum(counts.values()),
            by_verdict=counts,
            cancelled=row.cancelled_at is not None,
            broken_off=row.broken_at is not None,
        )

    def runs(self, limit: int = 20, before: str = "", platform: str = "") -> list[RunSummary]:
        """The newest runs, newest first.

        Args:
            limit: how many at most.
            before: a run; only older ones than that.
            platform: only those of that platform.

        Raises:
            UsageError: there is no run `before`.
        """
        statement = select(schema.runs).order_by(*NEWEST_FIRST).limit(limit)
        if platform:
            statement = statement.where(schema.runs.c.platform == platform)
        with reading(self.engine) as connection:
            return summaries(connection, connection.execute(older_than(connection, statement, before)).all())

    def run_ids(self, limit: int, before: str = "") -> list[str]:
        """As `runs`, but their ids alone."""
        statement = select(schema.runs.c.id).order_by(*NEWEST_FIRST).limit(limit)
        with reading(self.engine) as connection:
            return list(connection.scalars(older_than(connection, statement, before)))

    def run(self, run_id: str) -> RunSummary:
        """One of them.

        Raises:
            UsageError: there is no such run.
        """
        with reading(self.engine) as connection:
            rows = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).all()
            if not rows:
                raise no_such_run(run_id)
            return summaries(connection, rows)[0]

    def latest_run(self) -> str | None:
        """The run that was created last, or `None` when there is none."""
        with reading(self.engine) as connection:
            return connection.scalar(select(schema.runs.c.id).order_by(*NEWEST_FIRST).limit(1))

    def read(self, run: str | None = None, verdict: Verdict | None = None) -> Iterator[ItemResult]:
        """Streams results by run and product id, in flat memory; all runs when none is given."""
        return self.stream(Selection(run, () if verdict is None else (verdict,)))

    def stream(self, wanted: Selection, after: tuple[str, str] | None = None) -> Iterator[ItemResult]:
        """Streams what is wanted, by run and product id, in flat memory; all of it, or what is behind that one.

        Pages are read one by one, each in a short transaction of its own, so that a slow reader holds nothing up.
        What is written meanwhile appears if its place has not been passed.
        """
        while True:
            page = self.page(wanted, _ROWS_PER_PAGE, after)
            yield from page
            if len(page) < _ROWS_PER_PAGE:
                return
            after = (page[-1].run, page[-1].product_id)

    def page(self, wanted: Selection, rows: int, after: tuple[str, str] | None = None) -> list[ItemResult]:
        """The first so many of what is wanted, or those behind that run and product."""
        with reading(self.engine) as connection:
            return [from_row(row) for row in connection.execute(wanted.page(rows, after)).mappings()]

    def outlines(self, run: str) -> Iterator[ResultOutline]:
        """As `read`, but for what sums need only, in half the time."""
        columns = schema.results.c
        as_text = cast(columns.differences, Text).label("differences")
        named = (as_text if name == "differences" else columns[name] for name in ResultOutline._fields)
        query = select(*named).where(columns.run == run).order_by(columns.product_id).limit(_ROWS_PER_PAGE)
        after: str | None = None
        while True:
            with reading(self.engine) as connection:
                page = connection.execute(query if after is None else query.where(columns.product_id > after)).all()
            yield from map(outline_of, page)
            if len(page) < _ROWS_PER_PAGE:
                return
            after = page[-1].product_id


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Inserts the rows whose key is new, and returns those keys."""
    statement = insert(connection, table).on_conflict_do_nothing()
    # What RETURNING returns is counted: a row count of many rows is not known on every driver.
    return [tuple(row) for row in connection.execute(statement.returning(*table.primary_key), rows)]


def _note_untold(connection: Connection, keys: list[tuple[str, str]]) -> None:
    """Notes these results as still to be told, but those of runs of which nothing is told any more."""
    column = schema.untold_ends.c.run
    open_runs = set(connection.scalars(select(column).where(column.in_({run for run, _ in keys}))))
    if rows := [{"run": run, "product_id": product} for run, product in keys if run in open_runs]:
        _insert(connection, schema.untold_changes, rows)


def _create_schema(engine: Engine) -> None:
    deadline = time.monotonic() + _OPEN_TIMEOUT_S
    while True:
        try:
            if engine.dialect.name == "sqlite":
                use_write_ahead_log(engine)
            with writing(engine) as connection:
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
                schema.metadata.create_all(connection)
                add_missing_columns(connection)
            return
        except DatabaseUnavailable as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
            time.sleep(_OPEN_RETRY_S)
