"""`pagemill draft` before any page is visited: which pages are meant, what is expected of them, what is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from pagemill.cli.draft_pages import MOST_PAGES, asked_pages, read_pairs
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.gather import preliminary
from pagemill.errors import UsageError
from tests.unit.cli.command import Said, run

URL = "https://www.shop.test/p/"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With an empty configuration."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    return tmp_path


def drafted(folder: Path, *arguments: str) -> Said:
    """The command without a browser: whatever gets as far as one ends with 69."""
    return run(folder, "draft", *arguments, PAGEMILL_CHROMIUM=str(folder / "no-chromium"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop"], "name the page of at least one product on sale"),
        (["shop", "--gone", URL + "1"], "name the page of at least one product on sale"),
        (["shop", "www.shop.test/p/1"], "not an http or https URL"),
        (["shop", "https:///p/1"], "a URL without a host"),
        (["Shop!", URL + "1"], "'Shop!' is not a platform's name"),
        (["auto", URL + "1"], "'auto' means each product's own platform"),
        (["shop", URL + "1", URL + "1"], "is named twice"),
        (["shop", URL + "1", "--gone", URL + "1"], "is named twice"),
        (["shop", URL + "1", "--device", "Toaster"], "Toaster"),
        (["shop", URL + "1", "--wait-ms", "soon"], "'soon' is not a time in milliseconds"),
        (["shop", URL + "1", "--header", "Referer"], "is no header"),
        (["shop", URL + "1", "--host", "http://x"], "http://x"),
        (["shop", URL + "1", "--expect", "weight=3"], "weight is no field of a draft"),
        (["shop", URL + "1", "--expect", "price=cheap"], "price 'cheap' is not a number"),
        (["shop", URL + "1", "--expect", "price=12,900"], "price '12,900' is not a number: write one such as 12900"),
        (["shop", URL + "1", "--expect", "12900"], "is not understood"),
        (["shop", "--from", "none.csv"], "none.csv does not exist"),
        (["shop", *(f"{URL}{at}" for at in range(MOST_PAGES + 1))], f"{MOST_PAGES} at most"),
    ],
)
def test_what_cannot_be_drafted_is_refused(arguments: list[str], said: str, folder: Path) -> None:
    """In one line that names the remedy, before there is a browser."""
    refused = drafted(folder, *arguments)
    assert (refused.code, refused.out) == (2, ""), refused
    assert said in refused.err


def test_a_file_that_is_there_is_not_replaced(folder: Path) -> None:
    """Nor is a browser started for it; with --force or --print it is."""
    file = folder / "config" / "platforms" / "shop.yaml"
    file.write_text("platform: shop\nhosts: [www.shop.test]\nextract: {fields: {name: h1}}\n")
    refused = drafted(folder, "shop", URL + "1")
    assert refused.code == 2 and "is there already: --force replaces it" in refused.err
    assert drafted(folder, "shop", URL + "1", "--force").code == 69
    assert drafted(folder, "shop", URL + "1", "--print").code == 69
    assert file.read_text().startswith("platform: shop")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("name=Blue cup,price=12900", {"name": "Blue cup", "price": 12900}),
        ("name=Cup, blue, small, price=12900, in_stock=yes", {"name": "Cup, blue, small", "price": 12900}),
        (" price = 12.50 ", {"price": 12.5}),
        ('{"name": "Cup, price=1", "price": 12900}', {"name": "Cup, price=1", "price": 12900}),
    ],
)
def test_expected_values_are_read(text: str, values: dict[str, Any]) -> None:
    """As a catalogue's: a comma may stand in a value."""
    read = read_pairs(text)
    assert read.pop("in_stock", True) is True
    assert read == values


def rows_in(path: Path, *rows: dict[str, Any]) -> Path:
    """A catalogue."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_rows_are_spread_over_the_file(tmp_path: Path) -> None:
    """The first and the last among them, one of each state that the rows say, and what each expects."""
    rows = [
        {"id": at, "url": f"{URL}{at}", "price": 1000 + at, "in_stock": at != 70, "status": ""} for at in range(100)
    ]
    rows[40]["status"] = "off_sale"
    source = rows_in(tmp_path / "rows.csv", *rows)
    pages = asked_pages([], {}, "", source, 5)
    assert [(page.url.removeprefix(URL), page.role) for page in pages] == [
        ("0", PageRole.ON_SALE),
        ("49", PageRole.ON_SALE),
        ("99", PageRole.ON_SALE),
        ("40", PageRole.OFF_SALE),
        ("70", PageRole.SOLD_OUT),
    ]
    assert pages[1].expected == {"price": 1049, "in_stock": True}


def test_rows_join_what_was_named(tmp_path: Path) -> None:
    """Each page once; of any host, since there is no platform yet."""
    source = rows_in(tmp_path / "rows.csv", {"id": "a", "url": URL + "1"}, {"id": "b", "url": "http://10.0.0.1/2"})
    pages = asked_pages([URL + "1"], {PageRole.GONE: [URL + "9"]}, "price=5", source, 4)
    assert [(page.url, page.role) for page in pages] == [
        (URL + "1", PageRole.ON_SALE),
        ("http://10.0.0.1/2", PageRole.ON_SALE),
        (URL + "9", PageRole.GONE),
    ]
    assert pages[0].expected == {"price": 5}
    assert preliminary("shop", pages, {}).hosts == ("www.shop.test", "10.0.0.1")


def test_a_file_without_a_row_is_refused(tmp_path: Path) -> None:
    """It says which columns it needs."""
    with pytest.raises(UsageError, match="no row that can be used"):
        asked_pages([], {}, "", rows_in(tmp_path / "rows.csv", {"id": "", "url": ""}), 4)
