"""Reads rows of `schema.runs` as values, in the order of age. Callers pass an open connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from pagemill.errors import UsageError
from pagemill.model import Verdict
from pagemill.results import schema
from pagemill.results.runs import RunSummary, priority_of

NEWEST_FIRST = (schema.runs.c.created_at.desc(), schema.runs.c.id.desc())


def older_than(connection: Connection, statement: Select[Any], before: str) -> Select[Any]:
    """Limits the statement to runs older than `before`; unchanged if that is empty."""
    columns = schema.runs.c
    if not before:
        return statement
    moment = connection.scalar(select(columns.created_at).where(columns.id == before))
    if moment is None:
        raise no_such_run(before)
    return statement.where(or_(columns.created_at < moment, and_(columns.created_at == moment, columns.id < before)))


def summaries(connection: Connection, rows: Sequence[Row[Any]]) -> list[RunSummary]:
    """The runs of these rows, with the counts of their results."""
    columns = schema.results.c
    counted = (
        select(columns.run, columns.verdict, func.count())
        .where(columns.run.in_([row.id for row in rows]))
        .group_by(columns.run, columns.verdict)
    )
    by_verdict: dict[str, dict[Verdict, int]] = {row.id: {} for row in rows}
    for run, verdict, count in connection.execute(counted):
        by_verdict[run][Verdict(verdict)] = count
    return [
        RunSummary(
            run=row.id,
            platform=row.platform,
            source=row.source,
            created_at=row.created_at,
            sealed_at=row.sealed_at,
            products=products_of(row),
            batches=row.batches,
            skipped=row.skipped,
            done=sum(by_verdict[row.id].values()),
            cancelled_at=row.cancelled_at,
            priority=priority_of(row.priority),
            broken_at=row.broken_at,
            by_verdict=by_verdict[row.id],
        )
        for row in rows
    ]


def products_of(row: Row[Any]) -> int | None:
    """The number of a run's products; of a run that broke off those recorded by then; `None` during enqueueing."""
    return row.products if row.broken_at is None else row.asked_products or 0


def no_such_run(run: str) -> UsageError:
    """The error for an unknown run, with the remedy."""
    return UsageError(f"there is no run {run}: pagemill runs lists them")
