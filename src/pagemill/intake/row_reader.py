"""Reads one row of a catalogue as a product of a platform: required and expected values, and reasons for refusal."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Mapping

from pagemill.config.hosts import HostRules
from pagemill.config.platform import Platform
from pagemill.config.web_address import UNPRINTABLE, usable_text
from pagemill.errors import PatternTooSlow
from pagemill.intake.csv_rows import REQUIRED
from pagemill.intake.expected import ValueKind, read_expected, value_kind_of
from pagemill.intake.number_text import DecimalSign, is_plain_number
from pagemill.intake.rows import BadRow, RawRow
from pagemill.model import FactValue, Product

MAX_ID_CHARS = 200
_MAX_UNKNOWN = 100


class Numbers:
    """How numbers of one catalogue are written. Reports once how a number was read that programs would not write so."""

    def __init__(self, sign: DecimalSign, delimiter: str, on_bad_row: Callable[[BadRow], None]) -> None:
        """`delimiter` is the reason why the sign may be either; used in the remark."""
        self.sign: DecimalSign = sign
        self._delimiter = "tabs" if delimiter == "\t" else repr(delimiter)
        self._on_bad_row = on_bad_row
        self._to_tell = sign == "either"

    def note(self, column: str, value: object, read: FactValue, line: int) -> None:
        """To be called for each number that was read."""
        if self._to_tell and isinstance(value, str) and not is_plain_number(" ".join(value.split())):
            self._to_tell = False
            reason = (
                f"column {column[:100]!r}: {value[:60]!r} is read as {read}. Columns parted by {self._delimiter} may "
                "have decimal commas; --decimal , or --decimal . says what these have"
            )
            self._on_bad_row(BadRow(line, reason, row_skipped=False))


class RowReader:
    """Reads rows by the rules of one platform."""

    def __init__(self, platform: Platform, on_bad_row: Callable[[BadRow], None]) -> None:
        self._platform = platform.platform
        self._product = platform.product
        self._hosts: HostRules = platform.host_rules()
        self._kinds: dict[str, ValueKind] = {
            name: value_kind_of(rules) for name, rules in platform.extract.fields.items()
        }
        folded = Counter(name.casefold() for name in self._kinds)
        self._folded = {name.casefold(): name for name in self._kinds if folded[name.casefold()] == 1}
        self._unknown: set[str] = set()
        self._on_bad_row = on_bad_row

    def read(self, row: RawRow, numbers: Numbers) -> Product:
        """The product in a row.

        Raises:
            ValueError: the row is bad; the message is the reason.
        """
        product_id = _read_id(required(row.values, "id"))
        url = self._read_url(product_id, read_url(row.values))
        return Product(id=product_id, url=url, expected=self._read_fields(row, numbers))

    def _read_url(self, product_id: str, url: str) -> str:
        try:
            names = self._product.names_of(product_id, url)
        except PatternTooSlow as error:
            raise ValueError(f"product.id of platform {self._platform}: {error}") from error
        if names is None:
            raise ValueError(f"product.id of platform {self._platform} finds no id in the url {url[:200]!r}")
        # If `product.visit` builds the address from the id, the row's own URL is not visited and need not fit.
        refusal = self._hosts.refusal(self._product.address_of(names))
        if refusal is not None:
            raise ValueError(refusal)
        return url

    def _read_fields(self, row: RawRow, numbers: Numbers) -> dict[str, FactValue]:
        expected: dict[str, FactValue] = {}
        columns: dict[str, str] = {}
        for name, value in row.values.items():
            if name in REQUIRED:
                continue
            field = name if name in self._kinds else self._field_of(name, row.values)
            if field is None:
                if value not in (None, "") and name.strip().lower() not in REQUIRED:
                    self._note_unknown(name, row.line)
                continue
            kind = self._kinds[field]
            try:
                fact = read_expected(value, kind, numbers.sign)
            except ValueError as error:
                raise ValueError(f"{name.strip()}: {error}") from error
            if fact is None:
                continue
            if field in columns:
                raise ValueError(f"columns {columns[field]!r} and {name!r} are both {field}: rename or remove one")
            columns[field] = name
            expected[field] = fact
            if kind == "number":
                numbers.note(name, value, fact, row.line)
        return expected

    def _field_of(self, column: str, row: Mapping[str, object]) -> str | None:
        """The field of a column in other case or with spaces, such as ` Price`; `None` if the row has the exact one."""
        field = self._folded.get(column.strip().casefold())
        return None if field in row or field in REQUIRED else field

    def _note_unknown(self, name: str, line: int) -> None:
        # Limited, because a JSON file with a new key in every row would fill the memory.
        if name in self._unknown or len(self._unknown) >= _MAX_UNKNOWN:
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


def required(values: Mapping[str, object], name: str) -> object:
    """The value of the column `id` or `url`, also if it is written ` ID ` or `Url`."""
    if name in values:
        return values[name]
    return next((value for column, value in values.items() if column.strip().lower() == name), None)


def read_url(values: Mapping[str, object]) -> str:
    """The URL of a row.

    Raises:
        ValueError: it is missing, or cannot be visited.
    """
    value = required(values, "url")
    url = value.strip() if isinstance(value, str) else ""
    if not url:
        raise ValueError("no url")
    return usable_text(url)


def _read_id(value: object) -> str:
    # Catalogues in JSON often have numbers as ids.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    product_id = text.strip() if isinstance(text, str) else ""
    if not product_id:
        raise ValueError("no id")
    if len(product_id) > MAX_ID_CHARS:
        raise ValueError(f"the id is longer than {MAX_ID_CHARS} characters: {product_id[:40]!r}...")
    if UNPRINTABLE.search(product_id):
        raise ValueError(f"the id holds control characters: {product_id[:40]!r}")
    return product_id
