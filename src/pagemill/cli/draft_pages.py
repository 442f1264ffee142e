"""Chooses the pages for a draft from the command's options, with what is known of their products."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pagemill.config.platform import Platform
from pagemill.config.reading.strategies import STANDARD_FACTS
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.gather import AskedPage
from pagemill.errors import UsageError
from pagemill.intake.catalog import BadRow, read_catalog
from pagemill.intake.expected import ValueKind, read_expected
from pagemill.model import Product

MOST_PAGES = 12
"""Limited, because each page stays open until the end and takes memory."""
_MOST_ROWS = 20_000
"""Rows of a catalogue that are read, to choose some of them."""
_KINDS: Mapping[str, ValueKind] = {**STANDARD_FACTS, "status": "text"}
_ROLES = {"sold_out": PageRole.SOLD_OUT, "off_sale": PageRole.OFF_SALE, "gone": PageRole.GONE}
_PAIR = re.compile(r"(?:\A|,)\s*(\w+)\s*=")


def asked_pages(
    urls: Sequence[str],
    others: Mapping[PageRole, Sequence[str]],
    expect: str,
    source: Path | None,
    rows: int,
) -> list[AskedPage]:
    """All pages to visit, products on sale first.

    Args:
        urls: URLs of products on sale.
        others: URLs by the state that the user gave for them.
        expect: the first product's values: `name=..., price=...`.
        source: a catalogue; some of its rows are visited, with the values that they expect.
        rows: how many rows.

    Raises:
        UsageError: no page, a repeated page, too many pages, or `expect` cannot be read.
    """
    expected = read_pairs(expect)
    if expected and not urls:
        raise UsageError("--expect says what the first URL has: name a URL")
    pages = [AskedPage(url, PageRole.ON_SALE, expected if at == 0 else {}) for at, url in enumerate(urls)]
    pages += [AskedPage(url, role) for role, several in others.items() for url in several]
    known = {page.url for page in pages}
    if source is not None:
        pages += [page for page in _rows_of(source, rows) if page.url not in known]
    if not any(page.role is PageRole.ON_SALE for page in pages):
        raise UsageError("name the page of at least one product on sale, three are better: pagemill draft NAME URL ...")
    twice = sorted({page.url for page in pages if sum(other.url == page.url for other in pages) > 1})
    if twice:
        raise UsageError(f"{twice[0]} is named twice: each page is visited once")
    if len(pages) > MOST_PAGES:
        raise UsageError(f"{len(pages)} pages are too many: {MOST_PAGES} at most")
    return sorted(pages, key=lambda page: page.role is not PageRole.ON_SALE)


def read_pairs(text: str) -> dict[str, Any]:
    """The values in `--expect`, by field. The text may be a JSON object.

    Raises:
        UsageError: it cannot be read.
    """
    values: dict[str, Any] = {}
    for name, said in (_of_json(text) if text.lstrip().startswith("{") else _of_pairs(text)).items():
        if name not in _KINDS:
            raise UsageError(f"--expect: {name} is no field of a draft: use {', '.join(_KINDS)}")
        try:
            value = read_expected(said, _KINDS[name])
        except ValueError as error:
            raise UsageError(f"--expect: {name} {str(error).partition(', or say with')[0]}") from error
        if value is not None:
            values[name] = value
    return values


def _of_pairs(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    found = list(_PAIR.finditer(text))
    if not found or found[0].start() != 0:
        raise UsageError(f"--expect {text!r} is not understood: write name=...,price=12900")
    ends = [*(pair.start() for pair in found[1:]), len(text)]
    return {pair[1]: text[pair.end() : end] for pair, end in zip(found, ends, strict=True)}


def _of_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f'--expect is not JSON: {error}: write {{"name": "...", "price": 12900}}') from error
    assert isinstance(found, dict)
    return found


def _rows_of(source: Path, count: int) -> list[AskedPage]:
    """Up to `count` rows, spread over the catalogue, plus one for each state that its rows have."""
    products = list(islice(_products(source), _MOST_ROWS))
    if not products:
        raise UsageError(f"{source} has no row that can be used: it needs the columns id and url")
    by_role: dict[PageRole, list[Product]] = {}
    for product in products:
        by_role.setdefault(_role_of(product), []).append(product)
    others = [several[0] for role, several in by_role.items() if role is not PageRole.ON_SALE]
    on_sale = _spread(by_role.get(PageRole.ON_SALE, []), max(1, count - len(others)))
    return [AskedPage(each.url, _role_of(each), each.expected) for each in (*on_sale, *others)]


def _products(source: Path) -> Iterator[Product]:
    bad: list[BadRow] = []
    return read_catalog(source, _any_platform(), bad.append)


def _any_platform() -> Platform:
    """A stand-in for the platform that does not exist yet. Its `visit` makes a row's URL count as it is."""
    fields = {name: {"path": name, **({} if kind == "text" else {"type": kind})} for name, kind in _KINDS.items()}
    return Platform.model_validate(
        {
            "platform": "draft",
            "hosts": ["shop.invalid"],
            "product": {"visit": "https://shop.invalid/{id}"},
            "extract": {"strategy": "api_capture", "match": "**", "fields": fields},
        }
    )


def _role_of(product: Product) -> PageRole:
    if product.expected.get("in_stock") is False:
        return PageRole.SOLD_OUT
    return _ROLES.get(str(product.expected.get("status")), PageRole.ON_SALE)


def _spread(products: Sequence[Product], count: int) -> list[Product]:
    if len(products) <= count:
        return list(products)
    return [products[at * (len(products) - 1) // max(1, count - 1)] for at in range(count)]
