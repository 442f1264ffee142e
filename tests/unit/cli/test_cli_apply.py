"""`pagemill apply` on real SQLite files: shown by default, written with --yes, taken back with --undo."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import pagemill
from pagemill.applying.row_report import KEYS
from pagemill.results.store import ResultStore
from tests.unit.applying.apply_contract import GOODS
from tests.unit.applying.apply_values import RUN, Catalogue, changed
from tests.unit.cli.command import Said, run

SHOP = """\
platform: shop
hosts: [www.shop.com]
extract:
  fields:
    name: h1
    price: {selector: .price, type: number}
catalog:
  table: goods
  update:
    columns: {name: name, price: price}
"""
PLAIN = "platform: plain\nhosts: [www.plain.com]\nextract: {fields: {name: h1}}\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with a configuration, a catalogue of 30 products, and a run that found a new price for each."""
    platforms = tmp_path / "config" / "platforms"
    platforms.mkdir(parents=True)
    (platforms / "shop.yaml").write_text(SHOP)
    (platforms / "plain.yaml").write_text(PLAIN)
    with ResultStore(f"sqlite:///{tmp_path}/data/pagemill.db") as store:
        catalogue = Catalogue(f"sqlite:///{tmp_path}/goods.db", store)
        catalogue.execute(GOODS)
        names = [f"P{number:02}" for number in range(30)]
        catalogue.insert(**dict.fromkeys(names, "'a', 5, 'on_sale'"))
        catalogue.execute("UPDATE goods SET price = 7 WHERE id = 'P01'")
        catalogue.found([changed(name, price=(5, 6), name=("a", "=b")) for name in names])
        store.create_run("run-0", "plain", "old.csv")
        yield tmp_path


def apply(place: Path, *words: str, may_write: bool = True) -> Said:
    url = f"sqlite:///{place}/goods.db"
    variable = "PAGEMILL_CATALOG_WRITE_URL" if may_write else "PAGEMILL_CATALOG_URL"
    return run(place, "apply", *words, COLUMNS="200", **{variable: url})


def prices(place: Path) -> set[str]:
    with ResultStore(f"sqlite:///{place}/data/pagemill.db") as store:
        catalogue = Catalogue(f"sqlite:///{place}/goods.db", store)
        return {f"{row[0]} {row[1]:g}" for row in catalogue.rows("SELECT name, price FROM goods")}


def test_it_shows_first(place: Path) -> None:
    """Counts and the first rows; nothing is changed, and no account for writing is needed."""
    said = apply(place, RUN, "--limit", "3", may_write=False)
    assert said.code == 0, said.err
    assert "29 rows (58 columns) to be written, 0 already as wanted, 1 changed by somebody else" in said.out
    assert "nothing is changed yet, --yes does it" in said.out
    assert "P00" in said.out
    assert "price says 7, the run expected 5" in said.out
    assert "P03" not in said.out
    assert "and 27 more" in said.out
    assert prices(place) == {"a 5", "a 7"}


def test_yes_writes_and_undo_takes_back(place: Path) -> None:
    """The rows that are left alone are counted."""
    said = apply(place, RUN, "--yes")
    assert said.code == 0, said.err
    assert "29 rows (58 columns) written, 0 already as wanted, 1 changed by somebody else\n" in said.out
    assert prices(place) == {"=b 6", "a 7"}
    assert "29 rows (58 columns) to be undone" in apply(place, "--undo", RUN).out
    assert prices(place) == {"=b 6", "a 7"}
    assert "29 rows (58 columns) undone" in apply(place, "--undo", RUN, "--yes").out
    assert prices(place) == {"a 5", "a 7"}
    again = apply(place, "--undo", RUN, "--yes")
    assert (again.code, "nothing of run run-1 is applied" in again.err) == (2, True)


def test_programs_get_a_line_for_each_column(place: Path) -> None:
    """All of them; what people read goes to the other output."""
    said = apply(place, RUN, "--format", "jsonl")
    records = [json.loads(line) for line in said.out.splitlines()]
    assert len(records) == 60
    assert tuple(records[0]) == KEYS
    assert [records[0][key] for key in ("product_id", "outcome", "column", "before", "after")] == [
        "P00",
        "written",
        "price",
        5,
        6,
    ]
    assert "29 rows (58 columns) to be written" in said.err
    rows = list(csv.DictReader(io.StringIO(apply(place, RUN, "--excel").out.removeprefix("\ufeff"))))
    assert len(rows) == 60
    assert (rows[1]["after"], rows[2]["reason"]) == ("'=b", "price says 7, the run expected 5")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run-7"], "there is no run run-7: pagemill runs lists them"),
        (["run-0"], "name the table in catalog.table and its columns in catalog.update.columns"),
        ([RUN, "--undo"], "nothing of run run-1 is applied"),
        ([RUN, "--excel", "--format", "jsonl"], "--excel is CSV"),
    ],
)
def test_what_cannot_work_is_told(place: Path, words: list[str], told: str) -> None:
    """With the remedy; exit code 2."""
    said = apply(place, *words)
    assert (said.code, told in said.err) == (2, True), said.err


def test_a_program_of_ones_own_does_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `write` it is only told."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("PAGEMILL_CATALOG_WRITE_URL", f"sqlite:///{place}/goods.db")
    changes: list[object] = []
    with pagemill.connect() as mill:
        assert mill.apply(RUN, on_change=changes.append) == {"written": 29, "otherwise": 1, "columns": 58}
        assert (len(changes), prices(place)) == (60, {"a 5", "a 7"})
        mill.apply(RUN, write=True)
        assert prices(place) == {"=b 6", "a 7"}
        assert mill.undo(RUN, write=True) == {"written": 29, "columns": 58}
    assert prices(place) == {"a 5", "a 7"}
