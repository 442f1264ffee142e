"""A catalogue as a stream of products: where it is read from, and that no id comes twice.

Must not hold it, or anything that grows with it, in memory: 1,000,000 rows take as much as 1,000. The rules for one row
are `row_reader`'s.
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
"""What a source is called that is a table, alone or with a colon and the table's name."""

CSV_ENDINGS = (".csv", ".tsv")
JSONL_ENDINGS = (".jsonl", ".ndjson")

Decimal = Literal[".", ","] | None
"""The decimal sign of numbers in text; `None` for what the form of the catalogue says."""


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
    """Streams the products of a catalogue, a file's in its order, a table's in the order of its ids.

    `id` and `url` are required; every other column is an expected field and is read as the type that the platform's
    `extract.fields` state; an empty one is not expected. A bad row is reported and passed over: no id, an id that is
    too long or was there before, not a URL, a host that is not the platform's, a value of the wrong type, broken CSV
    or JSON. Told once, with `row_skipped` false: a column that the platform does not know, and is not compared; and how
    the first number was read that has a decimal comma, or groups of digits.

    Args:
        source: the path of a CSV (`.csv`, `.tsv`) or JSON lines (`.jsonl`, `.ndjson`) file; or `sql` for the table that
            the platform's `catalog` describes, `sql:NAME` for another one.
        platform: whose products these are. Of several, each product says its own.
        on_bad_row: called for each, before the next product is yielded.
        catalog_url: the database that tables are in.
        slow_statement_ms: a statement there that takes longer is logged; with 0 none is.
        encoding: of a file, by a name that Python knows; UTF-8, with or without BOM, unless told.
        decimal: the decimal sign; the other one, and spaces, may then part groups of three digits. Unless told it is
            the point, and nothing parts groups; in CSV whose columns a comma does not part it may be both, and what
            could be read in two ways is a bad row.
        called: what errors call a file, where its path says nothing to who reads them.

    Raises:
        UsageError: at once when there is no such file or its kind or encoding is unknown; at the first product when the
            header or the table is of no use.
        DatabaseUnavailable: while reading, when the database is out of reach.
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
    """Streams the products of a program's own rows, by the same rules as a catalogue's; a row's line is its number.

    A value that is not a number (NaN), as in a table's empty cells, is not expected.
    """
    plain = ({str(name): _plain(value) for name, value in row.items()} for row in rows)
    numbered = (RawRow(*each) for each in enumerate(plain, 1))
    numbers = Numbers(decimal or "plain", "", on_bad_row)
    return _products(lambda _opened: (numbered, numbers), platform, on_bad_row, "row")


def _plain(value: object) -> object:
    """What libraries for tables have in their cells, as Python's own."""
    item = getattr(value, "item", None)
    try:
        own = item() if callable(item) else value
    except (TypeError, ValueError):  # several values in one cell
        return [value]
    try:
        return None if own != own else own
    except TypeError:  # pandas.NA, which says neither that it is itself nor that it is not
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
