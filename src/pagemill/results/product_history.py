"""What became of one product in run after run. Reads only.

The results' key begins with the run, so each run is asked for the product: that needs no index of its own, whose making
would stop everybody who writes to a large table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, or_, select

from pagemill.config.platform import AUTO
from pagemill.model import ItemResult
from pagemill.results import schema
from pagemill.results.database import reading
from pagemill.results.rows import from_row, storable_text
from pagemill.results.store import ResultStore

_RUNS_PER_PAGE = 500


def product_history(store: ResultStore, product_id: str, platform: str | None = None) -> Iterator[ItemResult]:
    """Streams a product's results, those of the newest run first.

    Args:
        store: open.
        product_id: the catalogue's; products of several platforms may have the same one.
        platform: whose product is meant; all unless told.

    Raises:
        DatabaseUnavailable: a retry may help.
    """
    runs, results = schema.runs.c, schema.results.c
    query = select(runs.id, runs.created_at).order_by(runs.created_at.desc(), runs.id.desc()).limit(_RUNS_PER_PAGE)
    wanted = select(schema.results).where(results.product_id == storable_text(product_id))
    if platform is not None:
        query = query.where(runs.platform.in_((platform, AUTO)))
        wanted = wanted.where(results.platform == platform)
    before: Any = None
    while True:
        older = query
        if before is not None:
            at_once = and_(runs.created_at == before.created_at, runs.id < before.id)
            older = query.where(or_(runs.created_at < before.created_at, at_once))
        with reading(store.engine) as connection:
            page = connection.execute(older).all()
            names = [row.id for row in page]
            found = {row["run"]: row for row in connection.execute(wanted.where(results.run.in_(names))).mappings()}
        yield from (from_row(found[name]) for name in names if name in found)
        if len(page) < _RUNS_PER_PAGE:
            return
        before = page[-1]
