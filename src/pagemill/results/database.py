"""Connects to the database: makes an engine with safe settings from a URL, and turns its errors into pagemill's.

Owns all differences between SQLite and PostgreSQL outside the SQL statements. Must not know the tables. Every wait has
a time limit: in SQLite for its lock, in PostgreSQL for a connection, a lock, a statement and a silent network.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.pool import QueuePool

from pagemill.errors import DatabaseUnavailable, ResultRefused, UsageError
from pagemill.model import ConnectionCounts
from pagemill.results.slow_statements import tell_slow_statements

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

LOCK_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 30.0
_POOL_SIZE = 5
_MOST_CONNECTIONS = 15
_WRITES = "pagemill_writes"
_URL_REMEDY = "write sqlite:///data/pagemill.db or postgresql+psycopg://user:password@host/database"
_CONTENT_SQLSTATES = ("22", "54")
"""SQLSTATE classes by which a value cannot be stored: 22, data exceptions; 54, program limits, such as a key too long
for its index, which psycopg reports as an operational error."""


def open_engine(
    url: str, lock_timeout_s: float = LOCK_TIMEOUT_S, *, creates: bool = True, slow_statement_ms: float = 0
) -> Engine:
    """An engine for that URL. It does not connect yet. With `creates` the folder of a SQLite file is created.

    `lock_timeout_s` is how long a statement waits for another process' lock. Statements that take longer than
    `slow_statement_ms` are logged, see `slow_statements`; 0 logs none.

    Raises:
        UsageError: not a URL, not one of the two databases, or the driver is not installed.
        DatabaseUnavailable: the folder cannot be created.
    """
    parsed = _parse(url)
    options: dict[str, Any] = {
        "hide_parameters": True,
        "json_serializer": partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False),
        "pool_size": _POOL_SIZE,
        "max_overflow": _MOST_CONNECTIONS - _POOL_SIZE,
        "pool_timeout": STATEMENT_TIMEOUT_S,
    }
    if parsed.get_backend_name() == "sqlite":
        if creates:
            _create_folder(parsed)
        engine = create_engine(parsed, connect_args={"timeout": lock_timeout_s}, **options)
        tell_slow_statements(engine, slow_statement_ms)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            parsed, connect_args=_postgres_arguments(parsed), pool_pre_ping=True, pool_recycle=1800, **options
        )
    except ImportError as error:
        raise UsageError("PostgreSQL results need the psycopg driver: pip install 'pagemill[postgres]'") from error
    tell_slow_statements(engine, slow_statement_ms)
    event.listen(engine, "connect", partial(_set_up_postgres, lock_timeout_s))
    return engine


def use_write_ahead_log(engine: Engine) -> None:
    """Switches a SQLite file to its write-ahead log, so that readers and a writer do not block each other.

    The switch is stored in the file. While another process does the same it fails at once, without waiting.

    Raises:
        DatabaseUnavailable: the file is locked; a retry helps.
    """
    with translated(engine):
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back on any error. Errors of the database pass through.

    A writing transaction takes SQLite's write lock at its start (`BEGIN IMMEDIATE`), because it can wait for the lock
    only there. If it first read and then wrote, it would fail instead.
    """
    with engine.connect() as plain:
        connection = plain.execution_options(**{_WRITES: writes})
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One writing transaction, with pagemill's errors."""
    with translated(engine), transaction(engine, writes=True) as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One short reading transaction, with pagemill's errors."""
    with translated(engine), transaction(engine, writes=False) as connection:
        yield connection


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The database's own kind of INSERT, which supports `ON CONFLICT`."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # imports all its drivers: 2 MB that SQLite does not need

        return postgresql.insert(table)
    return sqlite.insert(table)


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turns the errors of SQLAlchemy and of the drivers into pagemill's.

    Raises:
        ResultRefused: the database refused the content.
        DatabaseUnavailable: any other error; a retry may help.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = cause_of(error)
        if _is_about_content(error):
            raise ResultRefused(f"the results database refuses a value: {cause}") from error
        raise DatabaseUnavailable(
            f"the results database {place(engine.url)} cannot be used: {cause}. {_remedy(engine.url, cause)}"
        ) from error


def database_connection_counts(engine: Engine) -> ConnectionCounts:
    """How many connections the engine has now."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return ConnectionCounts(in_use=pool.checkedout(), idle=pool.checkedin(), most=_MOST_CONNECTIONS)


def place(url: URL) -> str:
    """The database's address without user, password and options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.host or 'localhost'}{port}/{url.database or ''}"


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The parser's own message quotes parts of the URL, and so perhaps of a password.
        raise UsageError(f"PAGEMILL_DATABASE_URL is not a database URL: {_URL_REMEDY}") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise UsageError(f"PAGEMILL_DATABASE_URL: {parsed.drivername} is not supported: {_URL_REMEDY}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UsageError(f"PAGEMILL_DATABASE_URL names no file, and several processes share it: {_URL_REMEDY}")
    return parsed


def _create_folder(url: URL) -> None:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"the folder {folder} of the results database cannot be created: {error.strerror}. "
            "Make it writable, or name another place in PAGEMILL_DATABASE_URL"
        ) from error


def _postgres_arguments(url: URL) -> dict[str, Any]:
    """Arguments for libpq; those in the URL are kept."""
    ours = {
        "connect_timeout": int(CONNECT_TIMEOUT_S),
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(STATEMENT_TIMEOUT_S * 1000),
        "application_name": "pagemill",
    }
    return {name: value for name, value in ours.items() if name not in url.query}


def _set_up_sqlite(dbapi_connection: Any, record: object) -> None:
    # With None the driver begins no transactions by itself; `_begin_sqlite` does.
    dbapi_connection.isolation_level = None
    dbapi_connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_up_postgres(lock_timeout_s: float, dbapi_connection: Any, record: object) -> None:
    with dbapi_connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {int(STATEMENT_TIMEOUT_S * 1000)}")
        cursor.execute(f"SET lock_timeout = {int(lock_timeout_s * 1000)}")
        cursor.execute("SET TIME ZONE 'UTC'")
    dbapi_connection.commit()


def is_file_missing(engine: Engine) -> bool:
    """Whether the engine is for a SQLite file that does not exist, which any use would create."""
    return engine.url.get_backend_name() == "sqlite" and not Path(str(engine.url.database)).exists()


def cause_of(error: Exception) -> str:
    """The first line of the database's own message."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(original).__name__


def _is_about_content(error: Exception) -> bool:
    if isinstance(error, DataError | IntegrityError | sqlite3.DataError | sqlite3.IntegrityError):
        return True
    if not isinstance(error, StatementError):
        return False
    original = error.orig
    if isinstance(original, ValueError | TypeError | OverflowError | sqlite3.InterfaceError):
        return True
    if isinstance(original, sqlite3.ProgrammingError):
        return "binding parameter" in str(original) or "type " in str(original)
    return str(getattr(original, "sqlstate", None) or "").startswith(_CONTENT_SQLSTATES)


def _remedy(url: URL, cause: str) -> str:
    if "must be owner" in cause or "permission denied for schema" in cause:
        return "Let the owner of its tables open it once, as with `pagemill status`: a newer pagemill adds to them"
    if "permission denied" in cause:
        return "Grant its account SELECT, INSERT, UPDATE and DELETE on the tables"
    if "lock timeout" in cause:
        return "Another program holds it: wait for its end, or try again"
    if url.get_backend_name() != "sqlite":
        return "Start it, or correct PAGEMILL_DATABASE_URL"
    if "locked" in cause:
        return "Another program holds it: close that program, or try again"
    if "full" in cause:
        return "Free some disk space"
    return "Make the file and its folder writable, or name another place in PAGEMILL_DATABASE_URL"
