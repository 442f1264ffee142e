"""A table whose cells are read and written as its database has them, so that a former value comes back to the byte.

SQLite gives each cell as it is kept, whatever type its column has. PostgreSQL gives each as text, which its types read
back without loss (numbers with their decimal places, floats in full). Owns the statements that lock, compare, change.
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
    """A value as the driver has it: nothing is converted on the way, nor by a column of SQLite's."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "BLOB"


class RawTable:
    """One table. A row's key is JSON: what the key columns say, by their names."""

    def __init__(self, table: Table, dialect: Dialect, key_columns: Sequence[str]) -> None:
        """
        Args:
            table: with its columns.
            dialect: of its database.
            key_columns: those by which rows are told apart.
        """
        self.table = table
        self._keys = tuple(table.columns[name] for name in key_columns)
        self._is_postgres = dialect.name == "postgresql"

    def raw(self, column: Column[Any]) -> ColumnElement[Any]:
        """The column as its database has it."""
        return cast(column, Text) if self._is_postgres else type_coerce(column, AsItStands())

    def raw_of(self, value: str | int | float) -> RawCell:
        """A value as it is given to a column."""
        return plain_text(value) if self._is_postgres else value

    def key_columns(self) -> list[ColumnElement[Any]]:
        """What `key_of` needs of a row."""
        return [self.raw(column).label(f"key {column.name}") for column in self._keys]

    def key_of(self, row: Mapping[Any, Any]) -> str:
        """The key of a row that was read with `key_columns`."""
        values = {column.name: row[f"key {column.name}"] for column in self._keys}
        if any(isinstance(value, bytes) for value in values.values()):
            raise UsageError(f"the key of table {self.table.fullname} is binary: name a table with another key")
        return json.dumps(values, ensure_ascii=False)

    def read(
        self, connection: Connection, keys: Sequence[str], columns: Iterable[str], *, locks: bool
    ) -> dict[str, Mapping[str, RawCell]]:
        """What these columns say in the rows of these keys; with `locks` only rows that nobody else is changing."""
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
        """Changes columns of the row, if it says `before`; what these columns say then, `None` if it said otherwise.

        Raises:
            NotOneRow: the key is that of several, or the change has changed it. The caller takes the change back.
        """
        columns = self.table.columns
        statement = update(self.table).where(
            self._is(key), *(self._says(columns[name], before[name]) for name in before)
        )
        statement = statement.values({columns[name]: _given(value) for name, value in after.items()})
        changed = connection.execute(statement).rowcount
        if changed == 0:
            return None
        # Read, not returned by the statement: SQLite would return what was given, and not what is kept.
        now = self.read(connection, [key], after, locks=False)
        if changed != 1 or key not in now:
            raise NotOneRow(f"{key} is not the key of one row")
        return now[key]

    def _is(self, key: str) -> ColumnElement[bool]:
        values = json.loads(key)
        return and_(*(type_coerce(column, AsItStands()) == _given(values[column.name]) for column in self._keys))

    def _says(self, column: Column[Any], value: RawCell) -> ColumnElement[bool]:
        """Byte for byte, whatever the column's collation; nothing is like nothing."""
        exact = collate(self.raw(column), "C" if self._is_postgres else "BINARY")
        return exact.is_not_distinct_from(_given(value))


def is_same(one: RawCell, other: RawCell) -> bool:
    """Whether two cells are the same to the byte."""
    return type(one) is type(other) and one == other


def _given(value: RawCell) -> ColumnElement[Any]:
    return literal(value, AsItStands())
