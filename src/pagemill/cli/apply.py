"""`pagemill apply`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TextIO

import typer

from pagemill.app.applying import applier, undoer
from pagemill.app.parts import result_store
from pagemill.applying.row_report import KEYS, LEFT, Cell, RowCounts, RowOutcome, RowReport
from pagemill.cli.options import load
from pagemill.cli.result_output import ExcelOption, FormatOption, ResultFormat, chosen_format, output
from pagemill.cli.wording import counted, output_console, table
from pagemill.config.settings import Config
from pagemill.results.export import csv_record_writer, jsonl_record_writer, shown_text

_LEFT = {
    RowOutcome.OTHERWISE: "changed by somebody else",
    RowOutcome.BUSY: "being changed just now",
    RowOutcome.MISSING: "not in the table",
    RowOutcome.DOUBLED: "with several rows",
    RowOutcome.UNFIT: "with a value that is not written",
    RowOutcome.REFUSED: "refused by the database",
}


def apply(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, see `pagemill runs`.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was applied of the run.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write it. Without this it is only shown.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many rows the table shows.")] = 20,
    form: FormatOption = None,
    excel: ExcelOption = False,
) -> None:
    """Show, or write with --yes, what a run found into the catalogue's own table.

    Only the columns that `catalog.update` of the platform names, and only where the row still says what the run
    expected. --undo brings the former values back where the row still says what apply wrote.
    """
    chosen_form = chosen_format(form, excel=excel)
    config = load("WARNING")
    first: list[RowReport] = []

    def keep(told: RowReport) -> None:
        if len(first) < limit:
            first.append(told)

    with output(excel=excel) as stream:
        tell = keep if chosen_form is ResultFormat.TABLE else _writer(chosen_form, stream, excel=excel)
        tally = (_undo if undo else _apply)(config, run, tell, writes=yes)
    if first:
        _show(first, tally)
    typer.echo(_sentence(tally, undo=undo, yes=yes), err=chosen_form is not ResultFormat.TABLE)
    if tally.products[RowOutcome.REFUSED]:
        raise typer.Exit(1)


def _apply(config: Config, run: str, tell: Callable[[RowReport], object], *, writes: bool) -> RowCounts:
    with result_store(config) as store:
        applied = applier(config, store).apply(run, tell, writes=writes)
    for name in applied.without:
        typer.echo(f"of platform {name} nothing is written: its file has no catalog.update.columns", err=True)
    return applied.tally


def _undo(config: Config, run: str, tell: Callable[[RowReport], object], *, writes: bool) -> RowCounts:
    return undoer(config).undo(run, tell, writes=writes)


def _writer(form: ResultFormat, stream: TextIO, *, excel: bool) -> Callable[[RowReport], object]:
    write = jsonl_record_writer(stream) if form is ResultFormat.JSONL else csv_record_writer(KEYS, stream, excel=excel)

    def tell(told: RowReport) -> None:
        for record in told.records():
            write(record)

    return tell


def _show(first: list[RowReport], tally: RowCounts) -> None:
    drawn = table("The catalogue", "outcome", "product", "column", "before", "after", "why")
    for told in first:
        for cell in told.cells:
            words = (told.product_id, cell.column, *_values(cell), told.reason)
            drawn.add_row(told.outcome.value, *(shown_text(word) for word in words))
    if (more := sum(tally.products.values()) - len(first)) > 0:
        drawn.caption = f"and {more} more: --limit, --format jsonl and --format csv show them"
    output_console().print(drawn)


def _values(cell: Cell) -> tuple[str, str]:
    before, after = ("" if value is None else str(value) for value in (cell.before, cell.after))
    return before, after


def _sentence(tally: RowCounts, *, undo: bool, yes: bool) -> str:
    rows = f"{counted(tally.products[RowOutcome.WRITTEN], 'row')} ({counted(tally.columns, 'column')})"
    done = ("undone" if undo else "written") if yes else ("to be undone" if undo else "to be written")
    parts = [f"{rows} {done}", f"{tally.products[RowOutcome.ALREADY]} already as wanted"]
    parts += [f"{tally.products[outcome]} {_LEFT[outcome]}" for outcome in LEFT if tally.products[outcome]]
    return ", ".join(parts) + ("" if yes else ": nothing is changed yet, --yes does it")
