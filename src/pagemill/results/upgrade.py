"""Brings tables that an older pagemill made up to `schema`: adds the columns that came later.

Owns the difference between what is there and what should be. Changes and removes nothing that is there; no row is
rewritten, so it takes no longer on a large table than on a small one.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateColumn

from pagemill.results import schema


def add_missing_columns(connection: Connection) -> None:
    """Adds them in the transaction that is open, which must keep others from doing the same meanwhile.

    Looks before it asks for anything: adding a column waits for everybody who reads or writes the table, also where
    there is nothing to add. All tables must exist.
    """
    inspector = inspect(connection)
    preparer = connection.dialect.identifier_preparer
    for table in schema.metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {preparer.format_table(table)} ADD COLUMN {definition}")
