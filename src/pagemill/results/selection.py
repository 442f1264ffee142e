"""Which results somebody wants, as a statement that reads one page of them.

Results have one order, that of run and product; a page begins behind the last one of the page before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, tuple_

from pagemill.model import Verdict
from pagemill.results import schema


@dataclass(frozen=True, slots=True)
class Selection:
    """Results with all of these marks; one that is empty does not count."""

    run: str | None = None
    verdicts: Collection[Verdict] = ()
    platform: str = ""
    product_id: str = ""

    def page(self, rows: int, after: tuple[str, str] | None = None) -> Select[Any]:
        """The first so many of them, or those behind that run and product."""
        columns = schema.results.c
        statement = select(schema.results).order_by(columns.run, columns.product_id).limit(rows)
        if self.run is not None:
            statement = statement.where(columns.run == self.run)
        if self.verdicts:
            statement = statement.where(columns.verdict.in_(sorted(verdict.value for verdict in self.verdicts)))
        if self.platform:
            statement = statement.where(columns.platform == self.platform)
        if self.product_id:
            statement = statement.where(columns.product_id == self.product_id)
        if after is None:
            return statement
        if self.run is not None:
            return statement.where(columns.product_id > after[1])
        return statement.where(tuple_(columns.run, columns.product_id) > tuple_(*after))
