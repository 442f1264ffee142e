"""Tables of results for people with several lines for each: changes by field, and a product's history.

Must not read from a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TextIO

from rich.console import Console
from rich.table import Table

from pagemill.model import FactValue, ItemResult
from pagemill.results.export import changes, shown_text

_ROWS_PER_TABLE = 200
_MAX_FACT_COLUMNS = 6


def write_changes_table(results: Iterable[ItemResult], stream: TextIO, *, width: int | None = None) -> int:
    """Draws the changes with expected and found values side by side; returns the number of fields."""
    console = _console(stream, width)
    rest = changes(results)
    count = 0
    while True:
        rows = list(islice(rest, _ROWS_PER_TABLE))
        if rows or count == 0:
            table = Table(box=None, show_header=count == 0, pad_edge=False, width=console.width)
            table.add_column("product", ratio=2, overflow="fold")
            table.add_column("field", width=14, overflow="fold")
            table.add_column("expected", ratio=3, overflow="fold")
            table.add_column("found", ratio=3, overflow="fold")
            for row in rows:
                table.add_row(*(shown_text(_word(row[key])) for key in ("product_id", "field", "expected", "found")))
            console.print(table)
        count += len(rows)
        if len(rows) < _ROWS_PER_TABLE:
            return count


def write_history_table(results: Sequence[ItemResult], stream: TextIO, *, width: int | None = None) -> None:
    """Draws a product's results one below the other. Shows the first few facts that are numbers, true or false, or that
    changed."""
    console = _console(stream, width)
    facts = _telling_facts(results)
    table = Table(box=None, pad_edge=False)
    for name in ("finished (UTC)", "run", "platform", "verdict", *facts, "reason"):
        table.add_column(shown_text(name), overflow="fold", no_wrap=name == "finished (UTC)")
    for result in results:
        found = (shown_text(_word(result.facts.get(name))) for name in facts)
        finished = f"{result.finished_at:%Y-%m-%d %H:%M}"
        place = (shown_text(result.run), shown_text(result.platform))
        table.add_row(finished, *place, result.verdict.value, *found, shown_text(result.reason))
    console.print(table)


def _telling_facts(results: Sequence[ItemResult]) -> list[str]:
    values: dict[str, list[FactValue]] = {}
    for result in results:
        for name, value in result.facts.items():
            values.setdefault(name, []).append(value)
    telling = [
        name
        for name, said in values.items()
        if len(set(said)) > 1 or any(isinstance(value, int | float) for value in said)
    ]
    return telling[:_MAX_FACT_COLUMNS]


def _word(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _console(stream: TextIO, width: int | None) -> Console:
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
