"""The results of one product in run after run, newest first. Reads only.

Each run is asked for the product, because the results' key begins with the run. That needs no extra index, whose
creation would block all writers of a large table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from pagemill.config.platform import AUTO
from pagemill.model import ItemResult
from pagemill.results import schema
from pagemill.results.database import reading
from pagemill.results.rows import from_row, storable_text
from pagemill.results.run_rows import NEWEST_FIRST, older_than
from pagemill.results.store import ResultStore

_RUNS_PER_LOOK = 500
_MOST_RUNS = 2000


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Results of one product. The next page begins before the run `next_before`; empty if older runs have none."""

    results: tuple[ItemResult, ...]
    next_before: str = ""


def product_history(store: ResultStore, product_id: str, platform: str | None = None) -> Iterator[ItemResult]:
    """Streams a product's results.

    Args:
        store: open.
        product_id: its id in the catalogue; products of several platforms may share it.
        platform: only this platform's product; by default those of all platforms.

    Raises:
        DatabaseUnavailable: a retry may help.
    """
    return (result for _run, result in _by_run(store, product_id, platform) if result is not None)


def history_page(
    store: ResultStore, product_id: str, platform: str, limit: int = 20, before: str = "", most_runs: int = _MOST_RUNS
) -> HistoryPage:
    """The latest results of a product.

    Args:
        store: open.
        product_id: the catalogue's.
        platform: the product's platform.
        limit: the most results.
        before: a run; only results of older runs.
        most_runs: how many runs are searched; the page may end there, and says where the next one begins.

    Raises:
        UsageError: there is no run `before`.
        DatabaseUnavailable: a retry may help.
    """
    found: list[ItemResult] = []
    for looked_at, (run, result) in enumerate(_by_run(store, product_id, platform, before), 1):
        if result is not None:
            found.append(result)
        if len(found) == limit or looked_at == most_runs:
            return HistoryPage(tuple(found), run)
    return HistoryPage(tuple(found))


def _by_run(
    store: ResultStore, product_id: str, platform: str | None, before: str = ""
) -> Iterator[tuple[str, ItemResult | None]]:
    """Each run that may have the product, with the product's result there."""
    runs, results = schema.runs.c, schema.results.c
    query = select(runs.id).order_by(*NEWEST_FIRST).limit(_RUNS_PER_LOOK)
    wanted = select(schema.results).where(results.product_id == storable_text(product_id))
    if platform:
        query = query.where(runs.platform.in_((platform, AUTO)))
        wanted = wanted.where(results.platform == platform)
    while True:
        with reading(store.engine) as connection:
            names = list(connection.scalars(older_than(connection, query, before)))
            found = {row["run"]: row for row in connection.execute(wanted.where(results.run.in_(names))).mappings()}
        for name in names:
            yield name, from_row(found[name]) if name in found else None
        if len(names) < _RUNS_PER_LOOK:
            return
        before = names[-1]
