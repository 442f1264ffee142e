"""A catalogue in SQLite, with a row for each product of the room's run; what a user's own program keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from pagemill.model import ItemResult, Verdict
from tests.browser.dashboard.room_world import a_result


class Goods:
    """The table `goods`. Its rows say what the run expected; none may cost 13,100, as somebody's rule has it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "goods.db"
        self.url = f"sqlite:///{self._file}"

    def fill(self, products: int) -> None:
        """Makes it."""
        self.execute(
            "CREATE TABLE goods (id TEXT PRIMARY KEY, url TEXT, name TEXT, price NUMERIC CHECK (price <> 13100), "
            "status TEXT, note BLOB)"
        )
        rows = [_row(a_result(number)) for number in range(products)]
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.executemany("INSERT INTO goods VALUES (?, ?, ?, ?, 'on sale', x'00ff')", rows)

    def execute(self, statement: str, values: Iterable[Any] = ()) -> None:
        """Somebody else's statement."""
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute(statement, tuple(values))

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Every row as it is kept, with the types of its cells, by id."""
        named = ("url", "name", "price", "status", "note")
        cells = ", ".join(f"{name}, typeof({name})" for name in named)
        with closing(sqlite3.connect(self._file)) as connection:
            return {row[0]: row[1:] for row in connection.execute(f"SELECT id, {cells} FROM goods")}

    def cell(self, product: str, column: str) -> Any:
        """What one says."""
        with closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(f"SELECT {column} FROM goods WHERE id = ?", (product,)).fetchone()[0]


def _row(result: ItemResult) -> tuple[Any, ...]:
    said = {"name": "as it was", "price": 5000, **{each.field: each.expected for each in result.differences}}
    return result.product_id, result.url, said["name"], said["price"]


def columns(products: Iterable[str]) -> int:
    """How many of their columns that is about."""
    return sum(max(1, len(a_result(int(product[1:])).differences)) for product in products)


def changes(products: int) -> list[str]:
    """The products of which the run found something that the catalogue should say."""
    verdicts = (Verdict.CHANGED, Verdict.GONE)
    return [a_result(number).product_id for number in range(products) if a_result(number).verdict in verdicts]
