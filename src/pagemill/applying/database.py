"""Connects to the catalogue's database for writing, and turns its errors into pagemill's.

Only `PAGEMILL_CATALOG_WRITE_URL` is used for writing. A rehearsal uses it as well where it is set, to show what that
account could do; otherwise it uses the URL that catalogues are read from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from pagemill.config.settings import Environment
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.results.database import LOCK_TIMEOUT_S, cause_of, is_file_missing, open_engine, place

_CONTENT = ("22", "23", "44", "54", "P0")
"""SQLSTATE classes by which a row is refused for its content: data, constraints, check options, limits, triggers."""

_NOT_WRITABLE = ("cannot update view", "FOR UPDATE is not allowed", "because it is a view")


@contextmanager
def catalogue_engine(environment: Environment, slow_statement_ms: float, *, writes: bool) -> Iterator[Engine]:
    """An engine for the catalogue's database.

    Raises:
        UsageError: writing is wanted but no account for it is configured, or the database file does not exist.
    """
    if writes and not environment.catalog_write_url:
        raise UsageError(
            "nothing can be written: set PAGEMILL_CATALOG_WRITE_URL to the database of the catalogue, with an account "
            "that may change it"
        )
    url = environment.catalog_write_url or environment.catalog_database_url
    engine = open_engine(url, LOCK_TIMEOUT_S, creates=False, slow_statement_ms=slow_statement_ms)
    try:
        if is_file_missing(engine):
            raise UsageError(
                f"the catalogue's database {place(engine.url)} does not exist: correct {variable(environment)}"
            )
        yield engine
    finally:
        engine.dispose()


def variable(environment: Environment) -> str:
    """The environment variable that has the database's URL."""
    return "PAGEMILL_CATALOG_WRITE_URL" if environment.catalog_write_url else "PAGEMILL_CATALOG_URL"


@contextmanager
def translated_for_catalogue(engine: Engine, table: str) -> Iterator[None]:
    """Turns the errors of SQLAlchemy and of the drivers into pagemill's.

    Raises:
        DatabaseUnavailable: the message has the cause and the remedy. Earlier transactions stay committed.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = cause_of(error)
        raise DatabaseUnavailable(
            f"the catalogue {table} in {place(engine.url)} cannot be used: {cause}. {_remedy(cause)}"
        ) from error


def is_refusal(error: DBAPIError) -> bool:
    """Whether the database refused this row for its content; other rows may still be written."""
    if isinstance(error, DataError | IntegrityError):
        return True
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_CONTENT)


def _remedy(cause: str) -> str:
    if "permission denied" in cause:
        return (
            "Grant the account of PAGEMILL_CATALOG_WRITE_URL SELECT and UPDATE on the table, and SELECT, INSERT and "
            "UPDATE on pagemill_applied beside it"
        )
    if any(words in cause for words in _NOT_WRITABLE):
        return "Name a table in catalog.table, or a view that its database lets change"
    if "readonly" in cause or "read-only" in cause:
        return "Make the file and its folder writable"
    if "locked" in cause or "lock timeout" in cause:
        return "Another program holds it: wait for its end, and apply again"
    return "Start the database, or correct PAGEMILL_CATALOG_WRITE_URL; then apply again: what is written stays"
