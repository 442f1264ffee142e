"""What is reported of each product whose row was to be changed, and the counts by outcome. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pagemill.model import FactValue

KEYS = ("run", "platform", "product_id", "outcome", "field", "column", "before", "after", "reason")
"""The keys of a record, in order."""


class RowOutcome(StrEnum):
    """What became of one product's row."""

    WRITTEN = "written"
    """Written; in a rehearsal, would be written."""
    ALREADY = "already"
    """The row already has the new values."""
    OTHERWISE = "otherwise"
    """The row no longer has the values that the run read: somebody else has changed it."""
    BUSY = "busy"
    """Another transaction is changing the row now."""
    MISSING = "missing"
    """The row is not in the table, or no longer belongs to the platform."""
    DOUBLED = "doubled"
    """Several rows have that id."""
    UNFIT = "unfit"
    """The value is one that is never written, or that the column cannot hold."""
    REFUSED = "refused"
    """The database refused the value."""


LEFT = (
    RowOutcome.OTHERWISE,
    RowOutcome.BUSY,
    RowOutcome.MISSING,
    RowOutcome.DOUBLED,
    RowOutcome.UNFIT,
    RowOutcome.REFUSED,
)
"""Outcomes by which a wanted value was not written."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a product's row, before and after. `field` is empty if it is no longer known."""

    field: str
    column: str
    before: FactValue
    after: FactValue


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one product's row, or of one column of it whose value is unfit."""

    run: str
    platform: str
    product_id: str
    outcome: RowOutcome
    cells: tuple[Cell, ...]
    reason: str = ""

    def records(self) -> Iterator[dict[str, Any]]:
        """One record for each column, with the keys in `KEYS`."""
        for cell in self.cells:
            yield {
                "run": self.run,
                "platform": self.platform,
                "product_id": self.product_id,
                "outcome": self.outcome.value,
                "field": cell.field,
                "column": cell.column,
                "before": cell.before,
                "after": cell.after,
                "reason": self.reason,
            }


@dataclass(slots=True)
class RowCounts:
    """The number of products by outcome, and the number of written columns."""

    products: Counter[RowOutcome] = field(default_factory=Counter)
    columns: int = 0

    def add(self, told: RowReport) -> None:
        """Counts one report."""
        self.products[told.outcome] += 1
        if told.outcome is RowOutcome.WRITTEN:
            self.columns += len(told.cells)

    @property
    def left(self) -> int:
        """How many products were not written although they should be."""
        return sum(self.products[outcome] for outcome in LEFT)

    def figures(self) -> dict[str, int]:
        """The counts by outcome, without zeros, and the written columns."""
        counts = {outcome.value: self.products[outcome] for outcome in RowOutcome if self.products[outcome]}
        return {**counts, "columns": self.columns}
