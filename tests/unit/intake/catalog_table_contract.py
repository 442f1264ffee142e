"""What holds for catalogues in a table, on every database. A test class inherits it and has a fixture `catalog_url`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from pagemill.config.catalog import CatalogTable
from pagemill.config.platform import Platform
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.intake import catalog_table
from pagemill.intake.catalog import read_catalog
from pagemill.intake.rows import BadRow
from pagemill.model import Product
from pagemill.results.database import open_engine
from tests.unit.intake.intake_values import PLATFORM, url


def execute(catalog_url: str, *statements: str) -> None:
    """Runs them in one transaction."""
    engine = open_engine(catalog_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def with_catalog(**catalog: Any) -> Platform:
    """The platform with that section."""
    return PLATFORM.model_copy(update={"catalog": CatalogTable.model_validate({"table": "goods", **catalog})})


def read(catalog_url: str, source: str = "sql", platform: Platform | None = None) -> tuple[list[Product], list[BadRow]]:
    """Products and bad rows of a table."""
    bad: list[BadRow] = []
    return list(read_catalog(source, platform or with_catalog(), bad.append, catalog_url)), bad


class CatalogTableContract:
    """Tests for a database."""

    @pytest.fixture(autouse=True)
    def goods(self, catalog_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A table of three products that is read two rows at a time."""
        monkeypatch.setattr(catalog_table, "PAGE_ROWS", 2)
        execute(
            catalog_url,
            "CREATE TABLE goods (id TEXT, url TEXT, name TEXT, price NUMERIC(10, 2), note TEXT)",
            f"INSERT INTO goods VALUES ('b', '{url('b')}', 'Shirt', 12900, 'x'), ('a', '{url('a')}', NULL, 12.5, 'y'),"
            f" ('c', '{url('c')}', '', NULL, NULL)",
        )
        yield
        execute(catalog_url, "DROP TABLE goods")

    def test_rows_become_products_in_the_order_of_their_ids(self, catalog_url: str) -> None:
        """Columns with the names of fields are expected values; others are nobody's business."""
        products, bad = read(catalog_url)
        assert bad == []
        assert products == [
            Product("a", url("a"), {"price": 12.5}),
            Product("b", url("b"), {"name": "Shirt", "price": 12900}),
            Product("c", url("c"), {}),
        ]

    def test_columns_can_have_other_names(self, catalog_url: str) -> None:
        """Then only those that are named are read."""
        products, _ = read(catalog_url, platform=with_catalog(columns={"name": "note"}))
        assert [product.expected for product in products] == [{"name": "y"}, {"name": "x"}, {}]

    def test_a_condition_chooses_rows(self, catalog_url: str) -> None:
        """Whatever characters it is made of."""
        platform = with_catalog(where="note = 'x' OR note = ':a %s %(b)s' OR price < 1 AND 1 = 1")
        products, _ = read(catalog_url, platform=platform)
        assert [product.id for product in products] == ["b"]

    def test_a_view_and_a_schema_can_be_named(self, catalog_url: str) -> None:
        """As any table; the platform's mapping holds for it too."""
        execute(catalog_url, "CREATE VIEW cheap AS SELECT * FROM goods WHERE price < 100")
        assert [product.id for product in read(catalog_url, "sql:cheap")[0]] == ["a"]
        assert [product.id for product in read(catalog_url, "sql:cheap", PLATFORM)[0]] == ["a"]
        execute(catalog_url, "DROP VIEW cheap")

    def test_bad_rows_are_reported_and_skipped(self, catalog_url: str) -> None:
        """By their number in the order of the ids; those without an id have none."""
        execute(
            catalog_url,
            f"INSERT INTO goods VALUES (NULL, '{url('x')}', NULL, NULL, NULL), ('d', 'ftp://x', NULL, NULL, NULL),"
            f" ('e', NULL, NULL, NULL, NULL), ('a', '{url('a2')}', NULL, NULL, NULL)",
        )
        products, bad = read(catalog_url)
        assert [product.id for product in products] == ["a", "b", "c"]
        assert sorted(row.line for row in bad)[0] == 0
        assert {row.reason for row in bad} >= {"no id", "no url"}

    def test_numbers_of_any_kind_can_be_ids(self, catalog_url: str) -> None:
        """They are ordered as numbers, and no page begins in the wrong place."""
        execute(catalog_url, "CREATE TABLE numbered (no BIGINT, url TEXT, price DOUBLE PRECISION, in_stock BOOLEAN)")
        rows = ", ".join(
            f"({number}, '{url(str(number))}', {number}.5, {'true' if number % 2 else 'false'})"
            for number in range(1, 24)
        )
        execute(catalog_url, f"INSERT INTO numbered VALUES {rows}")
        columns = {"id": "no", "price": "price", "in_stock": "in_stock"}
        products, bad = read(catalog_url, "sql:numbered", with_catalog(columns=columns))
        execute(catalog_url, "DROP TABLE numbered")
        assert bad == []
        assert [product.id for product in products] == [str(number) for number in range(1, 24)]
        assert products[1].expected == {"price": 2.5, "in_stock": False}

    def test_what_comes_while_it_is_read_is_never_seen_twice(self, catalog_url: str) -> None:
        """A row before the place that has been reached stays unseen, one behind it is read."""
        products = read_catalog("sql", with_catalog(), print, catalog_url)
        assert next(products).id == "a"
        execute(catalog_url, f"INSERT INTO goods (id, url) VALUES ('0', '{url('0')}'), ('z', '{url('z')}')")
        assert [product.id for product in products] == ["b", "c", "z"]

    @pytest.mark.parametrize(
        ("source", "catalog", "message"),
        [
            ("sql:gods", {}, "no table gods: did you mean goods"),
            ("sql", {"columns": {"price": "prize"}}, "no column prize: did you mean price"),
            ("sql", {"columns": {"url": "address"}}, "no column address: there are id, name, note, price, url"),
            ("sql:a;b", {}, "not a name in a database"),
        ],
    )
    def test_a_mistake_is_told_with_what_is_there(
        self, catalog_url: str, source: str, catalog: dict[str, Any], message: str
    ) -> None:
        """With the nearest name, or the names."""
        with pytest.raises(UsageError, match=message):
            read(catalog_url, source, with_catalog(**catalog))

    def test_a_condition_that_the_database_does_not_understand_is_told(self, catalog_url: str) -> None:
        """With the condition."""
        with pytest.raises(DatabaseUnavailable, match=r"catalog\.where .nonsense ="):
            read(catalog_url, platform=with_catalog(where="nonsense ="))
