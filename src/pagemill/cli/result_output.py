"""Writes results to standard output: the formats, and CSV that spreadsheets open correctly."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, TextIO

import typer

from pagemill.errors import UsageError

_BOM = "\ufeff"


class ResultFormat(StrEnum):
    """Formats of results."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


FormatOption = Annotated[ResultFormat | None, typer.Option("--format", help="How to write them. Default: table.")]
ExcelOption = Annotated[
    bool, typer.Option("--excel", help="CSV for a spreadsheet: UTF-8 with BOM, and no cell is run as a formula.")
]


def chosen_format(form: ResultFormat | None, *, excel: bool) -> ResultFormat:
    """The requested format.

    Raises:
        UsageError: --excel with another format than CSV.
    """
    if excel and form not in (None, ResultFormat.CSV):
        raise UsageError(f"--excel is CSV: leave --format {form} out")
    return ResultFormat.CSV if excel else form or ResultFormat.TABLE


@contextmanager
def output(*, excel: bool) -> Iterator[TextIO]:
    """Standard output. For a spreadsheet it is UTF-8 with a BOM, whatever the terminal's encoding is."""
    if not excel:
        yield sys.stdout
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    sys.stdout.write(_BOM)
    yield sys.stdout
