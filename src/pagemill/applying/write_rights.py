"""Checks whether a platform's catalogue may be written, by running apply's statements on no row and rolling back."""

from __future__ import annotations

from contextlib import suppress

from pagemill.applying.audit import Audit
from pagemill.applying.catalog_rows import CatalogRows
from pagemill.applying.database import catalogue_engine, translated_for_catalogue
from pagemill.config.platform import Platform
from pagemill.config.settings import Environment
from pagemill.results.database import transaction


class _TakenBack(Exception):
    """Rolls the transaction back."""


def look_at_rights(environment: Environment, platform: Platform) -> str:
    """What may be written, as a sentence.

    Raises:
        UsageError: the table or a column is not there.
        DatabaseUnavailable: the database does not answer, or a right is missing; the message says which to grant.
    """
    name, columns = str(platform.catalog.table), ", ".join(platform.catalog.update.written.values())
    with catalogue_engine(environment, 0, writes=True) as engine, translated_for_catalogue(engine, name):
        rows, audit = CatalogRows(engine, platform), Audit(engine, name)
        exists = audit.exists()
        with suppress(_TakenBack), transaction(engine, writes=True) as connection:
            rows.rehearse(connection)
            audit.rehearse(connection, exists=exists)
            raise _TakenBack
    where = "is there" if exists else "is made by the first `pagemill apply --yes`"
    return f"may be written: {columns} of {name}; the audit {audit.name} {where}"
