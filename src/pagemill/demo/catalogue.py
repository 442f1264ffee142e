"""Catalogues of the practice shop: rows as a user would bring them, each with the verdict that is right for it.

Owns which products are asked for and how rows are written. `truth` knows the truth about a product.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from pagemill.demo.faults import FAULTS
from pagemill.demo.pages import WEIGHTS
from pagemill.demo.truth import ProductState, Truth, truth_of
from pagemill.errors import UsageError
from pagemill.model import FactValue, Product, Verdict
from pagemill.old_names import old_names

__getattr__ = old_names(__name__, write_csv=f"{__name__}.write_catalogue_csv")

PLATFORM_PATHS = {"demo-hydrated": "hydrated", "demo-jsonld": "jsonld", "demo-api": "api"}
"""The shop's platforms, and the first part of the path of their URLs."""

COLUMNS = ("id", "url", "name", "price", "in_stock")


class Row(Protocol):
    """The part of a row that is written. A protocol because there are two kinds: the `CatalogueRow` and a practice
    shop's."""

    @property
    def product(self) -> Product:
        """The product as the catalogue knows it."""
        ...


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One product, its right verdict, and other verdicts that are right too because they depend on the machine."""

    product: Product
    right_verdict: Verdict
    also_right: frozenset[Verdict] = frozenset()

    def accepts(self, verdict: Verdict) -> bool:
        """Whether that verdict is right for this row."""
        return verdict is self.right_verdict or verdict in self.also_right

    def mistakes(self, verdict: Verdict, _facts: Mapping[str, FactValue]) -> tuple[str, ...]:
        """What is wrong with that verdict; empty if it is right. Facts follow from it here, so they are not checked."""
        return () if self.accepts(verdict) else (f"it should be {self.right_verdict.value}",)


def generate(
    platform: str,
    base_url: str,
    count: int,
    *,
    seed: int = 0,
    faults: Sequence[str] = (),
    leak_kb: int = 0,
    fault_every: int = 10,
    weight: str = "normal",
) -> Iterator[CatalogueRow]:
    """Yields `count` rows one at a time, in flat memory. The same arguments give the same rows.

    With `faults`, every `fault_every`-th row gets the next of them, in turn. Its product is pinned to `ok`, so that the
    fault's verdict is the right one. `leak_kb` makes every page leak that many KB (see docs/storefront.md).

    Raises:
        UsageError: the shop has no such platform, fault or weight. Raised by the call, and not at the first row.
    """
    if platform not in PLATFORM_PATHS:
        raise UsageError(f"the practice shop has no platform {platform!r}: use one of {', '.join(PLATFORM_PATHS)}")
    if weight not in WEIGHTS:
        raise UsageError(f"the practice shop has no weight {weight!r}: use one of {', '.join(WEIGHTS)}")
    for kind in faults:
        if kind not in FAULTS:
            raise UsageError(f"the practice shop has no fault {kind!r}: use one of {', '.join(FAULTS)}")
    if fault_every < 1:
        raise UsageError("fault_every must be at least 1")
    options = {"weight": weight} if weight != "normal" else {}
    if leak_kb:
        options["leak"] = str(leak_kb)
    prefix = f"{base_url.rstrip('/')}/{PLATFORM_PATHS[platform]}/p/"
    id_prefix = f"{platform.removeprefix('demo-')[0]}-" + (f"s{seed}-" if seed else "")
    return _rows(prefix, id_prefix, count, tuple(faults), fault_every, options)


def write_catalogue_csv(path: Path, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> int:
    """Writes the rows as UTF-8 CSV with a header, booleans as `true` and `false`. Returns the number of rows.

    The first two columns are `id` and `url`, the others are the expected values.
    """
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            product = row.product
            facts = (_as_cell(product.expected.get(name)) for name in columns[2:])
            writer.writerow((product.id, product.url, *facts))
            written += 1
    return written


def write_catalogue_jsonl(path: Path, rows: Iterable[CatalogueRow]) -> int:
    """Writes the rows as UTF-8 JSON lines without values that a row does not expect. Returns the number of rows."""
    written = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            expected = {name: row.product.expected[name] for name in COLUMNS[2:] if name in row.product.expected}
            line = {"id": row.product.id, "url": row.product.url, **expected}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            written += 1
    return written


def _rows(
    prefix: str, id_prefix: str, count: int, faults: tuple[str, ...], fault_every: int, options: dict[str, str]
) -> Iterator[CatalogueRow]:
    for number in range(count):
        product_id = f"{id_prefix}{number:06d}"
        round_number, place = divmod(number, fault_every)
        if faults and place == fault_every - 1:
            fault = FAULTS[faults[round_number % len(faults)]]
            truth = truth_of(f"{product_id}.{ProductState.OK}")
            url = _url(prefix, truth, {**options, "fault": fault.kind})
            yield CatalogueRow(_product(truth, url), fault.right_verdict, fault.also_right)
        else:
            truth = truth_of(product_id)
            yield CatalogueRow(_product(truth, _url(prefix, truth, options)), truth.verdict)


def _product(truth: Truth, url: str) -> Product:
    expected: dict[str, FactValue] = {
        "name": truth.listed_name,
        "price": truth.listed_price,
        "in_stock": truth.listed_in_stock,
    }
    return Product(truth.product_id, url, expected)


def _url(prefix: str, truth: Truth, options: dict[str, str]) -> str:
    query = f"?{urlencode(options)}" if options else ""
    return f"{prefix}{truth.product_id}{query}"


def _as_cell(value: FactValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
