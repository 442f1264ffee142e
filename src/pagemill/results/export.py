"""Results for people and programs: a table, JSON lines or CSV, written row by row to a text stream.

Owns the keys and columns, which scripts rely on. Must not read from a database or hold more than a few hundred results.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pagemill.model import ItemResult, Verdict

KEYS = (
    "run",
    "batch",
    "product_id",
    "url",
    "final_url",
    "platform",
    "verdict",
    "reason",
    "differences",
    "facts",
    "attempts",
    "started_at",
    "finished_at",
    "worker",
)
"""The keys of a JSON line and the columns of the CSV, in this order."""

_ROWS_PER_TABLE = 200
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_STYLES = {
    Verdict.OK: "green",
    Verdict.CHANGED: "yellow",
    Verdict.SOLD_OUT: "cyan",
    Verdict.OFF_SALE: "bright_blue",
    Verdict.GONE: "magenta",
    Verdict.BLOCKED: "red",
    Verdict.FAILED: "bold red",
}


def as_record(result: ItemResult) -> dict[str, Any]:
    """A result as JSON has it: the keys of `KEYS`, times in ISO 8601 with their offset."""
    return {
        "run": result.run,
        "batch": result.batch,
        "product_id": result.product_id,
        "url": result.url,
        "final_url": result.final_url,
        "platform": result.platform,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "differences": [
            {"field": difference.field, "expected": difference.expected, "found": difference.found}
            for difference in result.differences
        ],
        "facts": dict(result.facts),
        "attempts": result.attempts,
        "started_at": result.started_at.isoformat(),
        "finished_at": result.finished_at.isoformat(),
        "worker": result.worker,
    }


def write_jsonl(results: Iterable[ItemResult], stream: TextIO) -> int:
    """Writes one JSON object per line and returns how many. A stream that is not UTF-8 gets ASCII with escapes."""
    ascii_only = not _is_unicode(stream)
    count = 0
    for result in results:
        stream.write(json.dumps(as_record(result), ensure_ascii=ascii_only) + "\n")
        count += 1
    return count


def write_csv(results: Iterable[ItemResult], stream: TextIO) -> int:
    """Writes a header and one line per result, and returns how many results.

    `differences` and `facts` hold JSON. A cell that a spreadsheet would take for a formula gets an apostrophe before
    it, as spreadsheets do themselves.
    """
    ascii_only = not _is_unicode(stream)
    # The line end of RFC 4180: the writer quotes a cell for the characters of it only, and texts contain both.
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(KEYS)
    count = 0
    for result in results:
        record = as_record(result)
        for key in ("differences", "facts"):
            record[key] = json.dumps(record[key], ensure_ascii=ascii_only)
        writer.writerow([_cell(record[key]) for key in KEYS])
        count += 1
    return count


def write_table(results: Iterable[ItemResult], stream: TextIO, *, width: int | None = None) -> int:
    """Draws a table as wide as the terminal and returns how many results it holds.

    Widths are fixed beforehand, so that a table of any length is written in pieces.
    """
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    rest = iter(results)
    count = 0
    while True:
        rows = list(islice(rest, _ROWS_PER_TABLE))
        if rows or count == 0:
            console.print(_table(rows, console.width, show_header=count == 0))
        count += len(rows)
        if len(rows) < _ROWS_PER_TABLE:
            return count


def _table(rows: list[ItemResult], width: int, *, show_header: bool) -> Table:
    id_width = max(10, (width - 40) // 3)
    table = Table(box=None, show_header=show_header, pad_edge=False, width=width)
    table.add_column("verdict", width=8)
    table.add_column("product", width=id_width, overflow="fold")
    table.add_column("what", ratio=1, overflow="fold")
    table.add_column("tries", width=5, justify="right")
    table.add_column("finished (UTC)", width=14)
    for result in rows:
        table.add_row(
            Text(result.verdict.value, style=_STYLES[result.verdict]),
            _shown(result.product_id),
            _shown("; ".join(_what(result))),
            str(result.attempts),
            f"{result.finished_at:%m-%d %H:%M:%S}",
        )
    return table


def _what(result: ItemResult) -> Iterator[str]:
    if result.reason:
        yield result.reason
    if result.verdict is Verdict.CHANGED:
        return  # the reason states the differences
    for difference in result.differences:
        yield f"{difference.field}: expected {difference.expected!r}, found {difference.found!r}"


def _shown(text: str) -> Text:
    # A page's text must not be able to steer the terminal.
    return Text(_CONTROL.sub(" ", text))


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def _is_unicode(stream: TextIO) -> bool:
    encoding = getattr(stream, "encoding", None)
    return encoding is None or encoding.lower().replace("-", "").startswith("utf")
