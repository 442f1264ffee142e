"""The batches that were put on the queue and are not done: those of every run, until all their products have results.

The queue's Redis may lose batches; they are then queued again from here. A batch is deleted when it is done. Owns the
SQL statements. Must not know the queue.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, delete, func, select, tuple_, update

from pagemill.model import Batch, Priority, Product
from pagemill.results import schema
from pagemill.results.database import insert, reading, writing
from pagemill.results.runs import priority_of
from pagemill.results.store import ResultStore

_ROWS_PER_PAGE = 500
_BATCHES_PER_PAGE = 50
"""A batch has up to 1,000 products."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run has been recorded: the number of batches and products, and the last product's id."""

    batches: int = 0
    products: int = 0
    last_id: str = ""


NOTHING = Reached()


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A batch that is not done."""

    run: str
    batch: str
    platform: str
    products: int
    asked_at: datetime
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class Left:
    """One platform's share of a run that was not cancelled and has batches that are not done."""

    run: str
    platform: str
    being_queued: bool
    """Whether more batches of the run are expected."""
    batches: int
    """The number of batches that are not done."""


class AskedBatches:
    """The batches of one store. May be used from several threads.

    Every method raises `DatabaseUnavailable`, like the store's methods.
    """

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it is used."""
        self._store = store

    def reached(self, run: str) -> Reached:
        """How far a run has been recorded; `NOTHING` for an unknown run."""
        columns = schema.runs.c
        with reading(self._store.engine) as connection:
            row = connection.execute(
                select(columns.asked_batches, columns.asked_products, columns.asked_last).where(columns.id == run)
            ).one_or_none()
        return NOTHING if row is None else Reached(row[0] or 0, row[1] or 0, row[2] or "")

    def note(self, batches: Sequence[Batch], before: Reached, after: Reached) -> bool:
        """Records batches of one run in one transaction, before they are put on the queue.

        Args:
            batches: the batches that follow after `before`; at least one.
            before: how far the run is recorded now.
            after: how far it is recorded with these batches.

        Returns:
            Whether the run was recorded as far as `before`, or already as far as `after`. Otherwise another process has
            continued it.
        """
        run = batches[0].run
        now = datetime.now(UTC)
        columns = schema.runs.c
        moved = (
            update(schema.runs)
            .where(
                columns.id == run,
                func.coalesce(columns.asked_batches, 0) == before.batches,
                func.coalesce(columns.asked_last, "") == before.last_id,
            )
            .values(
                asked_batches=after.batches,
                asked_products=after.products,
                asked_last=after.last_id,
                alive_at=now,
                broken_at=None,
            )
        )
        rows = [
            {
                "run": batch.run,
                "id": batch.id,
                "platform": batch.platform,
                "products": len(batch.products),
                "content": _packed(batch.products),
                "asked_at": now,
            }
            for batch in batches
        ]
        platforms = [{"run": run, "platform": name} for name in sorted({batch.platform for batch in batches})]
        with writing(self._store.engine) as connection:
            if connection.execute(moved).rowcount:
                connection.execute(insert(connection, schema.batches).on_conflict_do_nothing(), rows)
                connection.execute(insert(connection, schema.run_platforms).on_conflict_do_nothing(), platforms)
                return True
        return self.reached(run) == after

    def done(self, run: str, batch: str) -> None:
        """Deletes a batch whose products all have results; one that is already deleted is no error."""
        columns = schema.batches.c
        with writing(self._store.engine) as connection:
            connection.execute(delete(schema.batches).where(columns.run == run, columns.id == batch))

    def forget(self, run: str) -> int:
        """Deletes all batches of a run; returns their number."""
        with writing(self._store.engine) as connection:
            return connection.execute(delete(schema.batches).where(schema.batches.c.run == run)).rowcount

    def left(self) -> list[Left]:
        """The runs that are not done, by name, one entry for each of their platforms."""
        runs, batches = schema.runs.c, schema.batches.c
        place = batches.run, batches.platform
        count = select(*place, func.count().label("batches")).group_by(*place).subquery()
        being_queued = and_(runs.sealed_at.is_(None), runs.broken_at.is_(None))
        query = select(runs.id, count.c.platform, being_queued, count.c.batches)
        query = query.join(count, count.c.run == runs.id).where(runs.cancelled_at.is_(None))
        query = query.order_by(runs.id, count.c.platform)
        with reading(self._store.engine) as connection:
            return [Left(*row) for row in connection.execute(query)]

    def is_any_left(self, run: str) -> bool:
        """Whether a batch of that run is not done."""
        query = select(schema.batches.c.id).where(schema.batches.c.run == run).limit(1)
        with reading(self._store.engine) as connection:
            return connection.scalar(query) is not None

    def products(self, run: str) -> Iterator[Product]:
        """Streams the products of the batches that are not done, in flat memory."""
        columns = schema.batches.c
        query = select(columns.id, columns.content).where(columns.run == run).order_by(columns.id)
        after = ""
        while True:
            with reading(self._store.engine) as connection:
                page = connection.execute(query.where(columns.id > after).limit(_BATCHES_PER_PAGE)).all()
            for row in page:
                yield from _unpacked(row.content)
            if len(page) < _BATCHES_PER_PAGE:
                return
            after = page[-1].id

    def outstanding(self, run: str | None = None, after: Outstanding | None = None) -> Iterator[Outstanding]:
        """Streams the batches that are not done, ordered by run and batch, in flat memory: of one run, or of all runs
        that were not cancelled; with `after` only those after that batch."""
        columns = schema.batches.c
        named = (columns.run, columns.id, columns.platform, columns.products, columns.asked_at)
        query = select(*named, schema.runs.c.priority).outerjoin(schema.runs, schema.runs.c.id == columns.run)
        query = query.order_by(columns.run, columns.id).limit(_ROWS_PER_PAGE)
        query = query.where(schema.runs.c.cancelled_at.is_(None) if run is None else columns.run == run)
        while True:
            behind = query if after is None else query.where(_place > tuple_(after.run, after.batch))
            with reading(self._store.engine) as connection:
                page = [Outstanding(*row[:-1], priority_of(row.priority)) for row in connection.execute(behind)]
            yield from page
            if len(page) < _ROWS_PER_PAGE:
                return
            after = page[-1]

    def batch(self, run: str, batch: str) -> Batch | None:
        """A batch as it was recorded; `None` if it is done."""
        columns = schema.batches.c
        with reading(self._store.engine) as connection:
            row = connection.execute(
                select(columns.platform, columns.content).where(columns.run == run, columns.id == batch)
            ).one_or_none()
        return None if row is None else Batch(run, batch, row.platform, _unpacked(row.content))


_place = tuple_(schema.batches.c.run, schema.batches.c.id)


def _packed(products: Sequence[Product]) -> bytes:
    content = [[product.id, product.url, dict(product.expected)] for product in products]
    return zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def _unpacked(content: bytes) -> tuple[Product, ...]:
    found: list[list[Any]] = json.loads(zlib.decompress(content))
    return tuple(Product(*each) for each in found)
