"""Searches one page of a run's results where no index helps: reads a limited part of the run at a time.

So each answer takes a limited time, however long the run and however rare the results. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select

from pagemill.model import ItemResult
from pagemill.results import schema
from pagemill.results.database import reading
from pagemill.results.rows import from_row
from pagemill.results.selection import Selection
from pagemill.results.store import ResultStore

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class FoundResults:
    """Results by product id. The search continues after `next_after`; empty if all results were searched."""

    results: tuple[ItemResult, ...]
    next_after: str = ""


def search_results(
    store: ResultStore, wanted: Selection, rows: int, after: str = "", most_rows: int = MOST_ROWS
) -> FoundResults:
    """The first results that match, at most `rows`. If matches are rare there may be fewer, and the search continues on
    the next page.

    Args:
        store: open.
        wanted: the criteria; they must name a run.
        rows: the most results in the answer.
        after: a product id; only results after it are searched.
        most_rows: the most results that are searched.

    Raises:
        DatabaseUnavailable: a retry may help.
    """
    assert wanted.run is not None
    behind = (wanted.run, after) if after else None
    product_id = schema.results.c.product_id
    # The criteria with an index limit the part that is searched.
    indexed = replace(wanted, field="", text="", platform="", product_id="")
    part = indexed.narrowed(select(product_id).limit(most_rows), behind).subquery()
    with reading(store.engine) as connection:
        looked_at, last = connection.execute(select(func.count(), func.max(part.c.product_id))).one()
        if not looked_at:
            return FoundResults(())
        page = wanted.page(rows + 1, behind).where(product_id <= last)
        found = [from_row(row) for row in connection.execute(page).mappings()]
    if len(found) > rows:
        return FoundResults(tuple(found[:rows]), found[rows - 1].product_id)
    return FoundResults(tuple(found), last if looked_at == most_rows else "")
