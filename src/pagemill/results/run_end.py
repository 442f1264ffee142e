"""What people are told about an ended run: counts, the first changes, and why products failed.

Reads only, and only a limited part of the results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pagemill.model import ItemResult, Verdict
from pagemill.results import schema
from pagemill.results.database import reading
from pagemill.results.rows import from_row
from pagemill.results.runs import RunSummary
from pagemill.results.store import ResultStore

CHANGES = (Verdict.CHANGED, Verdict.GONE, Verdict.OFF_SALE, Verdict.SOLD_OUT)
"""Verdicts by which shop and catalogue disagree, in the order of the notice."""
FAILURES = (Verdict.BLOCKED, Verdict.FAILED)
"""Verdicts that say nothing about a product."""
_MOST_REASONS_READ = 5000


@dataclass(frozen=True, slots=True)
class FailureReason:
    """One reason, and how many products failed for it."""

    verdict: Verdict
    text: str
    products: int


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The outcome of an ended run."""

    summary: RunSummary
    ended_at: datetime
    changes: tuple[ItemResult, ...]
    """The first changes."""
    reasons: tuple[FailureReason, ...]
    """Most frequent first."""

    def count(self, verdicts: Sequence[Verdict]) -> int:
        """The number of products with one of these verdicts."""
        return sum(self.summary.by_verdict.get(verdict, 0) for verdict in verdicts)


def run_end(store: ResultStore, run: str, most_changes: int, grouped_as: Callable[[str], str]) -> RunEnd:
    """Reads the outcome of an ended run.

    Args:
        store: open.
        run: its id.
        most_changes: the number of changes to read.
        grouped_as: gives the part of a reason by which failed products are grouped.

    Raises:
        UsageError: there is no such run.
        DatabaseUnavailable: a retry may help.
    """
    summary = store.run(run)
    columns = schema.results.c
    with reading(store.engine) as connection:
        last_at: datetime | None = connection.scalar(select(func.max(columns.finished_at)).where(columns.run == run))
        changes: list[ItemResult] = []
        for verdict in CHANGES:
            query = select(schema.results).where(columns.run == run, columns.verdict == verdict.value)
            query = query.order_by(columns.product_id).limit(most_changes - len(changes))
            changes += [from_row(row) for row in connection.execute(query).mappings()]
        counts: Counter[tuple[Verdict, str]] = Counter()
        for verdict in FAILURES:
            query = select(columns.reason).where(columns.run == run, columns.verdict == verdict.value)
            query = query.order_by(columns.product_id).limit(_MOST_REASONS_READ)
            counts.update((verdict, grouped_as(reason)) for reason in connection.scalars(query))
    reasons = tuple(FailureReason(verdict, text, count) for (verdict, text), count in counts.most_common())
    moments = (summary.cancelled_at, summary.sealed_at, summary.broken_at, last_at, summary.created_at)
    ended_at = max(moment for moment in moments if moment is not None)
    return RunEnd(summary, ended_at, tuple(changes), reasons)
