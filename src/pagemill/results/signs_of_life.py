"""Signs of life of enqueuers: while a run is enqueued, its row is marked with the time again and again.

Owns the SQL statements. Does not decide how long is too long. Its caller compares the marks of two looks, so that the
clocks of two machines are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, update

from pagemill.results import schema
from pagemill.results.database import reading, writing
from pagemill.results.store import ResultStore

_columns = schema.runs.c
_is_open = _columns.sealed_at.is_(None) & _columns.cancelled_at.is_(None)


@dataclass(frozen=True, slots=True)
class Enqueueing:
    """A run that is being enqueued."""

    run: str
    platform: str
    said_at: datetime
    """The time of the last sign of life, by the enqueuer's clock."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A run whose enqueueing broke off."""

    run: str
    platform: str
    products: int
    """The number of products queued by then."""


class SignsOfLife:
    """The signs of life in one store. May be used from several threads.

    Every method raises `DatabaseUnavailable`, like the store's methods.
    """

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def give(self, run: str) -> None:
        """Marks the run as alive; one that was taken for broken off continues. Does nothing for an unknown run."""
        statement = update(schema.runs).where(_columns.id == run)
        with writing(self._store.engine) as connection:
            connection.execute(statement.values(alive_at=datetime.now(UTC), broken_at=None))

    def enqueueing(self) -> list[Enqueueing]:
        """The runs that are being enqueued, except by pagemill 0.1, which gives no signs of life."""
        query = select(_columns.id, _columns.platform, _columns.alive_at).order_by(_columns.id)
        query = query.where(_is_open, _columns.broken_at.is_(None), _columns.alive_at.is_not(None))
        with reading(self._store.engine) as connection:
            return [Enqueueing(*row) for row in connection.execute(query)]

    def break_off(self, seen: Enqueueing) -> BrokenOff | None:
        """Marks a run as broken off; `None` if there was a new sign, it has ended, or another process has marked it."""
        unchanged = _is_open & _columns.broken_at.is_(None) & (_columns.alive_at == seen.said_at)
        statement = update(schema.runs).where(_columns.id == seen.run, unchanged).values(broken_at=datetime.now(UTC))
        with writing(self._store.engine) as connection:
            row = connection.execute(statement.returning(func.coalesce(_columns.asked_products, 0))).one_or_none()
        return None if row is None else BrokenOff(seen.run, seen.platform, row[0])

    def broken_off(self, since: datetime) -> list[BrokenOff]:
        """The runs that broke off since then and were neither continued nor cancelled, by name."""
        products = func.coalesce(_columns.asked_products, 0)
        query = select(_columns.id, _columns.platform, products).order_by(_columns.id)
        with reading(self._store.engine) as connection:
            return [BrokenOff(*row) for row in connection.execute(query.where(_is_open, _columns.broken_at >= since))]
