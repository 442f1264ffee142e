"""CSV and TSV as numbered rows, one at a time.

Owns the form of the file: encoding, delimiter, header, quotes, line numbers. Must not know platforms or products.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from pagemill.errors import UsageError
from pagemill.intake.rows import BadRow, RawRow, TextLine, bounded_lines

REQUIRED = ("id", "url")
_DELIMITERS = (",", ";", "\t")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def read_csv_rows(stream: TextIO, path: Path, on_bad_row: Callable[[BadRow], None]) -> Iterator[RawRow]:
    """The rows below the header, with the line at which each begins.

    The stream is opened with `newline=""` and `errors="surrogateescape"`, so that one wrong byte costs one row. The
    delimiter is the one of comma, semicolon and tab that makes `id` and `url` columns of the header.

    Raises:
        UsageError: no header, no column `id` or `url`, a column twice, or the header is not UTF-8.
    """
    lines = _CountedLines(bounded_lines(stream))
    header_line = next((line for line in lines if line.strip()), "")
    columns, delimiter = _header(header_line, path)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins_at = lines.number + 1
        lines.cut_at = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            on_bad_row(BadRow(begins_at, _broken(error, begins_at, lines.number)))
            continue
        if not cells and lines.cut_at is None:
            continue
        reason = _fault(cells, len(columns), lines.cut_at)
        if reason is not None:
            on_bad_row(BadRow(begins_at, reason))
            continue
        values = {name: cell for name, cell in zip(columns, cells, strict=True) if name}
        yield RawRow(begins_at, values)


class _CountedLines:
    """An iterator of line texts, as `csv.reader` wants it, that remembers where it is and whether a line was cut."""

    def __init__(self, lines: Iterator[TextLine]) -> None:
        self._lines = lines
        self.number = 0
        self.cut_at: int | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        if line.cut:
            self.cut_at = line.number
            return "\n"
        return line.text


def _header(line: str, path: Path) -> tuple[list[str], str]:
    if not line:
        raise UsageError(f"{path} is empty: its first line must name the columns, such as id,url,price")
    if _NOT_UTF8.search(line) or "\x00" in line:
        raise UsageError(f"{path} is not UTF-8 text: save it as 'CSV UTF-8'")
    readings = {delimiter: _names(line, delimiter) for delimiter in _DELIMITERS}
    delimiter = max(
        _DELIMITERS,
        key=lambda mark: (sum(name in readings[mark] for name in REQUIRED), len(readings[mark])),
    )
    names = readings[delimiter]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UsageError(
            f"{path} has no column {' and no column '.join(missing)}: its first line must name the columns, such as "
            f"id,url,price; it reads {line.strip()[:100]!r}"
        )
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise UsageError(f"{path} has the column {twice[0]} twice: rename or remove one")
    return names, delimiter


def _names(line: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    names = [cell.strip() for cell in cells]
    return [name.lower() if name.lower() in REQUIRED else name for name in names]


def _fault(cells: list[str], columns: int, cut_at: int | None) -> str | None:
    if cut_at is not None:
        return f"line {cut_at} is longer than a million characters"
    if len(cells) != columns:
        return f"{len(cells)} cells, where the header has {columns} columns"
    text = "".join(cells)
    if "\x00" in text:
        return "it contains a NUL character"
    if _NOT_UTF8.search(text):
        return "it is not UTF-8"
    return None


def _broken(error: csv.Error, begins_at: int, ends_at: int) -> str:
    reason = str(error)
    if "field limit" in reason:
        reason = f"a cell with more than {csv.field_size_limit()} characters: is a quotation mark never closed?"
    elif "unexpected end of data" in reason:
        reason = "a quotation mark is never closed"
    return reason if ends_at <= begins_at else f"{reason} (lines {begins_at} to {ends_at} are skipped)"
