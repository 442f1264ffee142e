"""Reads and writes a table's cells exactly as its database stores them, so that an old value is restored to the byte.

SQLite returns each cell as stored, whatever the column's type. PostgreSQL returns each cell as text, which it can read
back without loss (decimal places and all digits of floats included). Owns the statements that lock, compare and change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    and_,
    cast,
    collate,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.types import UserDefinedType

from pagemill.applying.column_value import plain_text
from pagemill.errors import NotOneRow, UsageError

RawCell = str | int | float | bytes | None

if TYPE_CHECKING:
    _RawBase = UserDefinedType[Any]
else:
    _RawBase = UserDefinedType


class AsItStands(_RawBase):
    """A column type without conversion, so that the value is the one of the database driver."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "BLOB"


class RawTable:
    """One table. A row is identified by its key: JSON with the key columns' names and values."""

    def __init__(self, table: Table, dialect: Dialect, key_columns: Sequence[str]) -> None:
        """
        Args:
            table: the table, with its columns.
            dialect: the database's dialect.
            key_columns: the columns that identify a row.
        """
        self.table = table
        self._keys = tuple(table.columns[name] for name in key_columns)
        self._is_postgres = dialect.name == "postgresql"

    def raw(self, column: Column[Any]) -> ColumnElement[Any]:
        """The column as an expression without conversion."""
        return cast(column, Text) if self._is_postgres else type_coerce(column, AsItStands())

    def raw_of(self, value: str | int | float) -> RawCell:
        """The raw form of a value that will be written."""
        return plain_text(value) if self._is_postgres else value

    def key_columns(self) -> list[ColumnElement[Any]]:
        """The columns to select so that `key_of` works."""
        return [self.raw(column).label(f"key {column.name}") for column in self._keys]

    def key_of(self, row: Mapping[Any, Any]) -> str:
        """The key of a row that was selected with `key_columns`."""
        values = {column.name: row[f"key {column.name}"] for column in self._keys}
        if any(isinstance(value, bytes) for value in values.values()):
            raise UsageError(f"the key of table {self.table.fullname} is binary: name a table with another key")
        return json.dumps(values, ensure_ascii=False)

    def read(
        self, connection: Connection, keys: Sequence[str], columns: Iterable[str], *, locks: bool
    ) -> dict[str, Mapping[str, RawCell]]:
        """The raw cells of these columns, by key. With `locks` the rows are locked, and locked rows are left out."""
        named = list(columns)
        cells = [self.raw(self.table.columns[name]).label(f"cell {name}") for name in named]
        query = select(*self.key_columns(), *cells).where(or_(*map(self._is, keys)))
        if locks:
            query = query.with_for_update(skip_locked=True)
        return {
            self.key_of(row): {name: row[f"cell {name}"] for name in named}
            for row in connection.execute(query).mappings()
        }

    def change(
        self, connection: Connection, key: str, before: Mapping[str, RawCell], after: Mapping[str, RawCell]
    ) -> Mapping[str, RawCell] | None:
        """Changes a row if it still has the values `before`; returns its new cells, or `None` if it had other values.

        Raises:
            NotOneRow: several rows have this key, or the change altered the key. The caller rolls back.
        """
        columns = self.table.columns
        statement = update(self.table).where(
            self._is(key), *(self._says(columns[name], before[name]) for name in before)
        )
        statement = statement.values({columns[name]: _given(value) for name, value in after.items()})
        changed = connection.execute(statement).rowcount
        if changed == 0:
            return None
        # Selected, not taken from RETURNING: on SQLite that gives the value passed in, not the one stored.
        now = self.read(connection, [key], after, locks=False)
        if changed != 1 or key not in now:
            raise NotOneRow(f"{key} is not the key of one row")
        return now[key]

    def _is(self, key: str) -> ColumnElement[bool]:
        values = json.loads(key)
        return and_(*(type_coerce(column, AsItStands()) == _given(values[column.name]) for column in self._keys))

    def _says(self, column: Column[Any], value: RawCell) -> ColumnElement[bool]:
        """Whether the column has exactly this value, byte for byte in any collation; NULL equals NULL."""
        exact = collate(self.raw(column), "C" if self._is_postgres else "BINARY")
        return exact.is_not_distinct_from(_given(value))


def is_same(one: RawCell, other: RawCell) -> bool:
    """Whether two cells are identical to the byte."""
    return type(one) is type(other) and one == other


def _given(value: RawCell) -> ColumnElement[Any]:
    return literal(value, AsItStands())
