"""What is told of each product whose row was to be changed, and how many there are of each kind. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pagemill.model import FactValue

KEYS = ("run", "platform", "product_id", "outcome", "field", "column", "before", "after", "reason")
"""The keys of a record, in this order."""


class RowOutcome(StrEnum):
    """What became of one product's row."""

    WRITTEN = "written"
    """In a rehearsal: would be."""
    ALREADY = "already"
    """It says so already."""
    OTHERWISE = "otherwise"
    """It does not say what it should before it is changed: somebody else has changed it."""
    BUSY = "busy"
    """Somebody else is changing it just now."""
    MISSING = "missing"
    """It is not in the table, or not the platform's any more."""
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
"""What was not written though it should be."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a product's row: what it says before and after. `field` is empty where nobody knows it any more."""

    field: str
    column: str
    before: FactValue
    after: FactValue


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one product's row; of one column of it alone where that is unfit."""

    run: str
    platform: str
    product_id: str
    outcome: RowOutcome
    cells: tuple[Cell, ...]
    reason: str = ""

    def records(self) -> Iterator[dict[str, Any]]:
        """One for each column, with the keys of `KEYS`."""
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
    """How many products of each outcome, and columns written."""

    products: Counter[RowOutcome] = field(default_factory=Counter)
    columns: int = 0

    def add(self, told: RowReport) -> None:
        """Counts one more."""
        self.products[told.outcome] += 1
        if told.outcome is RowOutcome.WRITTEN:
            self.columns += len(told.cells)

    @property
    def left(self) -> int:
        """How many were not written though they should be."""
        return sum(self.products[outcome] for outcome in LEFT)

    def figures(self) -> dict[str, int]:
        """Products by outcome, those that occurred, and columns written."""
        counts = {outcome.value: self.products[outcome] for outcome in RowOutcome if self.products[outcome]}
        return {**counts, "columns": self.columns}
