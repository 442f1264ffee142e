"""The audit: one entry for each changed cell, with its value before and after, the run, when, and when it was undone.

It is a table beside the catalogue's, in the same database and schema. A change and its entry are one transaction, so
neither exists without the other. Owns that table and its statements.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from pagemill.applying.raw_table import AsItStands, RawCell
from pagemill.errors import UsageError
from pagemill.results.database import cause_of, transaction
from pagemill.results.schema import UtcDateTime

NAME = "pagemill_applied"


@dataclass(frozen=True, slots=True)
class Application:
    """What one `apply` changed in one table."""

    applied_at: datetime
    table: str
    platform: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One changed row: its columns before and after."""

    key: str
    product_id: str
    before: Mapping[str, RawCell]
    after: Mapping[str, RawCell]

    def key_columns(self) -> list[str]:
        """The names of the key's columns."""
        return list(json.loads(self.key))


class Audit:
    """The audit of one schema."""

    def __init__(self, engine: Engine, table: str) -> None:
        """`table` is the catalogue's table, such as "shop.products" with a schema or "products" without."""
        self._engine = engine
        self._schema = table.rpartition(".")[0] or None
        self._table = _audit_table(self._schema)
        self.name = self._table.fullname

    def exists(self) -> bool:
        """Whether the audit table exists, that is, whether anything was ever written here."""
        return inspect(self._engine).has_table(NAME, self._schema)

    def create(self) -> None:
        """Creates the audit table if it is missing. Other errors of the database pass through.

        Raises:
            UsageError: this account may not create it; the message has the statement for an account that may.
        """
        if self.exists():
            return
        try:
            with transaction(self._engine, writes=True) as connection:
                self._table.create(connection)
        except SQLAlchemyError as error:
            if self.exists():  # another process has created it in the meantime
                return
            if "permission denied" not in cause_of(error):
                raise
            raise UsageError(
                f"the table {self.name}, where apply notes what it changes, cannot be made: {cause_of(error)}. Let the "
                f"owner of {self._schema or 'the database'} run: {self.statement()}; and grant this account SELECT, "
                "INSERT and UPDATE on it"
            ) from error

    def rehearse(self, connection: Connection, *, exists: bool) -> None:
        """Runs all statements that writing needs, on no row; the caller rolls the transaction back."""
        if not exists:
            self._table.create(connection)
        nothing = select(*self._table.c).where(self._table.c.run.is_(None))
        connection.execute(insert(self._table).from_select(list(self._table.c), nothing))
        connection.execute(update(self._table).where(self._table.c.run.is_(None)).values(undone_at=None))

    def statement(self) -> str:
        """The SQL statement that creates the table."""
        return " ".join(str(CreateTable(self._table).compile(dialect=self._engine.dialect)).split())

    def note(self, connection: Connection, run: str, application: Application, entry: AuditEntry) -> None:
        """Adds the entries of one changed row, in the transaction that changes it."""
        rows = [
            {
                "run": run,
                "platform": application.platform,
                "table_name": application.table,
                "row_key": entry.key,
                "column_name": name,
                "applied_at": application.applied_at,
                "product_id": entry.product_id,
                "before": entry.before[name],
                "after": entry.after[name],
            }
            for name in entry.after
        ]
        connection.execute(insert(self._table), rows)

    def applications(self, connection: Connection, run: str) -> list[Application]:
        """What was applied of a run and not undone, newest first."""
        columns = self._table.c
        query = select(columns.applied_at, columns.table_name, columns.platform).distinct()
        query = query.where(columns.run == run, columns.undone_at.is_(None))
        found = [Application(*row) for row in connection.execute(query)]
        return sorted(found, key=lambda each: (each.applied_at, each.table), reverse=True)

    def entries(
        self, connection: Connection, run: str, application: Application, rows: int, after: str = ""
    ) -> list[AuditEntry]:
        """Up to `rows` entries of that application that are not undone, by key; only keys after `after`."""
        columns = self._table.c
        open_ = (*self._of(run, application), columns.undone_at.is_(None), columns.row_key > after)
        keys = select(columns.row_key).where(*open_).distinct().order_by(columns.row_key).limit(rows)
        named = (columns.row_key, columns.product_id, columns.column_name, columns.before, columns.after)
        query = select(*named).where(*open_, columns.row_key.in_(keys)).order_by(columns.row_key)
        entries: dict[str, tuple[str, dict[str, RawCell], dict[str, RawCell]]] = {}
        for key, product_id, name, before, now in connection.execute(query):
            _, befores, afters = entries.setdefault(key, (product_id, {}, {}))
            befores[name], afters[name] = before, now
        return [AuditEntry(key, *values) for key, values in entries.items()]

    def note_undone(
        self, connection: Connection, run: str, application: Application, keys: Sequence[str], now: datetime
    ) -> None:
        """Marks these rows as undone, in the transaction that restores them."""
        rows = (*self._of(run, application), self._table.c.row_key.in_(keys))
        connection.execute(update(self._table).where(*rows).values(undone_at=now))

    def _of(self, run: str, application: Application) -> tuple[ColumnElement[bool], ...]:
        columns = self._table.c
        return (
            columns.run == run,
            columns.applied_at == application.applied_at,
            columns.table_name == application.table,
        )


def _audit_table(schema: str | None) -> Table:
    as_it_stands = Text().with_variant(AsItStands(), "sqlite")
    key = Text().with_variant(Text(collation="C"), "postgresql")
    return Table(
        NAME,
        MetaData(),
        Column("run", key, primary_key=True),
        Column("table_name", Text, primary_key=True),
        Column("row_key", key, primary_key=True),
        Column("column_name", Text, primary_key=True),
        Column("applied_at", UtcDateTime, primary_key=True),
        Column("platform", Text, nullable=False),
        Column("product_id", Text, nullable=False),
        Column("before", as_it_stands),
        Column("after", as_it_stands),
        Column("undone_at", UtcDateTime),
        schema=schema,
    )
