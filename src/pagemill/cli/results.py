"""`pagemill results`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TextIO

import typer

from pagemill.app.parts import result_store
from pagemill.cli.options import load
from pagemill.cli.result_output import ExcelOption, FormatOption, ResultFormat, chosen_format, output
from pagemill.errors import UsageError
from pagemill.model import ItemResult, Verdict
from pagemill.results.export import (
    CHANGE_KEYS,
    changes,
    write_csv,
    write_jsonl,
    write_records_csv,
    write_records_jsonl,
    write_table,
)
from pagemill.results.tables import write_changes_table


def results(
    run: Annotated[str | None, typer.Option("--run", help="A run's id. Default: the latest run.")] = None,
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Only results with this verdict.")] = None,
    only_changes: Annotated[
        bool,
        typer.Option("--changes", help="Only what changed, a line for each field: expected and found side by side."),
    ] = False,
    form: FormatOption = None,
    excel: ExcelOption = False,
) -> None:
    """Write the results of a run to standard output."""
    chosen_form = chosen_format(form, excel=excel)
    if only_changes and verdict not in (None, Verdict.CHANGED):
        raise UsageError(f"--changes is of changed products: leave --verdict {verdict} out")
    config = load("WARNING")
    with result_store(config) as store:
        chosen = run or store.latest_run()
        if chosen is None:
            typer.echo("no run yet: queue a catalogue with `pagemill enqueue`", err=True)
            return
        store.progress(chosen)  # raises an error for an unknown run, which must not look like an empty one
        found = store.read(chosen, Verdict.CHANGED if only_changes else verdict)
        with output(excel=excel) as stream:
            (_write_changes if only_changes else _write)(found, chosen_form, stream, excel=excel)


def _write(results: Iterable[ItemResult], form: ResultFormat, stream: TextIO, *, excel: bool) -> None:
    if form is ResultFormat.TABLE:
        write_table(results, stream)
    elif form is ResultFormat.JSONL:
        write_jsonl(results, stream)
    else:
        write_csv(results, stream, excel=excel)


def _write_changes(results: Iterable[ItemResult], form: ResultFormat, stream: TextIO, *, excel: bool) -> None:
    if form is ResultFormat.TABLE:
        write_changes_table(results, stream)
    elif form is ResultFormat.JSONL:
        write_records_jsonl(changes(results), stream)
    else:
        write_records_csv(CHANGE_KEYS, changes(results), stream, excel=excel)
