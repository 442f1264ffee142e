"""Writing back to a SQLite file: the common contract, and what is special about a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.applying.row_report import RowOutcome
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.results.database import open_engine, transaction
from pagemill.results.store import ResultStore
from tests.unit.applying.apply_contract import ApplyContract
from tests.unit.applying.apply_values import Catalogue, changed, shop


@pytest.fixture
def catalog_url(tmp_path: Path) -> str:
    """A file of its own."""
    return f"sqlite:///{tmp_path / 'catalogue.db'}"


class TestApplyOnSqlite(ApplyContract):
    """Everything that holds on every database."""

    def test_cells_of_any_kind_come_back(self, catalogue: Catalogue) -> None:
        """A column's type is no promise in SQLite: what stands in a cell has a type of its own."""
        catalogue.execute(
            "CREATE TABLE loose (id INTEGER PRIMARY KEY, url, name, price REAL, status INTEGER)",
            "INSERT INTO loose VALUES (1, 'https://www.shop.com/1', 'a ', 5, 1), (2, 'https://www.shop.com/2', 17, "
            "1e300, 0), (3, 'https://www.shop.com/3', 'NULL', 0.1, NULL)",
        )
        update = {
            "columns": {"name": "name", "price": "price", "status": "status"},
            "words": {"status": {"on_sale": 1, "sold_out": 0}},
        }
        catalogue.platform = shop(update, table="loose")
        catalogue.found(
            [
                changed("1", name=("a", "b"), price=(5, 5.5), status=("1", "sold_out")),
                changed("2", name=("17", "18"), price=(1e300, 7)),
                changed("3", name=("NULL", "x"), price=(0.1, 0.3)),
            ]
        )
        before = catalogue.bytes_of("loose")
        assert catalogue.apply().tally.figures() == {"written": 3, "columns": 7}
        assert catalogue.rows("SELECT price, status FROM loose") == [(5.5, 0), (7.0, 0), (0.3, None)]
        catalogue.undo()
        assert catalogue.bytes_of("loose") == before

    def test_a_collation_hides_no_difference(self, catalogue: Catalogue) -> None:
        """Ids and values that such a column takes for the same are others."""
        catalogue.execute(
            "CREATE TABLE folded (no INTEGER PRIMARY KEY, id TEXT COLLATE NOCASE, url TEXT, name TEXT COLLATE NOCASE)",
            "INSERT INTO folded VALUES (1, 'a', 'https://www.shop.com/A', 'shirt'), "
            "(2, 'A', 'https://www.shop.com/A', 'shirt')",
        )
        catalogue.platform = shop({"columns": {"name": "name"}}, table="folded")
        catalogue.found([changed("A", name=("shirt", "SHIRT"))])
        catalogue.apply()
        assert catalogue.outcomes() == {"A": RowOutcome.WRITTEN}
        assert catalogue.rows("SELECT name FROM folded ORDER BY no") == [("shirt",), ("SHIRT",)]

    def test_a_file_that_somebody_holds_is_told(self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a while, with what is to be done; nothing is written."""
        monkeypatch.setattr("pagemill.applying.database.LOCK_TIMEOUT_S", 0.1)
        catalogue.insert(A="'a', 5, 'on_sale'")
        catalogue.found([changed("A", price=(5, 6))])
        catalogue.apply(writes=False)
        engine = open_engine(catalogue.url)
        with transaction(engine, writes=True), pytest.raises(DatabaseUnavailable, match="locked"):
            catalogue.apply()
        engine.dispose()


def test_a_file_that_does_not_exist_is_not_created(tmp_path: Path, catalog_url: str) -> None:
    """Its name is most likely wrong."""
    with ResultStore(f"sqlite:///{tmp_path}/results.db") as store:
        catalogue = Catalogue(catalog_url, store)
        catalogue.found([changed("A", price=(5, 6))])
        with pytest.raises(UsageError, match=r"catalogue\.db does not exist: correct PAGEMILL_CATALOG_WRITE_URL"):
            catalogue.apply()
    assert not (tmp_path / "catalogue.db").exists()
