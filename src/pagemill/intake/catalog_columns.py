"""A catalogue's table as its database describes it: columns, the platform's condition, cells as plain values.

Shared by reading and writing the table. Executes no query of rows.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Column, Engine, MetaData, Table, inspect, text
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql.elements import TextClause

from pagemill.config.catalog import CatalogTable
from pagemill.errors import UsageError

_SHOWN_COLUMNS = 12


def reflected(engine: Engine, source: CatalogTable) -> Table:
    """The table with its columns and keys.

    Raises:
        UsageError: there is no table of that name.
    """
    assert source.table is not None
    schema, _, name = source.table.rpartition(".")
    try:
        return Table(name, MetaData(), schema=schema or None, autoload_with=engine, resolve_fks=False)
    except NoSuchTableError as error:
        inspector = inspect(engine)
        known = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
        raise UsageError(f"there is no table {source.table}: {_nearest(name, known)}") from error


def columns_named(table: Table, wanted: Mapping[str, str], key: str) -> dict[str, Column[Any]]:
    """The columns of these names. `key` is the configuration key that names them, for errors.

    Raises:
        UsageError: the table lacks one of them.
    """
    missing = {column for column in wanted.values() if column not in table.columns}
    if missing:
        column = min(missing)
        remedy = f"{_nearest(column, list(table.columns.keys()))}. Correct {key} of the platform"
        raise UsageError(f"table {table.fullname} has no column {column}: {remedy}")
    return {name: table.columns[column] for name, column in wanted.items()}


def condition_of(source: CatalogTable) -> TextClause | None:
    """The condition that selects the platform's rows; `None` for all rows."""
    if source.where is None:
        return None
    # Escaped, because SQLAlchemy would take a colon for a parameter.
    return text("(" + re.sub(r":", r"\\:", source.where) + ")")


def plain_value(value: object) -> object:
    """A cell's value in a form that JSON could hold."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, uuid.UUID | datetime | date | time):
        return str(value)
    return value


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    listed = ", ".join(sorted(known)[:_SHOWN_COLUMNS]) or "none"
    return f"did you mean {near[0]}?" if near else f"there are {listed}"
