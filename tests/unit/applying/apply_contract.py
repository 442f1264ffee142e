"""What holds for writing back, on every database. A test class inherits it and has a fixture `catalog_url`."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pagemill.applying import applier, undoer
from pagemill.applying.catalog_rows import CatalogRows
from pagemill.applying.row_report import RowOutcome
from pagemill.applying.write_rights import look_at_rights
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.intake.catalog import read_catalog
from pagemill.model import Verdict
from pagemill.results.database import open_engine, transaction
from pagemill.results.store import ResultStore
from tests.unit.applying.apply_values import RUN, UPDATE, Catalogue, changed, judged, shop

ROOT = Path(__file__).parents[3]
GOODS = (
    "CREATE TABLE goods (id VARCHAR(20) PRIMARY KEY, url TEXT, name VARCHAR(40), price NUMERIC(12, 2), "
    "status VARCHAR(10), in_stock BOOLEAN, note TEXT)"
)
_BREATH_S = 0.005
_KILLED = """
import os, signal, sys
from pagemill.applying.audit import Audit
from pagemill.results.store import ResultStore
from tests.unit.applying.apply_values import Catalogue

catalog_url, results_url, after = sys.argv[1:]
note, calls = Audit.note, []

def note_or_die(*arguments):
    calls.append(1)
    if len(calls) > int(after):
        os.kill(os.getpid(), signal.SIGKILL)  # the row is changed, its entry is not written
    note(*arguments)

Audit.note = note_or_die
with ResultStore(results_url) as store:
    Catalogue(catalog_url, store).apply()
"""


class ApplyContract:
    """Tests for a database."""

    @pytest.fixture
    def results_url(self, tmp_path: Path) -> str:
        """Those of the run are in another database than the catalogue."""
        return f"sqlite:///{tmp_path}/results.db"

    @pytest.fixture
    def store(self, results_url: str) -> Iterator[ResultStore]:
        """Open, and empty."""
        with ResultStore(results_url) as opened:
            yield opened

    @pytest.fixture
    def catalogue(self, catalog_url: str, store: ResultStore) -> Catalogue:
        """An empty table of goods."""
        catalogue = Catalogue(catalog_url, store)
        catalogue.execute(GOODS)
        return catalogue

    def test_a_rehearsal_tells_and_changes_nothing(self, catalogue: Catalogue) -> None:
        """Not even the audit's table is made."""
        catalogue.insert(A="'Shirt', 12900, 'on_sale'")
        catalogue.found([changed("A", name=("Shirt", "Red shirt"), price=(12900, 9900))])
        before = catalogue.bytes_of()
        applied = catalogue.apply(writes=False)
        (told,) = catalogue.told
        assert (told.outcome, applied.tally.columns) == (RowOutcome.WRITTEN, 2)
        assert [(cell.column, cell.before, cell.after) for cell in told.cells] == [
            ("name", "Shirt", "Red shirt"),
            ("price", 12900, 9900),
        ]
        assert catalogue.bytes_of() == before
        with pytest.raises(SQLAlchemyError, match="pagemill_applied"):
            catalogue.audit()

    def test_what_changed_is_written_once(self, catalogue: Catalogue) -> None:
        """With an entry for each column; a second time there is nothing to do."""
        catalogue.insert(A="'Shirt', 12900, 'on_sale'", B="'Hat', 12.50, 'on_sale'", C="'Sock', 3, 'on_sale'")
        catalogue.found(
            [
                changed("A", name=("Shirt", "Red shirt"), price=(12900, 9900)),
                changed("B", price=(12.5, 12.75)),
                judged("C", Verdict.OK, {"price": 3}),
            ]
        )
        assert catalogue.apply().tally.figures() == {"written": 2, "columns": 3}
        rows = catalogue.rows("SELECT id, name, price, status FROM goods ORDER BY id")
        assert [(row[0], row[1], float(row[2]), row[3]) for row in rows] == [
            ("A", "Red shirt", 9900, "on_sale"),
            ("B", "Hat", 12.75, "on_sale"),
            ("C", "Sock", 3, "on_sale"),
        ]
        audit = catalogue.audit()
        assert [(row[0], row[1], row[4]) for row in audit] == [("A", "name", 0), ("A", "price", 0), ("B", "price", 0)]
        assert audit[0][2:4] == ("Shirt", "Red shirt")
        assert catalogue.apply().tally.figures() == {"already": 2, "columns": 0}
        assert catalogue.audit() == audit

    def test_undo_brings_every_byte_back(self, catalogue: Catalogue) -> None:
        """Blanks at the end, decimal places, nothing; it stands in the audit, and cannot be undone twice."""
        catalogue.insert(
            A="'  Shirt  ', 12900.50, 'on_sale'", B="'Hat', 7, NULL", C="'Sock', 1234567.89, 'on_sale '", D="'x', 1, ''"
        )
        catalogue.found(
            [
                changed("A", name=("Shirt", "Red shirt"), price=(12900.5, 9900)),
                judged("B", Verdict.GONE, {"name": "Hat", "price": 7}),
                changed("C", price=(1234567.89, 0.1)),
                judged("D", Verdict.SOLD_OUT, {"name": "x"}),
            ]
        )
        before = catalogue.bytes_of()
        assert catalogue.apply().tally.figures() == {"written": 4, "columns": 5}
        applied = catalogue.bytes_of()
        assert all(row not in before for row in applied)
        assert catalogue.undo(writes=False).figures() == {"written": 4, "columns": 5}
        assert catalogue.bytes_of() == applied
        assert catalogue.undo().figures() == {"written": 4, "columns": 5}
        assert catalogue.bytes_of() == before
        assert {row[4] for row in catalogue.audit()} == {True}
        with pytest.raises(UsageError, match="nothing of run run-1 is applied"):
            catalogue.undo()
        assert catalogue.apply().tally.figures() == {"written": 4, "columns": 5}
        assert catalogue.bytes_of() == applied

    @pytest.mark.parametrize(
        ("change", "outcome", "reason"),
        [
            ("UPDATE goods SET price = 11000", RowOutcome.OTHERWISE, "price says 11000, the run expected 12900"),
            ("UPDATE goods SET price = NULL", RowOutcome.OTHERWISE, "price says nothing, the run expected 12900"),
            ("UPDATE goods SET name = 'Coat'", RowOutcome.OTHERWISE, "name says Coat, the run expected Shirt"),
            ("UPDATE goods SET url = 'https://www.shop.com/B'", RowOutcome.OTHERWISE, "the row's url is https"),
            ("DELETE FROM goods", RowOutcome.MISSING, "not in the table"),
            ("UPDATE goods SET name = 'Red shirt', price = 9900.00", RowOutcome.ALREADY, ""),
            ("UPDATE goods SET name = 'Red shirt', price = 1", RowOutcome.OTHERWISE, "price says 1, the run expected"),
        ],
    )
    def test_a_row_that_says_something_else_is_left_alone(
        self, catalogue: Catalogue, change: str, outcome: RowOutcome, reason: str
    ) -> None:
        """As a whole, and with what it says."""
        catalogue.insert(A="'Shirt', 12900, 'on_sale'")
        catalogue.found([changed("A", name=("Shirt", "Red shirt"), price=(12900, 9900))])
        catalogue.execute(change)
        before = catalogue.bytes_of()
        for writes in (False, True):
            catalogue.apply(writes=writes)
            assert catalogue.outcomes() == {"A": outcome}
            assert reason in catalogue.reasons()
        assert catalogue.bytes_of() == before

    def test_undo_leaves_a_row_alone_that_somebody_changed(self, catalogue: Catalogue) -> None:
        """It stays in the audit as not undone; one that says the former values already counts as undone."""
        catalogue.insert(A="'a', 1, 'on_sale'", B="'b', 1, 'on_sale'", C="'c', 1, 'on_sale'", D="'d', 1, 'on_sale'")
        catalogue.found([changed(name, price=(1, 2)) for name in "ABCD"])
        catalogue.apply()
        catalogue.execute(
            "UPDATE goods SET price = 3 WHERE id = 'A'",
            "UPDATE goods SET price = 1 WHERE id = 'B'",
            "DELETE FROM goods WHERE id = 'D'",
        )
        expected = {
            "A": RowOutcome.OTHERWISE,
            "B": RowOutcome.ALREADY,
            "C": RowOutcome.WRITTEN,
            "D": RowOutcome.MISSING,
        }
        for writes in (False, True):
            catalogue.undo(writes=writes)
            assert catalogue.outcomes() == expected
            assert "price says" in catalogue.reasons()
        prices = {row[0]: float(row[1]) for row in catalogue.rows("SELECT id, price FROM goods")}
        assert prices == {"A": 3, "B": 1, "C": 1}
        assert {row[0]: row[4] for row in catalogue.audit()} == {"A": False, "B": True, "C": True, "D": False}

    def test_nothing_and_0_are_never_written(self, catalogue: Catalogue) -> None:
        """Nor is what nobody has a word for; what else the product says is."""
        catalogue.insert(A="'a', 5, 'on_sale'", B="'b', 5, 'on_sale'", C="'c', 5, 'on_sale'", D="'d', 5, 'on_sale'")
        catalogue.found(
            [
                changed("A", name=("a", "new"), price=(5, 0)),
                changed("B", price=(5, None)),
                changed("C", name=("c", "  ")),
                changed("D", status=("on_sale", "pre_order")),
            ]
        )
        catalogue.apply()
        assert [(told.product_id, told.outcome) for told in catalogue.told] == [
            ("A", RowOutcome.UNFIT),
            ("A", RowOutcome.WRITTEN),
            ("B", RowOutcome.UNFIT),
            ("C", RowOutcome.UNFIT),
            ("D", RowOutcome.UNFIT),
        ]
        assert [row[0:2] for row in catalogue.audit()] == [("A", "name")]

    def test_each_verdict_writes_its_own_words(self, catalogue: Catalogue) -> None:
        """And nothing else, whatever the page said; without a section it writes nothing."""
        catalogue.insert(**dict.fromkeys("ABCDE", "'a', 5, 'on_sale'"), F="'a', 5, 'off_sale'")
        catalogue.found(
            [
                judged("A", Verdict.GONE, {"status": "on_sale"}),
                judged("B", Verdict.SOLD_OUT, {"status": "on_sale"}),
                judged("C", Verdict.OFF_SALE, {"status": "on_sale"}),
                judged("D", Verdict.FAILED, {"status": "on_sale"}),
                judged("E", Verdict.BLOCKED, {"status": "on_sale"}),
                changed("F", status=("off_sale", "On_Sale")),
            ]
        )
        catalogue.apply()
        assert catalogue.outcomes() == dict.fromkeys("ABF", RowOutcome.WRITTEN)
        words = {row[0]: row[1] for row in catalogue.rows("SELECT id, status FROM goods")}
        assert words == {**dict.fromkeys("AB", "off_sale"), **dict.fromkeys("CDEF", "on_sale")}

    def test_a_field_that_is_never_written_stays(self, catalogue: Catalogue) -> None:
        """Though its column is named."""
        catalogue.platform = shop({**UPDATE, "never": ["name"]})
        catalogue.insert(A="'a', 5, 'on_sale'", B="'b', 5, 'on_sale'")
        catalogue.found([changed("A", name=("a", "x"), price=(5, 6)), changed("B", name=("b", "x"))])
        assert catalogue.apply().tally.figures() == {"written": 1, "columns": 1}
        assert [row[1] for row in catalogue.audit()] == ["price"]

    def test_a_value_that_the_column_cannot_hold_is_told(self, catalogue: Catalogue) -> None:
        """Nothing is rounded or cut."""
        catalogue.insert(A="'a', 5, 'on_sale'", B="'b', 5, 'on_sale'", C="'c', 5, 'on_sale'")
        catalogue.found(
            [changed("A", price=(5, 5.125)), changed("B", name=("b", "x" * 41)), changed("C", price=(5, 10**12))]
        )
        before = catalogue.bytes_of()
        assert catalogue.apply().tally.figures() == {"unfit": 3, "columns": 0}
        told = catalogue.reasons()
        assert "more than the 2 decimal places" in told
        assert "has 41 characters, and the column holds 40" in told
        assert "too large" in told
        assert catalogue.bytes_of() == before

    def test_yes_and_no_go_into_a_column_of_their_own(self, catalogue: Catalogue) -> None:
        """Into one of text only by words."""
        catalogue.platform = shop({"columns": {"in_stock": "in_stock"}, "sold_out": {"in_stock": False}})
        catalogue.insert(A="'a', 5, 'on_sale'", B="'b', 5, 'on_sale'")
        catalogue.execute("UPDATE goods SET in_stock = (id = 'A')")
        catalogue.found([judged("A", Verdict.SOLD_OUT, {"in_stock": True}), changed("B", in_stock=(False, True))])
        before = catalogue.bytes_of()
        assert catalogue.apply().tally.figures() == {"written": 2, "columns": 2}
        assert [bool(row[0]) for row in catalogue.rows("SELECT in_stock FROM goods ORDER BY id")] == [False, True]
        catalogue.undo()
        assert catalogue.bytes_of() == before
        catalogue.execute("UPDATE goods SET note = CASE WHEN id = 'A' THEN 'yes' ELSE 'no' END")
        catalogue.platform = shop({"columns": {"in_stock": "note"}, "sold_out": {"in_stock": False}})
        assert catalogue.apply().tally.figures() == {"unfit": 2, "columns": 0}
        words = {"in_stock": {"true": "yes", "false": "no"}}
        catalogue.platform = shop({"columns": {"in_stock": "note"}, "sold_out": {"in_stock": "no"}, "words": words})
        assert catalogue.apply().tally.figures() == {"written": 2, "columns": 2}
        assert catalogue.rows("SELECT note FROM goods ORDER BY id") == [("no",), ("yes",)]

    def test_what_a_run_read_is_known_again(self, catalogue: Catalogue) -> None:
        """Whatever is peculiar about it: what the intake reads is what a row is compared with."""
        catalogue.insert(
            A="'  two  blanks ', 12900.50, 'on_sale'",
            B="'O''Brien \U0001f455', 0.10, '1'",
            C="'17', 1234567890.99, NULL",
            D="'tab\there', NULL, ''",
        )
        bad: list[object] = []
        products = list(read_catalog("sql", catalogue.platform, bad.append, catalogue.url))
        assert bad == []
        catalogue.found(
            changed(
                each.id, **{name: (value, 8 if name == "price" else "new") for name, value in each.expected.items()}
            )
            for each in products
        )
        catalogue.platform = shop({"columns": UPDATE["columns"]})
        before = catalogue.bytes_of()
        assert catalogue.apply().tally.figures() == {"written": 4, "columns": 9}
        assert {row[:3] for row in catalogue.rows("SELECT name, price * 1.0, status FROM goods WHERE id < 'C'")} == {
            ("new", 8, "new")
        }
        catalogue.undo()
        assert catalogue.bytes_of() == before

    def test_a_view_that_cannot_be_written_is_told(self, catalogue: Catalogue) -> None:
        """With what to name instead, by `pagemill check` as well; nothing is written."""
        catalogue.insert(A="'a', 5, 'on_sale'")
        catalogue.execute("CREATE VIEW shown AS SELECT id, url, max(price) AS price FROM goods GROUP BY id, url")
        catalogue.platform = shop({"columns": {"price": "price"}}, table="shown")
        catalogue.found([changed("A", price=(5, 6))])
        assert catalogue.apply(writes=False).tally.figures() == {"written": 1, "columns": 1}
        with pytest.raises(DatabaseUnavailable, match=r"Name a table in catalog\.table"):
            catalogue.apply()
        with pytest.raises(DatabaseUnavailable, match=r"Name a table in catalog\.table"):
            look_at_rights(catalogue.environment(), catalogue.platform)
        assert catalogue.audit() == []

    def test_rows_of_others_are_never_touched(self, catalogue: Catalogue) -> None:
        """Another shop's product may have the same id; the key is the table's own."""
        catalogue.execute(
            "CREATE TABLE wares (no INTEGER, shop TEXT, page TEXT, price INTEGER, PRIMARY KEY (shop, no))",
            "INSERT INTO wares VALUES (7, 'mine', 'https://www.shop.com/7', 5), "
            "(7, 'other', 'https://www.shop.com/7', 5), (8, 'other', 'https://www.shop.com/8', 5)",
        )
        columns = {"id": "no", "url": "page", "price": "price"}
        update = {"columns": {"price": "price"}}
        catalogue.platform = shop(update, table="wares", columns=columns, where="shop = 'mine' AND price = 5")
        catalogue.found([changed("7", price=(5, 6)), changed("8", price=(5, 6)), changed("x", price=(5, 6))])
        before = catalogue.bytes_of("wares")
        catalogue.apply()
        assert catalogue.outcomes() == {"7": RowOutcome.WRITTEN, "8": RowOutcome.MISSING, "x": RowOutcome.MISSING}
        assert catalogue.rows("SELECT shop, price FROM wares WHERE no = 7 ORDER BY shop") == [("mine", 6), ("other", 5)]
        catalogue.undo()
        assert catalogue.bytes_of("wares") == before

    def test_a_table_without_a_key_is_written_where_ids_are_single(self, catalogue: Catalogue) -> None:
        """Of the whole table: nothing else would tell two rows apart."""
        catalogue.execute(
            "CREATE TABLE wares (id TEXT, url TEXT, price INTEGER, mine BOOLEAN)",
            "INSERT INTO wares VALUES ('A', 'https://www.shop.com/A', 5, true), "
            "('A', 'https://www.shop.com/A', 5, false), ('B', 'https://www.shop.com/B', 5, true), "
            "('C', 'https://www.shop.com/C', 5, false)",
        )
        catalogue.platform = shop({"columns": {"price": "price"}}, table="wares", where="mine")
        catalogue.found([changed(name, price=(5, 6)) for name in "ABC"])
        before = catalogue.bytes_of("wares")
        catalogue.apply()
        assert catalogue.outcomes() == {"A": RowOutcome.DOUBLED, "B": RowOutcome.WRITTEN, "C": RowOutcome.MISSING}
        assert catalogue.rows("SELECT price FROM wares ORDER BY id") == [(5,), (5,), (6,), (5,)]
        catalogue.undo()
        assert catalogue.bytes_of("wares") == before

    def test_what_the_database_refuses_holds_nobody_up(self, catalogue: Catalogue) -> None:
        """One row is left as it was, with the database's own words; those beside it are written."""
        catalogue.execute("CREATE TABLE limited (id TEXT PRIMARY KEY, url TEXT, price INTEGER CHECK (price < 100))")
        catalogue.execute(
            "INSERT INTO limited VALUES " + ", ".join(f"('{name}', 'https://www.shop.com/{name}', 5)" for name in "ABC")
        )
        catalogue.platform = shop({"columns": {"price": "price"}}, table="limited")
        catalogue.found([changed("A", price=(5, 6)), changed("B", price=(5, 500)), changed("C", price=(5, 7))])
        catalogue.apply()
        assert catalogue.outcomes() == {"A": RowOutcome.WRITTEN, "B": RowOutcome.REFUSED, "C": RowOutcome.WRITTEN}
        assert "CHECK" in catalogue.reasons().upper()
        assert catalogue.rows("SELECT price FROM limited ORDER BY id") == [(6,), (5,), (7,)]
        assert [row[0] for row in catalogue.audit()] == ["A", "C"]

    def test_without_an_account_for_it_nothing_can_write(self, catalogue: Catalogue) -> None:
        """Rehearsing goes by the way that catalogues are read."""
        catalogue.insert(A="'a', 5, 'on_sale'")
        catalogue.found([changed("A", price=(5, 6))])
        reader = catalogue.applier(may_write=False)
        assert reader.apply(RUN).tally.figures() == {"written": 1, "columns": 1}
        before = catalogue.bytes_of()
        with pytest.raises(UsageError, match="nothing can be written: set PAGEMILL_CATALOG_WRITE_URL"):
            reader.apply(RUN, writes=True)
        assert catalogue.bytes_of() == before

    @pytest.mark.parametrize(
        ("catalog", "message"),
        [
            ({"update": {}}, r"nothing of run run-1 may be written .*catalog\.update\.columns"),
            ({"table": None}, r"name the table in catalog\.table"),
            ({"table": "gods"}, "no table gods: did you mean goods"),
            ({"update": {"columns": {"price": "prize"}}}, "no column prize: did you mean price"),
        ],
    )
    def test_a_mistake_is_told_with_its_remedy(
        self, catalogue: Catalogue, catalog: dict[str, Any], message: str
    ) -> None:
        """Before anything is written."""
        catalogue.found([changed("A", price=(5, 6))])
        catalogue.platform = shop(**{"update": UPDATE, **catalog})
        with pytest.raises(UsageError, match=message):
            catalogue.apply()

    def test_it_goes_on_page_by_page(self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        """For whoever cannot wait for all of it."""
        monkeypatch.setattr(applier, "CHUNK", 2)
        catalogue.insert(**dict.fromkeys("ABCDE", "'a', 5, 'on_sale'"))
        catalogue.found([changed(name, price=(5, 6)) for name in "ABCDE"])
        first = catalogue.apply(most=2)
        assert (list(catalogue.outcomes()), first.next_after) == (["A", "B"], "B")
        rest = catalogue.apply(after=first.next_after)
        assert (list(catalogue.outcomes()), rest.next_after) == (["C", "D", "E"], "")

    def test_the_statement_itself_names_what_stood_there(self, catalogue: Catalogue) -> None:
        """Whoever changed the row since it was read, by a blank even, is not overwritten; nothing is like nothing."""
        catalogue.insert(A="'a', 5, NULL")
        with catalogue.engine() as engine, transaction(engine, writes=True) as connection:
            rows = CatalogRows(engine, catalogue.platform)
            (row,) = rows.find(connection, ["A"], locks=False).rows["A"]
            read = row.raw_of(["name", "status"])
            for outdated in ({"name": "a "}, {"name": None}, {"status": ""}, {"status": "x"}):
                assert rows.raw.change(connection, row.key, {**read, **outdated}, {"name": "b"}) is None
            assert rows.raw.change(connection, row.key, read, {"name": "b"}) == {"name": "b"}
        assert catalogue.rows("SELECT name FROM goods") == [("b",)]

    def test_nothing_of_another_writer_is_lost(self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever changes the same rows at the same time, in transactions of several rows, in any order."""
        monkeypatch.setattr(applier, "CHUNK", 5)
        names = [f"P{number:03}" for number in range(200)]
        catalogue.insert(**dict.fromkeys(names, "'a', 5, 'on_sale'"))
        catalogue.found([changed(name, price=(5, 6)) for name in names])
        writer = Writer(catalogue, names)
        writer.start()
        try:
            for _ in range(20):
                if catalogue.apply().tally.products[RowOutcome.BUSY] == 0 and writer.written:
                    break
        finally:
            writer.end()
        catalogue.apply()
        prices = {row[0]: int(row[1]) for row in catalogue.rows("SELECT id, price FROM goods")}
        assert writer.failures == []
        assert 0 < len(writer.written) < len(names)
        assert prices == {**dict.fromkeys(names, 6), **writer.written}
        noted = {row[0] for row in catalogue.audit()}
        assert set(names) - writer.written.keys() <= noted
        catalogue.undo()
        prices = {row[0]: int(row[1]) for row in catalogue.rows("SELECT id, price FROM goods")}
        assert prices == {**dict.fromkeys(names, 5), **writer.written}

    @pytest.mark.parametrize("noted", [0, 7, 130])
    def test_killed_in_the_middle_it_leaves_nothing_half(
        self, catalogue: Catalogue, results_url: str, noted: int
    ) -> None:
        """Each row that is changed has its entry, and no other; the next call goes on, and undo brings all back."""
        names = [f"P{number:03}" for number in range(250)]
        catalogue.insert(**dict.fromkeys(names, "'a', 5.00, 'on_sale'"))
        catalogue.found([changed(name, name=("a", "b"), price=(5, 6)) for name in names])
        before = catalogue.bytes_of()
        killed = subprocess.run(
            [sys.executable, "-c", _KILLED, catalogue.url, results_url, str(noted)], cwd=ROOT, timeout=60
        )
        assert killed.returncode == -9
        self.wait_for_the_end_of_others(catalogue)
        written = [row[0] for row in catalogue.rows("SELECT id FROM goods WHERE price = 6 AND name = 'b' ORDER BY id")]
        untouched = catalogue.rows("SELECT id FROM goods WHERE price = 5 AND name = 'a'")
        assert len(written) == noted // applier.CHUNK * applier.CHUNK
        assert len(written) + len(untouched) == len(names)
        assert sorted({row[0] for row in catalogue.audit()}) == written
        rest = catalogue.apply().tally.figures()
        assert rest == {
            "written": len(untouched),
            "columns": 2 * len(untouched),
            **({"already": len(written)} if written else {}),
        }
        assert catalogue.undo().products[RowOutcome.WRITTEN] == len(names)
        assert catalogue.bytes_of() == before

    def test_undo_goes_on_in_steps(self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        """What it leaves alone does not hold it up."""
        monkeypatch.setattr(undoer, "CHUNK", 2)
        names = [f"P{number}" for number in range(7)]
        catalogue.insert(**dict.fromkeys(names, "'a', 5, 'on_sale'"))
        catalogue.found([changed(name, price=(5, 6)) for name in names])
        catalogue.apply()
        catalogue.execute("UPDATE goods SET price = 9 WHERE id IN ('P0', 'P1', 'P2')")
        assert catalogue.undo().figures() == {"written": 4, "otherwise": 3, "columns": 4}
        assert catalogue.undo().figures() == {"otherwise": 3, "columns": 0}

    def test_the_newest_application_is_undone_first(self, catalogue: Catalogue) -> None:
        """Applied twice with somebody's correction between, the row ends as it was before the first."""
        catalogue.insert(A="'a', 5.00, 'on_sale'")
        catalogue.found([changed("A", price=(5, 6))])
        before = catalogue.bytes_of()
        catalogue.apply()
        catalogue.execute("UPDATE goods SET price = 5.00")
        catalogue.apply()
        catalogue.undo()
        assert [told.outcome for told in catalogue.told] == [RowOutcome.WRITTEN, RowOutcome.ALREADY]
        assert catalogue.bytes_of() == before

    def wait_for_the_end_of_others(self, catalogue: Catalogue) -> None:
        """Until the database has noticed that a client is gone."""


class Writer(threading.Thread):
    """Somebody else, who gives random rows a value that only he gives, three in a transaction, until he is told to end
    or has touched half of them."""

    def __init__(self, catalogue: Catalogue, names: list[str]) -> None:
        super().__init__(name="writer", daemon=True)
        self._engine = open_engine(catalogue.url, 30)
        self._names = random.Random(17).sample(names, len(names) // 2)
        self._over = threading.Event()
        self._begun = threading.Event()
        self.written: dict[str, int] = {}
        self.failures: list[Exception] = []

    def run(self) -> None:
        number = 1000
        chosen = random.Random(18)
        # SQLite's lock has no waiting line: without a breath of his between two transactions nobody else would get it.
        while not self._over.wait(_BREATH_S):
            some = {name: number + step for step, name in enumerate(chosen.sample(self._names, 3))}
            number += 3
            try:
                with self._engine.connect().execution_options(pagemill_writes=True) as connection, connection.begin():
                    for name, price in some.items():
                        connection.execute(
                            text("UPDATE goods SET price = :price WHERE id = :name"), {"price": price, "name": name}
                        )
                self.written.update(some)
            except SQLAlchemyError as error:
                self.failures.append(error)
                return
            finally:
                self._begun.set()

    def start(self) -> None:
        super().start()
        self._begun.wait(30)

    def end(self) -> None:
        self._over.set()
        self.join(60)
        self._engine.dispose()
