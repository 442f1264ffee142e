"""Notices that people have not got yet: ends of runs, and watched changes.

Owns the SQL statements. A notice is deleted when it was sent. Only a run that broke off stays, with a mark, as long as
it can be continued. A process claims a run before it sends a notice about it. If a claim is not settled in time its
process has died, and another process may take the run over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, exists, func, or_, select, update

from pagemill.model import ItemResult
from pagemill.results import schema
from pagemill.results.database import reading, writing
from pagemill.results.rows import from_row
from pagemill.results.runs import Telling
from pagemill.results.store import ResultStore

_ends, _changes = schema.untold_ends.c, schema.untold_changes.c
_MOST_OF_ONE_NOTICE = 1000


@dataclass(frozen=True, slots=True)
class UntoldRun:
    """A run about which a notice is due now or at its end."""

    run: str
    telling: Telling
    is_there: bool
    """Whether the run still exists, that is, was not pruned."""
    cancelled_at: datetime | None
    sealed: bool
    broken_at: datetime | None
    told_broken_at: datetime | None
    """The value of `broken_at` about which a notice was sent."""
    is_any_left: bool
    """Whether a batch of the run is not done."""
    has_changes: bool
    """Whether the run has watched changes without a notice."""
    changes_told_at: datetime | None

    @property
    def is_known_broken(self) -> bool:
        """Whether people got a notice that the run broke off, and nobody has continued it since."""
        return self.broken_at is not None and self.broken_at == self.told_broken_at


@dataclass(frozen=True, slots=True)
class UntoldChanges:
    """Results of one run that go into one message."""

    notice: str
    """The message's id, which stays the same if sending is repeated."""
    count: int
    first: tuple[ItemResult, ...]


class NoticeOutbox:
    """The notices of one store. May be used from several threads.

    Every method raises `DatabaseUnavailable`, like the store's methods.
    """

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def runs(self, limit: int, after: str = "") -> list[UntoldRun]:
        """The next runs by name, at most `limit`, after the run `after`."""
        runs, batches = schema.runs.c, schema.batches.c
        is_any_left = exists().where(batches.run == _ends.run).correlate(schema.untold_ends)
        has_changes = exists().where(_changes.run == _ends.run).correlate(schema.untold_ends)
        query = (
            select(
                schema.untold_ends,
                runs.id,
                runs.cancelled_at,
                runs.sealed_at,
                runs.broken_at,
                is_any_left.label("is_any_left"),
                has_changes.label("has_changes"),
            )
            .outerjoin_from(schema.untold_ends, schema.runs, runs.id == _ends.run)
            .where(_ends.run > after)
            .order_by(_ends.run)
            .limit(limit)
        )
        with reading(self._store.engine) as connection:
            rows = connection.execute(query).all()
        return [
            UntoldRun(
                run=row.run,
                telling=Telling(row.entry, row.time_zone, row.notify),
                is_there=row.id is not None,
                cancelled_at=row.cancelled_at,
                sealed=row.sealed_at is not None,
                broken_at=row.broken_at,
                told_broken_at=row.told_broken_at,
                is_any_left=bool(row.is_any_left),
                has_changes=bool(row.has_changes),
                changes_told_at=row.changes_told_at,
            )
            for row in rows
        ]

    def claim(self, run: str, by: str, now: datetime, takeover: timedelta) -> int:
        """Claims a run. Returns the number of unsuccessful claims including this one; 0 if another process has claimed
        it.

        Args:
            run: its id.
            by: a name that no other process has.
            now: the time, with its zone.
            takeover: after this time a claim of another process no longer counts.
        """
        is_free = or_(_ends.claimed_at.is_(None), _ends.claimed_at < now - takeover)
        taken = update(schema.untold_ends).where(_ends.run == run, is_free)
        taken = taken.values(claimed_by=by, claimed_at=now, tries=_ends.tries + 1).returning(_ends.tries)
        with writing(self._store.engine) as connection:
            return connection.execute(taken).scalar_one_or_none() or 0

    def release(
        self, run: str, by: str, changes_told_at: datetime | None = None, told_broken_at: datetime | None = None
    ) -> None:
        """Ends the claim without counting it as unsuccessful: a notice was sent, or a service was away."""
        told = {"changes_told_at": changes_told_at, "told_broken_at": told_broken_at}
        values: dict[str, Any] = {"claimed_by": None, "claimed_at": None, "tries": 0}
        values |= {name: moment for name, moment in told.items() if moment is not None}
        mine = update(schema.untold_ends).where(_ends.run == run, _ends.claimed_by == by)
        with writing(self._store.engine) as connection:
            connection.execute(mine.values(values))

    def settle(self, run: str) -> None:
        """Deletes everything about a run that needs no further notice."""
        with writing(self._store.engine) as connection:
            for table in (schema.untold_changes, schema.untold_ends):
                connection.execute(delete(table).where(table.c.run == run))

    def changes(self, run: str, most_shown: int) -> UntoldChanges | None:
        """The results for the run's next message; `None` without any. The caller must have claimed the run.

        Results that were already assigned to a message stay together, so that a repeated message says the same.
        """
        of_run = _changes.run == run
        with writing(self._store.engine) as connection:
            notice = connection.scalar(select(_changes.notice).where(of_run, _changes.notice.is_not(None)).limit(1))
            if notice is None:
                notice = uuid4().hex
                some = (
                    select(_changes.product_id).where(of_run).order_by(_changes.product_id).limit(_MOST_OF_ONE_NOTICE)
                )
                marked = update(schema.untold_changes).where(of_run, _changes.product_id.in_(some))
                connection.execute(marked.values(notice=notice))
            mine = of_run, _changes.notice == notice
            count = connection.scalar(select(func.count()).select_from(schema.untold_changes).where(*mine)) or 0
            results = schema.results.c
            both = (results.run == _changes.run, results.product_id == _changes.product_id)
            query = select(schema.results).join(schema.untold_changes, both[0] & both[1]).where(*mine)
            rows = connection.execute(query.order_by(results.product_id).limit(most_shown)).mappings()
            first = tuple(from_row(row) for row in rows)
        return UntoldChanges(notice, count, first) if count else None

    def changes_told(self, run: str, notice: str) -> None:
        """Deletes the results of that message, which was sent."""
        with writing(self._store.engine) as connection:
            told = delete(schema.untold_changes).where(_changes.run == run, _changes.notice == notice)
            connection.execute(told)
