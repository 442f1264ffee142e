"""A catalogue of several platforms: each row is of the one whose hosts have its URL's, and nothing else is guessed."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from pagemill.config.platform import Platform
from pagemill.errors import UsageError
from pagemill.intake.catalog import read_catalog, read_rows
from pagemill.intake.rows import BadRow
from pagemill.model import Product

A = {"platform": "a", "hosts": ["a.test", "*.a.test", "both.test"], "extract": {"fields": {"name": "h1"}}}
B = {
    "platform": "b",
    "hosts": ["b.test", "127.0.0.1:8902", "both.test"],
    "product": {"id": r"/p/(?P<id>\d+)", "visit": "https://b.test/p/{id}"},
    "extract": {"fields": {"name": "h1", "price": {"selector": "b", "type": "number"}}},
}
C = {"platform": "c", "hosts": ["127.0.0.1:8903"], "extract": {"fields": {"name": "h1"}}}
PLATFORMS = {platform.platform: platform for platform in map(Platform.model_validate, (A, B, C))}


def read(tmp_path: Path, *rows: str, header: str = "id,url,name,price") -> tuple[list[Product], list[BadRow]]:
    """Products and what was told of a catalogue of these rows."""
    path = tmp_path / "c.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    told: list[BadRow] = []
    return list(read_catalog(path, PLATFORMS, told.append)), told


def test_each_row_is_of_the_platform_with_its_host(tmp_path: Path) -> None:
    """By the rules of that platform, ports and subdomains included."""
    products, told = read(
        tmp_path,
        "1,https://a.test/1,컵,",
        "2,https://B.test/p/2,컵,5",
        "3,https://m.a.test/3,,",
        "4,http://127.0.0.1:8903/4,,",
        "5,http://127.0.0.1:8902/p/5,,7",
    )
    assert [(product.id, product.platform) for product in products] == [
        ("1", "a"),
        ("2", "b"),
        ("3", "a"),
        ("4", "c"),
        ("5", "b"),
    ]
    assert [product.expected for product in products] == [
        {"name": "컵"},
        {"name": "컵", "price": 5},
        {},
        {},
        {"price": 7},
    ]
    assert told == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://elsewhere.test/1", "host elsewhere.test is not one of any platform's hosts: add it to those of its"),
        ("http://127.0.0.1:8904/1", "host 127.0.0.1:8904 is not one of any platform's hosts"),
        ("https://both.test/p/1", "host both.test is one of the hosts of a and b: .* --platform a"),
        ("https://b.test/1", "product.id of platform b finds no id"),
        ("nonsense", "not an http or https URL"),
        ("", "no url"),
    ],
)
def test_a_row_of_no_platform_or_of_two_is_told(tmp_path: Path, address: str, reason: str) -> None:
    """With its line and the remedy; the others are read."""
    products, told = read(tmp_path, "1,https://a.test/1,,", f"2,{address},,", "3,https://b.test/p/3,,")
    assert [product.id for product in products] == ["1", "3"]
    (bad,) = told
    assert (bad.line, bad.row_skipped) == (3, True)
    assert re.match(reason, bad.reason)


def test_a_column_that_one_platform_knows_is_told_of_the_other(tmp_path: Path) -> None:
    """Once, and only where a row has something in it."""
    products, told = read(
        tmp_path,
        "1,https://a.test/1,컵,",
        "2,https://a.test/2,컵,5",
        "3,https://a.test/3,컵,6",
        "4,https://b.test/p/4,,7",
    )
    assert len(products) == 4
    assert [(row.line, row.row_skipped) for row in told] == [(3, False)]
    assert "column 'price' is not one of the fields of platform a" in told[0].reason


def test_an_id_may_not_come_twice_within_a_run(tmp_path: Path) -> None:
    """Results are kept by run and id, so the second one would take the first one's place."""
    products, told = read(tmp_path, "1,https://a.test/1,,", "1,https://b.test/p/1,,")
    assert [product.platform for product in products] == ["a"]
    assert [(row.line, row.reason) for row in told] == [
        (3, "id '1' is in line 2 already: ids must differ within a run, also those of different platforms")
    ]


def test_hosts_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    """A subdomain for each product."""
    rows = (f"{number},https://s{number}.a.test/,," for number in range(2500))
    products, told = read(tmp_path, *rows)
    assert {product.platform for product in products} == {"a"}
    assert (len(products), told) == (2500, [])


def test_rows_of_a_program_are_told_apart_as_well() -> None:
    """By the same rules."""
    told: list[BadRow] = []
    rows = [{"ID": 1, "url": "https://a.test/1"}, {"ID": 2, "url": "https://b.test/p/2", "price": "1,5"}]
    products = list(read_rows(rows, PLATFORMS, told.append, decimal=","))
    assert [(product.id, product.platform, product.expected) for product in products] == [
        ("1", "a", {}),
        ("2", "b", {"price": 1.5}),
    ]
    assert told == []


def test_a_table_of_several_platforms_is_read_by_its_name(tmp_path: Path) -> None:
    """Its columns are the fields of all; without a name nobody knows which table."""
    with sqlite3.connect(tmp_path / "t.db") as database:
        database.execute("CREATE TABLE products (id TEXT PRIMARY KEY, url TEXT, name TEXT, price REAL)")
        database.execute("INSERT INTO products VALUES ('1', 'https://a.test/1', '컵', NULL)")
        database.execute("INSERT INTO products VALUES ('2', 'https://b.test/p/2', NULL, 9.5)")
    told: list[BadRow] = []
    products = list(read_catalog("sql:products", PLATFORMS, told.append, f"sqlite:///{tmp_path}/t.db"))
    assert [(product.platform, product.expected) for product in products] == [
        ("a", {"name": "컵"}),
        ("b", {"price": 9.5}),
    ]
    assert told == []
    with pytest.raises(UsageError, match="write sql:TABLE"):
        read_catalog("sql", PLATFORMS, told.append, f"sqlite:///{tmp_path}/t.db")


def test_no_platform_may_have_the_word_for_all() -> None:
    """`--platform auto` would mean two things."""
    with pytest.raises(ValueError, match="choose another name"):
        Platform.model_validate({**A, "platform": "auto"})
