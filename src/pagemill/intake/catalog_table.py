"""Reads an SQL table as numbered rows, in pages. Each page begins after the last id and is a short transaction.

Owns the queries and the connection to the catalogue's database. Must not know platforms' rules or hold more than a
page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import TextClause

from pagemill.config.catalog import CatalogTable
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.intake.catalog_columns import columns_named, condition_of, plain_value, reflected
from pagemill.intake.rows import BadRow, RawRow
from pagemill.results.database import cause_of, is_file_missing, open_engine, place

PAGE_ROWS = 1000


def read_table_rows(
    url: str,
    source: CatalogTable,
    fields: frozenset[str],
    on_bad_row: Callable[[BadRow], None],
    slow_statement_ms: float = 0,
) -> Iterator[RawRow]:
    """Streams the rows of a table in the order of its id column, numbered in that order.

    Rows that are added or changed meanwhile may be read or not; no row is read twice. Rows without an id are reported
    at the end.

    Args:
        url: the catalogue's database; nothing in it is changed.
        source: the table, its columns and the condition for its rows.
        fields: the platform's fields; without an entry in `columns`, a field is read from the column of the same name.
        on_bad_row: called for each row that cannot be used.
        slow_statement_ms: slower statements are logged; 0 logs none.

    Raises:
        UsageError: the table or a column does not exist, or `where` is not a condition.
        DatabaseUnavailable: the database is out of reach.
    """
    engine = open_engine(url, creates=False, slow_statement_ms=slow_statement_ms)
    try:
        if is_file_missing(engine):
            raise UsageError(
                f"the catalogue's database {place(engine.url)} does not exist: correct PAGEMILL_CATALOG_URL"
            )
        with _translated(engine, source):
            table = reflected(engine, source)
            columns = _columns(table, source, fields)
            yield from _rows(engine, table, columns, condition_of(source))
            _report_without_id(engine, table, columns["id"], condition_of(source), on_bad_row)
    finally:
        engine.dispose()


def _rows(
    engine: Engine, table: Table, columns: Mapping[str, ColumnElement[Any]], condition: TextClause | None
) -> Iterator[RawRow]:
    key = columns["id"]
    query = select(*(column.label(name) for name, column in columns.items())).order_by(key).limit(PAGE_ROWS)
    query = query.where(key.is_not(None))
    if condition is not None:
        query = query.where(condition)
    number, last = 0, None
    while True:
        with engine.connect() as connection, connection.begin():
            page = connection.execute(query if last is None else query.where(key > last)).mappings().all()
        for row in page:
            number += 1
            yield RawRow(number, {name: plain_value(value) for name, value in row.items()})
        if len(page) < PAGE_ROWS:
            return
        last = page[-1]["id"]


def _report_without_id(
    engine: Engine,
    table: Table,
    key: ColumnElement[Any],
    condition: TextClause | None,
    on_bad_row: Callable[[BadRow], None],
) -> None:
    query = select(func.count()).select_from(table).where(key.is_(None))
    if condition is not None:
        query = query.where(condition)
    with engine.connect() as connection, connection.begin():
        count = connection.execute(query).scalar_one()
    for _ in range(count):
        on_bad_row(BadRow(0, "no id"))


def _columns(table: Table, source: CatalogTable, fields: frozenset[str]) -> Mapping[str, ColumnElement[Any]]:
    wanted = {"id": "id", "url": "url", **source.columns}
    if not source.columns:
        wanted |= {name: name for name in fields if name in table.columns}
    return columns_named(table, wanted, "catalog.columns")


class _translated:
    """Turns errors of the database into pagemill's: a wrong configuration, or a database out of reach."""

    def __init__(self, engine: Engine, source: CatalogTable) -> None:
        self._engine = engine
        self._source = source

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SQLAlchemyError):
            where = f", or catalog.where ({self._source.where})" if self._source.where else ""
            raise DatabaseUnavailable(
                f"the catalogue {self._source.table} in {place(self._engine.url)} cannot be read: {cause_of(error)}. "
                f"Start the database, or correct PAGEMILL_CATALOG_URL{where}"
            ) from error
