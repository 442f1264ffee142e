"""Reads JSON lines as numbered rows, one at a time.

Owns the form of the file. Must not know platforms or products.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NoReturn, TextIO

from pagemill.intake.rows import BadRow, RawRow, bounded_lines
from pagemill.intake.text_file import undecodable


def read_jsonl_rows(stream: TextIO, on_bad_row: Callable[[BadRow], None]) -> Iterator[RawRow]:
    """One row for each line with a JSON object; blank lines are skipped.

    The stream must be opened by `open_text`, with `newline="\\n"`.
    """
    for line in bounded_lines(stream):
        if not line.text.strip():
            continue
        if line.cut:
            on_bad_row(BadRow(line.number, "it is longer than a million characters"))
            continue
        try:
            line.text.encode()
            value = _decoder.decode(line.text.strip("\ufeff \t\r\n"))
        except UnicodeEncodeError:
            on_bad_row(BadRow(line.number, undecodable(stream)))
        except json.JSONDecodeError as error:
            on_bad_row(BadRow(line.number, f"it is not JSON: {error.msg} at character {error.pos + 1}"))
        except ValueError as error:
            on_bad_row(BadRow(line.number, f"it is not JSON: {error}"))
        except RecursionError:
            on_bad_row(BadRow(line.number, "it is nested too deeply"))
        else:
            if isinstance(value, dict):
                yield RawRow(line.number, value)
            else:
                on_bad_row(BadRow(line.number, 'it is not a JSON object such as {"id": "1", "url": "https://..."}'))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


_decoder = json.JSONDecoder(parse_constant=_refuse)
