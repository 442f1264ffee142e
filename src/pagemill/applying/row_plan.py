"""Decides what is done with one product's row. Pure: the result's wishes and the row in, plans out.

A row is changed only if it still says what the run read there. Both are read by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.types import TypeEngine

from pagemill.applying.catalog_rows import CatalogRow
from pagemill.applying.column_value import column_value
from pagemill.applying.row_report import Cell, RowOutcome
from pagemill.applying.wishes import Wish
from pagemill.errors import Unfit
from pagemill.intake.expected import ValueKind, read_expected
from pagemill.model import FactValue, ItemResult

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Write:
    """One cell to change: `value` is written to the column, `reads` is what a run would read from it afterwards."""

    wish: Wish
    value: str | int | float
    reads: FactValue
    cell: Cell


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What is done with a row. `cells` are the columns concerned; `writes` is empty if nothing is to be written."""

    outcome: RowOutcome
    cells: tuple[Cell, ...]
    reason: str = ""
    writes: tuple[Write, ...] = ()


_NOT_READABLE = object()


def plans_of(
    result: ItemResult, wishes: Sequence[Wish], row: CatalogRow, types: Mapping[str, TypeEngine[Any]]
) -> list[RowPlan]:
    """One plan for the row, and one for each unfit value. `types` are the columns' types, by field."""
    plans: list[RowPlan] = []
    writes: list[Write] = []
    for wish in wishes:
        cell = Cell(wish.field, wish.column, _shown(row.said[wish.field]), wish.value)
        try:
            value = _value(wish, types[wish.field])
            writes.append(Write(wish, value, _reads(value, wish.kind), cell))
        except Unfit as error:
            plans.append(RowPlan(RowOutcome.UNFIT, (cell,), str(error)))
    if writes:
        plans.append(_plan(result, row, writes))
    return plans


def _plan(result: ItemResult, row: CatalogRow, writes: list[Write]) -> RowPlan:
    cells = tuple(write.cell for write in writes)
    if row.url != result.url:
        return RowPlan(
            RowOutcome.OTHERWISE, cells, f"the row's url is {_cut(row.url)}, the run was about {_cut(result.url)}"
        )
    left = [write for write in writes if not is_read(row.said[write.wish.field], write.reads, write.wish.kind)]
    if not left:
        return RowPlan(RowOutcome.ALREADY, cells)
    for write in left:
        wish, said = write.wish, row.said[write.wish.field]
        if not is_read(said, wish.expected, wish.kind):
            expected = "nothing" if wish.expected is None else _cut(wish.expected)
            says = "nothing" if said is None else _cut(said)
            return RowPlan(RowOutcome.OTHERWISE, cells, f"{wish.column} says {says}, the run expected {expected}")
    return RowPlan(RowOutcome.WRITTEN, tuple(write.cell for write in left), writes=tuple(left))


def is_read(value: object, expected: FactValue, kind: ValueKind) -> bool:
    """Whether a run that reads this cell would get the expected value."""
    try:
        read: object = read_expected(value, kind)
    except ValueError:
        read = _NOT_READABLE
    return read == expected and isinstance(read, bool) is isinstance(expected, bool)


def _value(wish: Wish, kind: TypeEngine[Any]) -> str | int | float:
    if wish.never:
        raise Unfit(wish.never)
    return column_value(wish.value, kind)


def _reads(value: str | int | float, kind: ValueKind) -> FactValue:
    try:
        return read_expected(value, kind)
    except ValueError as error:
        raise Unfit(f"no run could read it there: {error}") from error


def _shown(value: object) -> FactValue:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
