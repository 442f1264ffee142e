"""Remembers which run a request with a key has begun, so that the same request, sent again, begins no second run.

Owns the SQL statements. Keys are kept for a day; in the database, because the queue's Redis may be emptied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from pagemill.results import schema
from pagemill.results.database import insert, reading, writing
from pagemill.results.store import ResultStore

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a key stands for: a run, and the digest of the request that began it."""

    run: str
    digest: str


class RequestKeys:
    """The request keys of one store. May be used from several threads."""

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def claim(self, key: str, wanted: Claim, now: datetime) -> Claim:
        """Assigns the key, unless it was assigned within the last day; returns what it stands for.

        Raises:
            DatabaseUnavailable: a retry may help.
        """
        columns = schema.request_keys.c
        row = {"key": key, "run": wanted.run, "digest": wanted.digest, "asked_at": now}
        with writing(self._store.engine) as connection:
            connection.execute(delete(schema.request_keys).where(columns.asked_at < now - KEPT))
            connection.execute(insert(connection, schema.request_keys).on_conflict_do_nothing(), [row])
        with reading(self._store.engine) as connection:
            found = connection.execute(select(columns.run, columns.digest).where(columns.key == key)).one_or_none()
        return wanted if found is None else Claim(found.run, found.digest)

    def release(self, key: str, run: str) -> None:
        """Frees the key, because the run was not begun."""
        columns = schema.request_keys.c
        with writing(self._store.engine) as connection:
            connection.execute(delete(schema.request_keys).where(columns.key == key, columns.run == run))
