"""Reads a catalogue as a stream of products, and makes sure that no id occurs twice.

Must not keep in memory anything that grows with the catalogue: 1,000,000 rows need as much as 1,000. `row_reader` has
the rules for one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from pagemill.config.catalog import NAME, CatalogTable
from pagemill.config.platform import Platform
from pagemill.errors import UsageError
from pagemill.intake.catalog_table import read_table_rows
from pagemill.intake.csv_rows import CsvRows
from pagemill.intake.jsonl_rows import read_jsonl_rows
from pagemill.intake.platform_by_host import ReaderByHost
from pagemill.intake.platforms import Platforms, by_name
from pagemill.intake.row_reader import Numbers, RowReader
from pagemill.intake.rows import BadRow, RawRow
from pagemill.intake.seen_ids import SeenIds
from pagemill.intake.text_file import known_encoding, open_text
from pagemill.model import Product

__all__ = ["BadRow", "read_catalog", "read_rows"]

SQL = "sql"
"""The source that stands for a table: this word alone, or with a colon and the table's name."""

CSV_ENDINGS = (".csv", ".tsv")
JSONL_ENDINGS = (".jsonl", ".ndjson")

Decimal = Literal[".", ","] | None
"""The decimal sign of numbers in text; `None` if the form of the catalogue decides."""


def read_catalog(
    source: str | Path,
    platform: Platforms,
    on_bad_row: Callable[[BadRow], None],
    catalog_url: str = "",
    slow_statement_ms: float = 0,
    encoding: str = "",
    decimal: Decimal = None,
    *,
    called: str = "",
) -> Iterator[Product]:
    """Streams the products of a catalogue: of a file in its order, of a table in the order of its ids.

    `id` and `url` are required. Every other column is an expected field, read with the type in the platform's
    `extract.fields`; an empty cell expects nothing. A bad row is reported and skipped: no id, an id that is too long or
    a repeated one, an invalid URL, a host of another platform, a value of the wrong type, broken CSV or JSON. Two
    remarks are made once, with `row_skipped` false: a column is unknown to the platform and ignored; and how the first
    number with a decimal comma or digit groups was read.

    Args:
        source: the path of a CSV (`.csv`, `.tsv`) or JSON lines (`.jsonl`, `.ndjson`) file; or `sql` for the table in
            the platform's `catalog`, or `sql:NAME` for another table.
        platform: the products' platform; or several platforms, and then each product names its own.
        on_bad_row: called for each bad row, before the next product is yielded.
        catalog_url: the tables' database.
        slow_statement_ms: slower statements are logged; 0 logs none.
        encoding: the file's encoding, by a name that Python knows; UTF-8 by default, with or without BOM.
        decimal: the decimal sign; the other sign, and spaces, may then separate groups of three digits. By default it
            is the point, without groups. In CSV whose delimiter is not the comma it may be both by default, and a
            number that can be read in two ways makes a bad row.
        called: the file's name in errors, if its path means nothing to the reader.

    Raises:
        UsageError: at once if the file does not exist, or its kind or encoding is unknown; at the first product if the
            header or the table cannot be used.
        DatabaseUnavailable: the database went out of reach while reading.
    """
    if is_table(source):
        if encoding:
            raise UsageError("a table has no encoding: leave --encoding out")
        table, fields = _table_of(str(source), platform), _fields(platform)

        def table_rows(_opened: ExitStack) -> tuple[Iterable[RawRow], Numbers]:
            rows = read_table_rows(catalog_url, table, fields, on_bad_row, slow_statement_ms)
            return rows, Numbers(decimal or "plain", "", on_bad_row)

        return _products(table_rows, platform, on_bad_row, "row")
    path = Path(source)
    ending = path.suffix.lower()
    if ending not in CSV_ENDINGS + JSONL_ENDINGS:
        raise UsageError(f"{path} is not a catalogue: its name must end in {', '.join(CSV_ENDINGS + JSONL_ENDINGS)}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    if not path.exists():
        raise UsageError(f"{path} does not exist: correct the path")
    known = known_encoding(encoding)

    def file_rows(opened: ExitStack) -> tuple[Iterable[RawRow], Numbers]:
        if ending in JSONL_ENDINGS:
            stream = opened.enter_context(open_text(path, known, "\n"))
            return read_jsonl_rows(stream, on_bad_row), Numbers(decimal or "plain", "", on_bad_row)
        rows = CsvRows(opened.enter_context(open_text(path, known, "")), called or str(path), on_bad_row)
        sign = decimal or ("plain" if rows.delimiter == "," else "either")
        return rows, Numbers(sign, rows.delimiter, on_bad_row)

    return _readable(called or str(path), _products(file_rows, platform, on_bad_row, "line"))


def read_rows(
    rows: Iterable[Mapping[str, object]],
    platform: Platforms,
    on_bad_row: Callable[[BadRow], None],
    *,
    decimal: Decimal = None,
) -> Iterator[Product]:
    """Streams the products in a program's own rows, by the rules for catalogues. A row's line is its number.

    NaN, which libraries use for empty cells, expects nothing.
    """
    plain = ({str(name): _plain(value) for name, value in row.items()} for row in rows)
    numbered = (RawRow(*each) for each in enumerate(plain, 1))
    numbers = Numbers(decimal or "plain", "", on_bad_row)
    return _products(lambda _opened: (numbered, numbers), platform, on_bad_row, "row")


def _plain(value: object) -> object:
    """A cell's value as a plain Python value; libraries such as pandas have their own types."""
    item = getattr(value, "item", None)
    try:
        own = item() if callable(item) else value
    except (TypeError, ValueError):  # the cell holds several values
        return [value]
    try:
        return None if own != own else own
    except TypeError:  # `pandas.NA` has no truth value
        return None
    except ValueError:
        return [value]


def is_table(source: str | Path) -> bool:
    """Whether the source is an SQL table and not a file."""
    return str(source) == SQL or str(source).startswith(f"{SQL}:")


def _table_of(source: str, platform: Platforms) -> CatalogTable:
    name = source.removeprefix(SQL).removeprefix(":")
    if not name and not isinstance(platform, Platform):
        raise UsageError("a table of several platforms' products must be named: write sql:TABLE")
    described = platform.catalog if isinstance(platform, Platform) else CatalogTable()
    if not name and isinstance(platform, Platform) and described.table is None:
        raise UsageError(
            f"platform {platform.platform} does not say which table its products are in: add catalog.table to "
            f"platforms/{platform.platform}.yaml, or write sql:TABLE"
        )
    if not name:
        return described
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name in a database: write it without quotes and spaces")
    return described.model_copy(update={"table": name})


def _fields(platform: Platforms) -> frozenset[str]:
    return frozenset(field for each in by_name(platform).values() for field in each.extract.fields)


def _readable(called: str, products: Iterator[Product]) -> Iterator[Product]:
    try:
        yield from products
    except OSError as error:
        raise UsageError(f"{called} cannot be read: {error.strerror}. Make it readable") from error


def _products(
    rows: Callable[[ExitStack], tuple[Iterable[RawRow], Numbers]],
    platform: Platforms,
    on_bad_row: Callable[[BadRow], None],
    unit: str,
) -> Iterator[Product]:
    single = isinstance(platform, Platform)
    reader = RowReader(platform, on_bad_row) if isinstance(platform, Platform) else ReaderByHost(platform, on_bad_row)
    with ExitStack() as opened:
        seen = opened.enter_context(SeenIds())
        raw_rows, numbers = rows(opened)
        for row in raw_rows:
            try:
                product = reader.read(row, numbers)
            except ValueError as error:
                on_bad_row(BadRow(row.line, str(error)))
                continue
            first_line = seen.add(product.id, row.line)
            if first_line is not None:
                remedy = "" if single else ": ids must differ within a run, also those of different platforms"
                on_bad_row(BadRow(row.line, f"id {product.id!r} is in {unit} {first_line} already{remedy}"))
                continue
            yield product
