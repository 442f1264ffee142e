"""`pagemill results`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from pagemill.app.parts import result_store
from pagemill.cli.options import load
from pagemill.model import Verdict
from pagemill.results.export import write_csv, write_jsonl, write_table


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


_WRITERS = {Format.TABLE: write_table, Format.JSONL: write_jsonl, Format.CSV: write_csv}


def results(
    run: Annotated[str | None, typer.Option("--run", help="A run's id. Default: the latest run.")] = None,
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Only results with this verdict.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.TABLE,
) -> None:
    """Write the results of a run to standard output."""
    config = load("WARNING")
    with result_store(config) as store:
        chosen = run or store.latest_run()
        if chosen is None:
            typer.echo("no run yet: queue a catalogue with `pagemill enqueue`", err=True)
            return
        store.progress(chosen)  # a run that does not exist is a mistake, not an empty answer
        _WRITERS[output](store.read(chosen, verdict), sys.stdout)
