"""Which run a request has begun, for requests that name a key: sent again, they begin no second one.

Owns the statements. Kept for a day, in the database and not in the queue's Redis, which may be emptied.
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
    """What a key stands for: a run, and the digest of the request that wants it."""

    run: str
    digest: str


class RequestKeys:
    """Those of one store. May be used from several threads."""

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def claim(self, key: str, wanted: Claim, now: datetime) -> Claim:
        """Notes what the key stands for, unless somebody did within a day; what it stands for then.

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
        """Lets the key stand for something else: that run was not begun."""
        columns = schema.request_keys.c
        with writing(self._store.engine) as connection:
            connection.execute(delete(schema.request_keys).where(columns.key == key, columns.run == run))
