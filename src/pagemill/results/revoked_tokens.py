"""Revoked tokens of the control API: single ones, and all that were made before a certain time.

Owns the SQL statements. A revocation is kept until the token would have expired; in the database, because the queue's
Redis may be emptied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from pagemill.results import schema
from pagemill.results.database import insert, reading, writing
from pagemill.results.store import ResultStore

_ALL = "*"
"""The id of the row about all tokens; no token has this id."""


@dataclass(frozen=True, slots=True)
class Revocations:
    """The revocations at the time when they were read."""

    ids: frozenset[str] = frozenset()
    made_before: datetime | None = None

    def has(self, token_id: str, made_at: datetime) -> bool:
        """Whether that token is revoked."""
        return token_id in self.ids or (self.made_before is not None and made_at < self.made_before)


class RevokedTokens:
    """The revoked tokens of one store. May be used from several threads."""

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def revoke(self, token_id: str, until: datetime, now: datetime) -> None:
        """Revokes one token, which would have expired at `until`.

        Raises:
            DatabaseUnavailable: a retry may help.
        """
        self._note({"id": token_id, "made_before": None, "until": until}, now)

    def revoke_all(self, made_before: datetime, until: datetime, now: datetime) -> None:
        """Revokes all tokens made before `made_before`; the last of them would have expired at `until`.

        Raises:
            DatabaseUnavailable: a retry may help.
        """
        self._note({"id": _ALL, "made_before": made_before, "until": until}, now)

    def read(self) -> Revocations:
        """Reads all revocations.

        Raises:
            DatabaseUnavailable: a retry may help.
        """
        columns = schema.revoked_tokens.c
        with reading(self._store.engine) as connection:
            rows = connection.execute(select(columns.id, columns.made_before)).all()
        found = {row.id: row.made_before for row in rows}
        return Revocations(frozenset(found.keys() - {_ALL}), found.get(_ALL))

    def _note(self, row: Mapping[str, object], now: datetime) -> None:
        columns = schema.revoked_tokens.c
        with writing(self._store.engine) as connection:
            connection.execute(delete(schema.revoked_tokens).where(columns.until < now))
            statement = insert(connection, schema.revoked_tokens).values([row])
            later = {name: statement.excluded[name] for name in ("made_before", "until")}
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=later))
