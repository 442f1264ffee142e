"""Reads the rows of one platform's catalogue by product, both as a run reads them and as the database has them.

Decides which rows belong to a product. What is changed in them is decided by `row_plan`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Engine, Select, case, false, literal, select, type_coerce, types, update

from pagemill.applying.raw_table import AsItStands, RawCell, RawTable
from pagemill.config.platform import Platform
from pagemill.intake.catalog_columns import columns_named, condition_of, plain_value, reflected

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One row. `said` has the values by field, as a run reads them; `raw` has the cells by column, unconverted."""

    key: str
    url: str
    said: Mapping[str, object]
    raw: Mapping[str, RawCell]

    def raw_of(self, columns: Iterable[str], *more: str) -> dict[str, RawCell]:
        """The unconverted cells of these columns."""
        return {name: self.raw[name] for name in (*columns, *more)}


@dataclass(frozen=True, slots=True)
class FoundRows:
    """The rows of some products. `busy` are the products of which another transaction has locked a row."""

    rows: Mapping[str, list[CatalogRow]]
    busy: frozenset[str] = frozenset()


class CatalogRows:
    """The catalogue rows of one platform."""

    def __init__(self, engine: Engine, platform: Platform) -> None:
        """
        Raises:
            UsageError: the table does not exist, or lacks a column that the platform names.
        """
        catalog = platform.catalog
        table = reflected(engine, catalog)
        named = {name: catalog.columns.get(name, name) for name in ("id", "url")}
        known = columns_named(table, named, "catalog.columns")
        self._id, self._url = known["id"], known["url"]
        self._columns = columns_named(table, catalog.update.written, "catalog.update.columns")
        self._condition = condition_of(catalog)
        self._has_key = bool(table.primary_key.columns)
        keys = [column.name for column in table.primary_key.columns] or [self._id.name]
        self.raw = RawTable(table, engine.dialect, keys)
        self.url_column = self._url.name

    def column(self, field: str) -> Column[Any]:
        """The column that a field is written to."""
        return self._columns[field]

    def find(self, connection: Connection, product_ids: Collection[str], *, locks: bool) -> FoundRows:
        """The platform's rows for these products. With `locks` they are locked until the transaction ends. Rows that
        another transaction has locked are skipped and reported as busy, so that two never wait for each other.
        """
        possible = [each for each in product_ids if _can_be(each, self._id)]
        if not possible:
            return FoundRows({})
        query = self._query(possible)
        if not locks:
            return FoundRows(self._read(connection, query, product_ids))
        locked = self._read(connection, query.with_for_update(skip_locked=True), product_ids)
        there = self._read(connection, query, product_ids)
        return FoundRows(locked, frozenset(each for each in there if len(there[each]) > len(locked.get(each, ()))))

    def rehearse(self, connection: Connection) -> None:
        """Runs all statements that writing needs, on no row."""
        connection.execute(self._query([]).with_for_update(skip_locked=True))
        same = {column: column for column in self._columns.values()}
        connection.execute(update(self.raw.table).where(false()).values(same))

    def _query(self, product_ids: Collection[str]) -> Select[Any]:
        is_own = literal(1) if self._condition is None else case((self._condition, 1), else_=0)
        written = {column.name: column for column in (*self._columns.values(), self._url)}
        return select(
            *self.raw.key_columns(),
            self._id.label("id"),
            self._url.label("url"),
            is_own.label("is own"),
            *(column.label(f"said {field}") for field, column in self._columns.items()),
            *(self.raw.raw(column).label(f"raw {name}") for name, column in written.items()),
        ).where(type_coerce(self._id, AsItStands()).in_(product_ids))

    def _read(
        self, connection: Connection, query: Select[Any], product_ids: Collection[str]
    ) -> dict[str, list[CatalogRow]]:
        own: dict[str, list[CatalogRow]] = {}
        others: dict[str, list[CatalogRow]] = {}
        wanted = frozenset(product_ids)
        for row in connection.execute(query).mappings():
            product_id = str(plain_value(row["id"])).strip()
            if product_id in wanted:  # the column's collation may match other ids than the wanted ones
                (own if row["is own"] else others).setdefault(product_id, []).append(self._row(row))
        if self._has_key:
            return own
        # Without a primary key the id is the row's key. So a row of another platform with the same id counts as well.
        return {product_id: rows + others.get(product_id, []) for product_id, rows in own.items()}

    def _row(self, row: Mapping[Any, Any]) -> CatalogRow:
        raw = {name.removeprefix("raw "): value for name, value in row.items() if name.startswith("raw ")}
        said = {field: plain_value(row[f"said {field}"]) for field in self._columns}
        return CatalogRow(self.raw.key_of(row), str(row["url"] or "").strip(), said, raw)


def _can_be(product_id: str, column: Column[Any]) -> bool:
    """Whether the column can hold the id. PostgreSQL raises an error for a comparison with any other value."""
    if isinstance(column.type, types.Integer):
        return _WHOLE.fullmatch(product_id) is not None
    if isinstance(column.type, types.Uuid):
        try:
            uuid.UUID(product_id)
        except ValueError:
            return False
    return True
