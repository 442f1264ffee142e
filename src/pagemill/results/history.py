"""What became of one product, run after run, the newest first.

Goes from run to run by the key of the results, so that it needs no index of products and holds no more than a page.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from pagemill.model import ItemResult
from pagemill.results import schema
from pagemill.results.database import reading
from pagemill.results.rows import from_row, storable_text
from pagemill.results.store import ResultStore

_RUNS_PER_LOOK = 200
_MOST_RUNS = 2000


@dataclass(frozen=True, slots=True)
class History:
    """Results of one product. `next_before` is the run to go on before; empty where older runs have nothing of it."""

    results: tuple[ItemResult, ...]
    next_before: str = ""


def product_history(
    store: ResultStore, platform: str, product_id: str, limit: int = 20, before: str = "", most_runs: int = _MOST_RUNS
) -> History:
    """The latest results of a product.

    Args:
        store: open.
        platform: the product's; ids are its own.
        product_id: as in the catalogue.
        limit: how many results at most.
        before: a run; only results of older ones.
        most_runs: how many runs are looked at; then the history ends early and says where it goes on.

    Raises:
        UsageError: there is no run `before`.
        DatabaseUnavailable: a retry may help.
    """
    columns = schema.results.c
    key = storable_text(product_id)
    found: list[ItemResult] = []
    for _ in range(0, most_runs, _RUNS_PER_LOOK):
        runs = store.run_ids(_RUNS_PER_LOOK, before)
        query = select(schema.results).where(
            columns.run.in_(runs), columns.product_id == key, columns.platform == platform
        )
        with reading(store.engine) as connection:
            by_run = {row["run"]: from_row(row) for row in connection.execute(query).mappings()}
        for run in runs:
            if run in by_run:
                found.append(by_run[run])
                if len(found) == limit:
                    return History(tuple(found), run)
        if len(runs) < _RUNS_PER_LOOK:
            return History(tuple(found))
        before = runs[-1]
    return History(tuple(found), before)
