"""A row of a catalogue as it was read, and a bad row with its reason. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from pagemill.errors import UsageError

MAX_LINE_CHARS = 1_000_000
"""A longer line cannot be a catalogue row, and reading all of it could fill the memory."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its number (from 1), its line in the file, and the values by column or key, not checked yet."""

    line: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A problem in a catalogue, at a line of the file or a row of the table (from 1; 0 for none in particular).

    With `row_skipped` false it is a remark on the whole file, such as an unknown column; the rows are still read.
    """

    line: int
    reason: str
    row_skipped: bool = True

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class TextLine:
    """One physical line. `cut` means that it was longer than `MAX_LINE_CHARS`, and only its beginning is here."""

    number: int
    text: str
    cut: bool


def bounded_lines(stream: TextIO) -> Iterator[TextLine]:
    """The physical lines of a file with their line ends, none longer than `MAX_LINE_CHARS`.

    Raises:
        UsageError: the file has another encoding.
    """
    number = 0
    try:
        while text := stream.readline(MAX_LINE_CHARS):
            number += 1
            cut = len(text) == MAX_LINE_CHARS and not text.endswith(("\n", "\r"))
            if cut:
                while (rest := stream.readline(MAX_LINE_CHARS)) and not rest.endswith(("\n", "\r")):
                    pass
            yield TextLine(number, text, cut)
    except UnicodeError as error:
        told = f"from line {number + 1} on the file is not {stream.encoding}: {error}"
        raise UsageError(f"{told}. Name its encoding with --encoding") from error
