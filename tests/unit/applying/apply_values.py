"""A catalogue, a platform that may write to it, and what a run found; for the tests of writing back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, text

from pagemill.applying.applier import Applied, Applier
from pagemill.applying.row_report import RowCounts, RowOutcome, RowReport
from pagemill.applying.undoer import Undoer
from pagemill.config.platform import Platform
from pagemill.config.settings import Environment
from pagemill.model import Difference, Facts, FactValue, ItemResult, Verdict
from pagemill.results.database import open_engine
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result

RUN = "run-1"
UPDATE = {
    "columns": {"name": "name", "price": "price", "status": "status"},
    "words": {"status": {"on_sale": "on_sale", "sold_out": "off_sale", "off_sale": "off_sale"}},
    "gone": {"status": "off_sale"},
    "sold_out": {"status": "off_sale"},
}
Pairs = tuple[FactValue, FactValue]


def shop(update: Mapping[str, Any] = UPDATE, **catalog: Any) -> Platform:
    """A platform whose products are in the table `goods`."""
    return Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["www.shop.com"],
            "catalog": {"table": "goods", "update": dict(update), **catalog},
            "extract": {
                "fields": {
                    "name": "h1",
                    "price": {"selector": ".price", "type": "number"},
                    "status": ".status",
                    "in_stock": {"selector": ".stock", "type": "boolean"},
                }
            },
        }
    )


def url(product_id: str) -> str:
    return f"https://www.shop.com/{product_id}"


def changed(product_id: str, **differences: Pairs) -> ItemResult:
    """A result of a product whose fields were expected to be the one and found to be the other."""
    found = tuple(Difference(name, *pair) for name, pair in differences.items())
    expected = {name: pair[0] for name, pair in differences.items()}
    return replace(make_result(product_id, verdict=Verdict.CHANGED, differences=found), expected=expected)


def judged(product_id: str, verdict: Verdict, expected: Facts) -> ItemResult:
    """A result without differences."""
    return replace(make_result(product_id, verdict=verdict), expected=expected)


class Catalogue:
    """A catalogue's database, and a run over it."""

    def __init__(self, catalog_url: str, store: ResultStore, platform: Platform | None = None) -> None:
        self.url = catalog_url
        self.store = store
        self.platform = platform or shop()
        self.told: list[RowReport] = []

    def execute(self, *statements: str) -> None:
        """Runs them in one transaction of somebody else."""
        with self.engine() as engine, engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine() as engine, engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Somebody's way to the database."""
        engine = open_engine(self.url)
        try:
            yield engine
        finally:
            engine.dispose()

    def bytes_of(self, table: str = "goods") -> list[tuple[Any, ...]]:
        """Every cell of a table as it is kept, with its type."""
        if self.url.startswith("sqlite"):
            names = [row[1] for row in self.rows(f"PRAGMA table_info({table})")]
            cells = ", ".join(f"quote({name}) || typeof({name})" for name in names)
            return self.rows(f"SELECT {cells} FROM {table} ORDER BY rowid")
        return self.rows(f"SELECT t::text FROM {table} t ORDER BY 1")

    def insert(self, **rows: str) -> None:
        """Products: name, price and status of each, as SQL."""
        values = ", ".join(f"('{name}', '{url(name)}', {cells})" for name, cells in rows.items())
        self.execute(f"INSERT INTO goods (id, url, name, price, status) VALUES {values}")

    def found(self, results: Iterable[ItemResult]) -> None:
        """What the run found."""
        kept = list(results)
        self.store.create_run(RUN, self.platform.platform, "sql")
        self.store.write(kept)
        self.store.seal_run(RUN, len(kept), 1, 0)

    def environment(self, *, may_write: bool = True) -> Environment:
        return Environment(catalog_url=self.url, catalog_write_url=self.url if may_write else "")

    def applier(self, *, may_write: bool = True) -> Applier:
        return Applier({self.platform.platform: self.platform}, self.environment(may_write=may_write), self.store)

    def apply(self, *, writes: bool = True, **more: Any) -> Applied:
        """Applies the run; `told` is what came of it."""
        self.told = []
        return self.applier().apply(RUN, self.told.append, writes=writes, **more)

    def undo(self, *, writes: bool = True) -> RowCounts:
        """Takes it back."""
        self.told = []
        undoer = Undoer({self.platform.platform: self.platform}, self.environment())
        return undoer.undo(RUN, self.told.append, writes=writes)

    def outcomes(self) -> dict[str, RowOutcome]:
        """By product."""
        return {told.product_id: told.outcome for told in self.told}

    def reasons(self) -> str:
        return "\n".join(told.reason for told in self.told)

    def audit(self) -> list[tuple[Any, ...]]:
        """Product, column, before, after, and whether it is undone."""
        before, after = (f"CAST({name} AS TEXT)" for name in ("before", "after"))
        query = f"SELECT product_id, column_name, {before}, {after}, undone_at IS NOT NULL FROM pagemill_applied"
        return [(*row[:4], bool(row[4])) for row in self.rows(f"{query} ORDER BY applied_at, product_id, column_name")]
