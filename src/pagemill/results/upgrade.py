"""Upgrades tables of an older pagemill to `schema`: adds missing columns.

Changes and removes nothing. No row is rewritten, so it is as fast on a large table as on a small one.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateColumn

from pagemill.results import schema


def add_missing_columns(connection: Connection) -> None:
    """Adds the columns in the open transaction, which must keep other processes from doing the same meanwhile.

    Looks first, because adding a column waits for all readers and writers of the table, even if the column exists. All
    tables must exist.
    """
    inspector = inspect(connection)
    preparer = connection.dialect.identifier_preparer
    for table in schema.metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {preparer.format_table(table)} ADD COLUMN {definition}")
