"""An SQL table as numbered rows: in pages that begin after the last one's last id, each in a short transaction.

Owns the statements and the way to the catalogue's database. Must not know platforms' rules or hold more than a page.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, Engine, MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql.elements import TextClause

from pagemill.config.catalog import CatalogTable
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.intake.rows import BadRow, RawRow
from pagemill.results.database import cause_of, is_file_missing, open_engine, place

PAGE_ROWS = 1000
_SHOWN_COLUMNS = 12


def read_table_rows(
    url: str,
    source: CatalogTable,
    fields: frozenset[str],
    on_bad_row: Callable[[BadRow], None],
    slow_statement_ms: float = 0,
) -> Iterator[RawRow]:
    """Streams the rows of a table in the order of its id column; their numbers are those of the order.

    Rows that come or change while it reads may be seen or not; none is seen twice. Rows without an id are reported at
    the end.

    Args:
        url: of the catalogue's database; nothing in it is changed.
        source: which table, which of its columns are what, and which rows.
        fields: the platform's fields: where `columns` does not say otherwise, columns of the same names are read.
        on_bad_row: called for what cannot be used.
        slow_statement_ms: a statement that takes longer is logged; with 0 none is.

    Raises:
        UsageError: the table or a column does not exist, or `where` is no condition.
        DatabaseUnavailable: the database is out of reach.
    """
    engine = open_engine(url, creates=False, slow_statement_ms=slow_statement_ms)
    try:
        if is_file_missing(engine):
            raise UsageError(
                f"the catalogue's database {place(engine.url)} does not exist: correct PAGEMILL_CATALOG_URL"
            )
        with _translated(engine, source):
            table = _reflected(engine, source)
            columns = _columns(table, source, fields)
            yield from _rows(engine, table, columns, _condition(source))
            _report_without_id(engine, table, columns["id"], _condition(source), on_bad_row)
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
            yield RawRow(number, {name: _plain(value) for name, value in row.items()})
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


def _reflected(engine: Engine, source: CatalogTable) -> Table:
    assert source.table is not None
    schema, _, name = source.table.rpartition(".")
    try:
        return Table(name, MetaData(), schema=schema or None, autoload_with=engine, resolve_fks=False)
    except NoSuchTableError as error:
        inspector = inspect(engine)
        known = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
        raise UsageError(f"there is no table {source.table}: {_nearest(name, known)}") from error


def _columns(table: Table, source: CatalogTable, fields: frozenset[str]) -> dict[str, ColumnElement[Any]]:
    wanted = {"id": "id", "url": "url", **source.columns}
    if not source.columns:
        wanted |= {name: name for name in fields if name in table.columns}
    missing = {column for column in wanted.values() if column not in table.columns}
    if missing:
        column = min(missing)
        remedy = f"{_nearest(column, list(table.columns.keys()))}. Correct catalog.columns of the platform"
        raise UsageError(f"table {source.table} has no column {column}: {remedy}")
    return {name: table.columns[column] for name, column in wanted.items()}


def _condition(source: CatalogTable) -> TextClause | None:
    if source.where is None:
        return None
    # A colon is part of the condition, never a parameter.
    return text("(" + re.sub(r":", r"\\:", source.where) + ")")


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    listed = ", ".join(sorted(known)[:_SHOWN_COLUMNS]) or "none"
    return f"did you mean {near[0]}?" if near else f"there are {listed}"


def _plain(value: object) -> object:
    """The value as JSON could hold it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, uuid.UUID | datetime | date | time):
        return str(value)
    return value


class _translated:
    """Turns errors of the database into ours: what the configuration says wrongly, and what is out of reach."""

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
