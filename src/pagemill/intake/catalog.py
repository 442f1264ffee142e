"""A catalogue as a stream of products: what is read, what is refused and why.

Owns the rules for one row and for ids within the catalogue, be it a file or an SQL table. Must not hold it, or anything
that grows with it, in memory: 1,000,000 rows take as much as 1,000.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from pagemill.config.catalog import NAME, CatalogTable
from pagemill.config.hosts import HostRules
from pagemill.config.platform import Platform
from pagemill.errors import PatternTooSlow, UsageError
from pagemill.intake.catalog_table import read_table_rows
from pagemill.intake.csv_rows import REQUIRED, read_csv_rows
from pagemill.intake.expected import Kind, kind_of, read_expected
from pagemill.intake.jsonl_rows import read_jsonl_rows
from pagemill.intake.rows import BadRow, RawRow
from pagemill.intake.seen_ids import SeenIds
from pagemill.model import FactValue, Product

__all__ = ["BadRow", "read_catalog"]

SQL = "sql"
"""What a source is called that is a table, alone or with a colon and the table's name."""

CSV_ENDINGS = (".csv", ".tsv")
JSONL_ENDINGS = (".jsonl", ".ndjson")
MAX_ID_CHARS = 200
MAX_URL_CHARS = 8000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def read_catalog(
    source: str | Path,
    platform: Platform,
    on_bad_row: Callable[[BadRow], None],
    catalog_url: str = "",
    slow_statement_ms: float = 0,
    *,
    called: str = "",
) -> Iterator[Product]:
    """Streams the products of a catalogue, a file's in its order, a table's in the order of its ids.

    `id` and `url` are required; every other column is an expected field and is read as the type that the platform's
    `extract.fields` state; an empty one is not expected. A bad row is reported and passed over: no id, an id that is
    too long or was there before, not a URL, a host that is not the platform's, a value of the wrong type, broken CSV
    or JSON. A column of a file that the platform does not know is reported once, with `row_skipped` false, and not
    compared.

    Args:
        source: the path of a CSV (`.csv`, `.tsv`) or JSON lines (`.jsonl`, `.ndjson`) file, UTF-8 with or without BOM;
            or `sql` for the table that the platform's `catalog` describes, `sql:NAME` for another one.
        platform: whose products these are.
        on_bad_row: called for each, before the next product is yielded.
        catalog_url: the database that tables are in.
        slow_statement_ms: a statement there that takes longer is logged; with 0 none is.
        called: what errors call a file, where its path says nothing to who reads them.

    Raises:
        UsageError: at once when there is no such file or its kind is unknown; at the first product when the header or
            the table is of no use.
        DatabaseUnavailable: while reading, when the database is out of reach.
    """
    if is_table(source):
        table = _table_of(str(source), platform)
        fields = frozenset(platform.extract.fields)
        return _products(
            lambda _open: read_table_rows(catalog_url, table, fields, on_bad_row, slow_statement_ms),
            platform,
            on_bad_row,
            "row",
        )
    path = Path(source)
    ending = path.suffix.lower()
    if ending not in CSV_ENDINGS + JSONL_ENDINGS:
        raise UsageError(f"{path} is not a catalogue: its name must end in {', '.join(CSV_ENDINGS + JSONL_ENDINGS)}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    if not path.exists():
        raise UsageError(f"{path} does not exist: correct the path")
    return _file_products(path, platform, on_bad_row, Path(called or path))


def read_rows(
    rows: Iterable[Mapping[str, object]], platform: Platform, on_bad_row: Callable[[BadRow], None]
) -> Iterator[Product]:
    """Streams the products of a program's own rows, by the same rules as a catalogue's; a row's line is its number.

    A value that is not a number (NaN), as in a table's empty cells, is not expected.
    """
    plain = ({str(name): _plain(value) for name, value in row.items()} for row in rows)
    return _products(lambda _opened: (RawRow(*each) for each in enumerate(plain, 1)), platform, on_bad_row, "row")


def _plain(value: object) -> object:
    """What libraries for tables have in their cells, as Python's own."""
    item = getattr(value, "item", None)
    if callable(item):
        value = item()
    return None if value != value else value


def is_table(source: str | Path) -> bool:
    """Whether the source is an SQL table and not a file."""
    return str(source) == SQL or str(source).startswith(f"{SQL}:")


def _table_of(source: str, platform: Platform) -> CatalogTable:
    name = source.removeprefix(SQL).removeprefix(":")
    if not name and platform.catalog.table is None:
        raise UsageError(
            f"platform {platform.platform} does not say which table its products are in: add catalog.table to "
            f"platforms/{platform.platform}.yaml, or write sql:TABLE"
        )
    if not name:
        return platform.catalog
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name in a database: write it without quotes and spaces")
    return platform.catalog.model_copy(update={"table": name})


def _file_products(
    path: Path, platform: Platform, on_bad_row: Callable[[BadRow], None], called: Path
) -> Iterator[Product]:
    is_csv = path.suffix.lower() in CSV_ENDINGS

    def rows(opened: ExitStack) -> Iterable[RawRow]:
        newline = "" if is_csv else "\n"
        stream = opened.enter_context(path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline))
        return read_csv_rows(stream, called, on_bad_row) if is_csv else read_jsonl_rows(stream, on_bad_row)

    try:
        yield from _products(rows, platform, on_bad_row, "line")
    except OSError as error:
        raise UsageError(f"{called} cannot be read: {error.strerror}. Make it readable") from error


def _products(
    rows: Callable[[ExitStack], Iterable[RawRow]],
    platform: Platform,
    on_bad_row: Callable[[BadRow], None],
    unit: str,
) -> Iterator[Product]:
    reader = _RowReader(platform, on_bad_row)
    with ExitStack() as opened:
        seen = opened.enter_context(SeenIds())
        for row in rows(opened):
            try:
                product = reader.read(row)
            except ValueError as error:
                on_bad_row(BadRow(row.line, str(error)))
                continue
            first_line = seen.add(product.id, row.line)
            if first_line is not None:
                on_bad_row(BadRow(row.line, f"id {product.id!r} is in {unit} {first_line} already"))
                continue
            yield product


class _RowReader:
    """The rules of one platform for one row."""

    def __init__(self, platform: Platform, on_bad_row: Callable[[BadRow], None]) -> None:
        self._platform = platform.platform
        self._product = platform.product
        self._hosts: HostRules = platform.host_rules()
        self._kinds: dict[str, Kind] = {name: kind_of(rules) for name, rules in platform.extract.fields.items()}
        self._unknown: set[str] = set()
        self._on_bad_row = on_bad_row

    def read(self, row: RawRow) -> Product:
        """The product in a row.

        Raises:
            ValueError: the row is bad; the message is the reason.
        """
        product_id = _read_id(row.values.get("id"))
        url = self._read_url(product_id, row.values.get("url"))
        return Product(id=product_id, url=url, expected=self._read_fields(row))

    def _read_url(self, product_id: str, value: object) -> str:
        url = value.strip() if isinstance(value, str) else ""
        if not url:
            raise ValueError("no url")
        if len(url) > MAX_URL_CHARS:
            raise ValueError(f"the url is longer than {MAX_URL_CHARS} characters")
        if _UNPRINTABLE.search(url) or " " in url:
            raise ValueError(f"not a URL: {url[:200]!r}")
        try:
            names = self._product.names_of(product_id, url)
        except PatternTooSlow as error:
            raise ValueError(f"product.id of platform {self._platform}: {error}") from error
        if names is None:
            raise ValueError(f"product.id of platform {self._platform} finds no id in the url {url[:200]!r}")
        # Where the address is built from the id, the row's own is not visited.
        refusal = self._hosts.refusal(self._product.address_of(names))
        if refusal is not None:
            raise ValueError(refusal)
        return url

    def _read_fields(self, row: RawRow) -> dict[str, FactValue]:
        expected: dict[str, FactValue] = {}
        for name, value in row.values.items():
            if name in REQUIRED:
                continue
            kind = self._kinds.get(name)
            if kind is None:
                self._note_unknown(name, row.line)
                continue
            try:
                fact = read_expected(value, kind)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
            if fact is not None:
                expected[name] = fact
        return expected

    def _note_unknown(self, name: str, line: int) -> None:
        # JSON keys come from the file: a file with a new key in every row must not fill the memory.
        if name in self._unknown or len(self._unknown) >= 100:
            return
        self._unknown.add(name)
        near = difflib.get_close_matches(name, self._kinds, n=1, cutoff=0.6)
        known = f"did you mean {near[0]!r}? " if near else ""
        self._on_bad_row(
            BadRow(
                line,
                f"column {name[:100]!r} is not one of the fields of platform {self._platform} and is not compared: "
                f"{known}(known: {', '.join(self._kinds)})",
                row_skipped=False,
            )
        )


def _read_id(value: object) -> str:
    # Catalogues in JSON often number their products.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    product_id = text.strip() if isinstance(text, str) else ""
    if not product_id:
        raise ValueError("no id")
    if len(product_id) > MAX_ID_CHARS:
        raise ValueError(f"the id is longer than {MAX_ID_CHARS} characters: {product_id[:40]!r}...")
    if _UNPRINTABLE.search(product_id):
        raise ValueError(f"the id holds control characters: {product_id[:40]!r}")
    return product_id
