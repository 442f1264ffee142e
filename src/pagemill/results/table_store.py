"""Opens and closes the database of runs and results, and creates its tables.

A store may be used from several threads. Each process opens its own and never uses one inherited through a fork.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, text

from pagemill.errors import DatabaseUnavailable, PagemillError
from pagemill.model import ConnectionCounts
from pagemill.results import schema
from pagemill.results.database import (
    LOCK_TIMEOUT_S,
    database_connection_counts,
    insert,
    open_engine,
    use_write_ahead_log,
    writing,
)
from pagemill.results.upgrade import add_missing_columns

_OPEN_TIMEOUT_S = 10.0
_OPEN_RETRY_S = 0.05
_SCHEMA_LOCK = 7_264_171_001
"""PostgreSQL's advisory lock for creating and upgrading the tables: any number, the same in all processes."""


class TableStore:
    """One SQL database with pagemill's tables.

    Every method raises `DatabaseUnavailable` when the database does not answer, is full, or is locked for longer than a
    few seconds. No message contains the password.
    """

    def __init__(self, url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S, slow_statement_ms: float = 0) -> None:
        """
        Args:
            url: `sqlite:///data/pagemill.db` or `postgresql+psycopg://user:password@host/database`.
            lock_timeout_s: how long a statement waits for another process' lock.
            slow_statement_ms: slower statements are logged; 0 logs none.
        """
        self._url = url
        self._slow_statement_ms = slow_statement_ms
        self._lock_timeout_s = lock_timeout_s
        self._engine: Engine | None = None

    def open(self) -> None:
        """Connects, and creates what is missing: the folder of a SQLite file, tables, indexes, newer columns.

        Several processes may do this at the same time.

        Raises:
            UsageError: the URL cannot work.
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
        """The open engine, for other modules that read or write these tables.

        Raises:
            PagemillError: the store is not open.
        """
        if self._engine is None:
            raise PagemillError("the result store is not open")
        return self._engine

    def connections(self) -> ConnectionCounts:
        """How many connections to the database there are now."""
        return database_connection_counts(self.engine)


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Inserts the rows whose key is new, and returns these keys."""
    statement = insert(connection, table).on_conflict_do_nothing()
    # Counted by RETURNING, because not every driver knows the row count of many rows.
    return [tuple(row) for row in connection.execute(statement.returning(*table.primary_key), rows)]


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
