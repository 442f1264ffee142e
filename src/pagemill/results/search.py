"""One page of a run's results where no index says which are wanted: a bounded part of the run at a time.

So each answer takes a bounded time, however long the run and however rare what is looked for. Reads only.
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
    """Results by product id. `next_after` is the id to go on behind; empty where all were looked at."""

    results: tuple[ItemResult, ...]
    next_after: str = ""


def search_results(
    store: ResultStore, wanted: Selection, rows: int, after: str = "", most_rows: int = MOST_ROWS
) -> FoundResults:
    """The first so many of what is wanted, or fewer where they are rare; then it says where to go on.

    Args:
        store: open.
        wanted: of one run.
        rows: how many results at most.
        after: a product's id; only what is behind it.
        most_rows: how many results are looked at.

    Raises:
        DatabaseUnavailable: a retry may help.
    """
    assert wanted.run is not None
    behind = (wanted.run, after) if after else None
    product_id = schema.results.c.product_id
    # What has an index narrows the part that is looked at.
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
