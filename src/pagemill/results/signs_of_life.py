"""Whether whoever enqueues a run still lives: it says so again and again, in the run's row; without that the run is
broken off.

Owns the statements. Must not decide how long is long enough: who looks compares what was said at two looks, so that no
clock of one machine is held against another's.
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
    """When its enqueuer last said that it lives, by its own clock."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A run whose enqueueing broke off."""

    run: str
    platform: str
    products: int
    """How many were handed in by then."""


class SignsOfLife:
    """Those of one store. May be used from several threads.

    Every method raises `DatabaseUnavailable`, as the store's do.
    """

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def give(self, run: str) -> None:
        """Says that the run's enqueuer lives, where there is such a run; one that was taken for broken off goes on."""
        statement = update(schema.runs).where(_columns.id == run)
        with writing(self._store.engine) as connection:
            connection.execute(statement.values(alive_at=datetime.now(UTC), broken_at=None))

    def enqueueing(self) -> list[Enqueueing]:
        """The runs that are being enqueued. One that a pagemill of 0.1 enqueues is none: that says nothing."""
        query = select(_columns.id, _columns.platform, _columns.alive_at).order_by(_columns.id)
        query = query.where(_is_open, _columns.broken_at.is_(None), _columns.alive_at.is_not(None))
        with reading(self._store.engine) as connection:
            return [Enqueueing(*row) for row in connection.execute(query)]

    def break_off(self, seen: Enqueueing) -> BrokenOff | None:
        """Notes that a run's enqueueing broke off; `None` if it lives, has ended, or somebody else has noted it."""
        unchanged = _is_open & _columns.broken_at.is_(None) & (_columns.alive_at == seen.said_at)
        statement = update(schema.runs).where(_columns.id == seen.run, unchanged).values(broken_at=datetime.now(UTC))
        with writing(self._store.engine) as connection:
            row = connection.execute(statement.returning(func.coalesce(_columns.asked_products, 0))).one_or_none()
        return None if row is None else BrokenOff(seen.run, seen.platform, row[0])

    def broken_off(self, since: datetime) -> list[BrokenOff]:
        """The runs that broke off since then, were not gone on with, and were not cancelled; by name."""
        products = func.coalesce(_columns.asked_products, 0)
        query = select(_columns.id, _columns.platform, products).order_by(_columns.id)
        with reading(self._store.engine) as connection:
            return [BrokenOff(*row) for row in connection.execute(query.where(_is_open, _columns.broken_at >= since))]
