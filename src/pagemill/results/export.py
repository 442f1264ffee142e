"""Writes results row by row to a text stream: as a table, as JSON lines or as CSV.

Owns the keys and columns, which scripts rely on. Must not read from a database or hold more than a few hundred results.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pagemill import visible
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
"""The keys of a JSON line and the columns of the CSV, in order."""

RecordWriter = Callable[[Mapping[str, Any]], None]

_ROWS_PER_TABLE = 200
CHANGE_KEYS = ("run", "product_id", "platform", "url", "field", "expected", "found", "finished_at")
"""The keys and columns of a change."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Beginnings that make a cell a formula; the wide characters do so in East Asian spreadsheets."""
_FORMULA_BEHIND = re.compile(r"([;\t\r\n]\s*)(?=[=+\-@＝＋－＠])")
"""Places within a cell where some spreadsheets begin a new cell: after a semicolon, if that is their delimiter as in
many countries, or after a line end, if they ignore quotation marks. A formula could begin there."""
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
    """A result as a JSON object with the keys in `KEYS`; times are ISO 8601 with offset."""
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


def changes(results: Iterable[ItemResult]) -> Iterator[dict[str, Any]]:
    """The changes with the keys in `CHANGE_KEYS`: one record for each field of a changed product."""
    for result in results:
        if result.verdict is not Verdict.CHANGED:
            continue
        record = as_record(result)
        for difference in record["differences"]:
            yield {key: difference[key] if key in difference else record[key] for key in CHANGE_KEYS}


def write_jsonl(results: Iterable[ItemResult], stream: TextIO) -> int:
    """Writes one JSON object per line; returns their number. A stream that is not UTF-8 gets ASCII with escapes."""
    return write_records_jsonl(map(as_record, results), stream)


def write_records_jsonl(records: Iterable[Mapping[str, Any]], stream: TextIO) -> int:
    """Like `write_jsonl`, for records."""
    return _write_each(records, jsonl_record_writer(stream))


def jsonl_record_writer(stream: TextIO) -> RecordWriter:
    """A function that writes one record as a line of JSON."""
    ascii_only = not _is_unicode(stream)

    def write(record: Mapping[str, Any]) -> None:
        stream.write(json_line(record, ascii_only=ascii_only))

    return write


def json_line(record: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    """A record as a line of JSON; characters that control a terminal are escaped."""
    return visible.in_file(json.dumps(record, ensure_ascii=ascii_only)) + "\n"


def write_csv(results: Iterable[ItemResult], stream: TextIO, *, excel: bool = False) -> int:
    """Writes a header and one line per result; returns the number of results.

    `differences` and `facts` hold JSON. A cell that spreadsheets would take for a formula gets an apostrophe in front,
    as spreadsheets do it. With `excel` this is also done within cells, where some spreadsheets would split them.
    Characters that control a terminal are escaped.
    """
    return write_records_csv(KEYS, map(as_record, results), stream, excel=excel)


def write_records_csv(
    keys: Sequence[str], records: Iterable[Mapping[str, Any]], stream: TextIO, *, excel: bool = False
) -> int:
    """Like `write_csv`, for records with these keys."""
    return _write_each(records, csv_record_writer(keys, stream, excel=excel))


def csv_record_writer(keys: Sequence[str], stream: TextIO, *, excel: bool = False) -> RecordWriter:
    """Writes the header at once. Returns a function that writes one record as a line."""
    ascii_only = not _is_unicode(stream)
    harmless = visible.one_line if stream.isatty() else visible.in_file
    # RFC 4180's line end: `csv` quotes only cells that contain one of its characters, and texts contain both.
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(keys)

    def write(record: Mapping[str, Any]) -> None:
        cells = (record[key] for key in keys)
        texts = (_text(each, ascii_only=ascii_only) for each in cells)
        writer.writerow([_cell(harmless(text), excel=excel) if isinstance(text, str) else text for text in texts])

    return write


def _write_each(records: Iterable[Mapping[str, Any]], write: RecordWriter) -> int:
    count = 0
    for record in records:
        write(record)
        count += 1
    return count


def write_table(results: Iterable[ItemResult], stream: TextIO, *, width: int | None = None) -> int:
    """Draws a table as wide as the terminal; returns the number of results.

    The columns' widths are fixed, so that a table of any length can be written in pieces.
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
            shown_text(result.product_id),
            shown_text("; ".join(_what(result))),
            str(result.attempts),
            f"{result.finished_at:%m-%d %H:%M:%S}",
        )
    return table


def _what(result: ItemResult) -> Iterator[str]:
    if result.reason:
        yield result.reason
    if result.verdict is Verdict.CHANGED:
        return  # the reason already names the differences
    for difference in result.differences:
        yield f"{difference.field}: expected {difference.expected!r}, found {difference.found!r}"


def shown_text(text: str) -> Text:
    """Text from a page, safe for a terminal."""
    return Text(visible.one_line(text))


def _text(value: Any, *, ascii_only: bool) -> Any:
    return json.dumps(value, ensure_ascii=ascii_only) if isinstance(value, list | dict | bool) else value


def _cell(text: str, *, excel: bool) -> str:
    if excel:
        text = _FORMULA_BEHIND.sub(r"\1'", text.lstrip(" "))
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def _is_unicode(stream: TextIO) -> bool:
    encoding = getattr(stream, "encoding", None)
    return encoding is None or encoding.lower().replace("-", "").startswith("utf")
