"""Reads CSV and TSV as numbered rows, one at a time.

Owns the form of the file: encoding, delimiter, header, quotes, line numbers. Must not know platforms or products.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TextIO

from pagemill.errors import UsageError
from pagemill.intake.rows import BadRow, RawRow, TextLine, bounded_lines
from pagemill.intake.text_file import ENCODING_REMEDY, UNDECODABLE, encoding_name, undecodable

REQUIRED = ("id", "url")
_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)
_UTF_16_MARKS = ("\udcff\udcfe", "\udcfe\udcff")


class CsvRows:
    """The rows below the header, each with the number of its first line."""

    def __init__(self, stream: TextIO, called: str, on_bad_row: Callable[[BadRow], None]) -> None:
        """Reads the header; `called` is the file's name in errors.

        The stream must be opened by `open_text`, with `newline=""`. The delimiter is comma, semicolon or tab: the one
        with which the header has the columns `id` and `url`, or the one that a first line `sep=;` names.

        Raises:
            UsageError: no header, no column `id` or `url`, a repeated column, or a wrong encoding.
        """
        self._undecodable = undecodable(stream)
        self._on_bad_row = on_bad_row
        self._lines = _CountedLines(bounded_lines(stream))
        line = self._next_line()
        said = _SEPARATOR_LINE.fullmatch(line.strip("\ufeff \r\n"))
        header = self._next_line() if said else line
        if UNDECODABLE.search(header) or "\x00" in header:
            remedy = "name its encoding with --encoding utf-16" if header.startswith(_UTF_16_MARKS) else ENCODING_REMEDY
            raise UsageError(f"{called} is not {encoding_name(stream)} text: {remedy}, or save it as 'CSV UTF-8'")
        self._columns, self.delimiter = _header(header.lstrip("\ufeff"), called, said[1] if said else "")

    def __iter__(self) -> Iterator[RawRow]:
        lines, columns = self._lines, self._columns
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            begins_at = lines.number + 1
            lines.cut_at = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._on_bad_row(BadRow(begins_at, _broken(error, begins_at, lines.number)))
                continue
            if not cells and lines.cut_at is None:
                continue
            reason = self._fault(cells)
            if reason is not None:
                self._on_bad_row(BadRow(begins_at, reason))
                continue
            values = {name: cell for name, cell in zip(columns, cells, strict=True) if name}
            yield RawRow(begins_at, values)

    def _next_line(self) -> str:
        return next((line for line in self._lines if line.strip("\ufeff \t\r\n")), "")

    def _fault(self, cells: list[str]) -> str | None:
        if self._lines.cut_at is not None:
            return f"line {self._lines.cut_at} is longer than a million characters"
        if len(cells) != len(self._columns):
            return f"{len(cells)} cells, where the header has {len(self._columns)} columns"
        text = "".join(cells)
        if "\x00" in text:
            return "it contains a NUL character"
        return self._undecodable if UNDECODABLE.search(text) else None


class _CountedLines:
    """The lines for `csv.reader`. Remembers the number of the current line, and whether a line was cut."""

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


def _header(line: str, called: str, said: str) -> tuple[list[str], str]:
    if not line:
        raise UsageError(f"{called} is empty: its first line must name the columns, such as id,url,price")
    known = (said,) if said else _DELIMITERS
    readings = {delimiter: _names(line, delimiter) for delimiter in known}
    delimiter = max(
        known,
        key=lambda mark: (sum(name in readings[mark] for name in REQUIRED), len(readings[mark])),
    )
    names = readings[delimiter]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UsageError(
            f"{called} has no column {' and no column '.join(missing)}: its first line must name the columns, such as "
            f"id,url,price; it reads {line.strip()[:100]!r}"
        )
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise UsageError(f"{called} has the column {twice[0]} twice: rename or remove one")
    return names, delimiter


def _names(line: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    names = [cell.strip() for cell in cells]
    return [name.lower() if name.lower() in REQUIRED else name for name in names]


def _broken(error: csv.Error, begins_at: int, ends_at: int) -> str:
    reason = str(error)
    if "field limit" in reason:
        reason = f"a cell with more than {csv.field_size_limit()} characters: is a quotation mark never closed?"
    elif "unexpected end of data" in reason:
        reason = "a quotation mark is never closed"
    return reason if ends_at <= begins_at else f"{reason} (lines {begins_at} to {ends_at} are skipped)"
