"""Writing back to PostgreSQL: the common contract, and what is special about a server: types, locks, rights."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, make_url, text

from pagemill.applying.row_report import RowOutcome
from pagemill.applying.undoer import Undoer
from pagemill.applying.write_rights import look_at_rights
from pagemill.config.settings import Environment
from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.model import Verdict
from tests.unit.applying.apply_contract import ApplyContract
from tests.unit.applying.apply_values import Catalogue, changed, judged, shop

pytestmark = pytest.mark.postgres

_PATIENCE = 200


@pytest.fixture
def catalog_url(database_url: str) -> str:
    """This test's schema."""
    return database_url


@pytest.fixture
def stranger(postgres: Engine, schema: str, catalog_url: str) -> Iterator[str]:
    """The URL of an account that may look into the schema and nothing else."""
    name = f"pagemill_test_{secrets.token_hex(6)}"
    with postgres.begin() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'x'"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
    yield make_url(catalog_url).set(username=name, password="x").render_as_string(hide_password=False)
    with postgres.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))


class TestApplyOnPostgres(ApplyContract):
    """Everything that holds on every database."""

    def wait_for_the_end_of_others(self, catalogue: Catalogue) -> None:
        """The server ends a transaction some time after its client was killed."""
        query = (
            "SELECT count(*), pg_sleep(0.05)::text FROM pg_stat_activity WHERE application_name = 'pagemill' "
            "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND datname = current_database()"
        )
        for _ in range(_PATIENCE):
            if catalogue.rows(query)[0][0] == 0:
                return
        pytest.fail("the killed client's transaction goes on")

    def test_types_are_kept(self, catalogue: Catalogue) -> None:
        """Each value is written as the column's type has it, and comes back with its decimal places and blanks."""
        catalogue.execute(
            "CREATE TYPE selling AS ENUM ('on_sale', 'off_sale')",
            "CREATE DOMAIN won AS NUMERIC(12, 3) CHECK (VALUE > 0)",
            "CREATE TABLE typed (id UUID PRIMARY KEY, url VARCHAR(200), name CHAR(12), price won, status selling, "
            "in_stock BOOLEAN)",
            "INSERT INTO typed SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, "
            "'https://www.shop.com/00000000-0000-0000-0000-00000000000' || n, 'shirt', 12.500, 'on_sale', true "
            "FROM generate_series(1, 3) n",
        )
        update = {
            "columns": {name: name for name in ("name", "price", "status", "in_stock")},
            "words": {"status": {"sold_out": "off_sale", "pre_order": "pre_order"}},
        }
        catalogue.platform = shop(update, table="typed")
        first, second, third = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
        catalogue.found(
            [
                changed(first, name=("shirt", "coat"), price=(12.5, 9900), status=("on_sale", "sold_out")),
                changed(second, in_stock=(True, False), price=(12.5, 0.125)),
                changed(third, status=("on_sale", "pre_order"), price=(12.5, 1e-7)),
                changed("not a uuid", price=(1, 2)),
            ]
        )
        before = catalogue.bytes_of("typed")
        catalogue.apply()
        assert [told.outcome for told in catalogue.told] == [
            RowOutcome.WRITTEN,
            RowOutcome.WRITTEN,
            RowOutcome.UNFIT,
            RowOutcome.REFUSED,
            RowOutcome.MISSING,
        ]
        assert "none of the column's words (on_sale, off_sale)" in catalogue.reasons()
        rows = catalogue.rows("SELECT name, price::text, status::text, in_stock FROM typed ORDER BY id")
        assert rows[:2] == [("coat        ", "9900.000", "off_sale", True), ("shirt       ", "0.125", "on_sale", False)]
        catalogue.undo()
        assert catalogue.bytes_of("typed") == before

    @pytest.mark.parametrize("kind", ["REAL", "DOUBLE PRECISION", "NUMERIC", "BIGINT", "SMALLINT", "TEXT"])
    def test_numbers_of_any_type_are_compared_and_come_back(self, catalogue: Catalogue, kind: str) -> None:
        """Also those that no decimal fraction is."""
        catalogue.execute(
            f"CREATE TABLE priced (id BIGINT PRIMARY KEY, url TEXT, price {kind})",
            "INSERT INTO priced VALUES (1, 'https://www.shop.com/1', 129), (2, 'https://www.shop.com/2', 7)",
        )
        catalogue.platform = shop({"columns": {"price": "price"}}, table="priced")
        whole = kind in ("BIGINT", "SMALLINT")
        catalogue.found([changed("1", price=(129, 130)), changed("2", price=(7, 12.9))])
        before = catalogue.bytes_of("priced")
        catalogue.apply()
        assert catalogue.outcomes() == {"1": RowOutcome.WRITTEN, "2": RowOutcome.UNFIT if whole else RowOutcome.WRITTEN}
        assert catalogue.apply().tally.columns == 0
        assert catalogue.undo().products[RowOutcome.WRITTEN] == 2 - whole
        assert catalogue.bytes_of("priced") == before

    def test_a_row_that_somebody_is_changing_is_not_waited_for(self, catalogue: Catalogue, postgres: Engine) -> None:
        """So nobody waits in a circle; it is told, and the next call sees what came of it. The same with undo."""
        catalogue.insert(A="'a', 5, 'on_sale'", B="'b', 5, 'on_sale'")
        catalogue.found([changed("A", price=(5, 6)), changed("B", price=(5, 6))])
        (schema,) = catalogue.rows("SELECT current_schema()")[0]
        lock = text(f"UPDATE {schema}.goods SET price = price WHERE id = 'A'")
        with postgres.connect() as other, other.begin():
            other.execute(lock)
            catalogue.apply()
            assert catalogue.outcomes() == {"A": RowOutcome.BUSY, "B": RowOutcome.WRITTEN}
        catalogue.apply()
        assert catalogue.outcomes() == {"A": RowOutcome.WRITTEN, "B": RowOutcome.ALREADY}
        with postgres.connect() as other, other.begin():
            other.execute(lock)
            catalogue.undo()
            assert catalogue.outcomes() == {"A": RowOutcome.BUSY, "B": RowOutcome.WRITTEN}
        catalogue.undo()
        assert catalogue.outcomes() == {"A": RowOutcome.WRITTEN}

    def test_what_a_trigger_makes_of_a_value_is_taken_back(self, catalogue: Catalogue) -> None:
        """If a run would read something else; what it does to other columns is its own business."""
        catalogue.insert(A="'a', 5, 'on_sale'", B="'b', 5, 'on_sale'")
        catalogue.execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note = 'seen'; "
            "IF NEW.id = 'A' THEN NEW.price = NEW.price + 1; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER meddling BEFORE UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION meddle()",
        )
        catalogue.found([changed("A", price=(5, 6)), changed("B", price=(5, 6))])
        catalogue.apply()
        assert catalogue.outcomes() == {"A": RowOutcome.REFUSED, "B": RowOutcome.WRITTEN}
        assert "the database makes '7.00' of '6' in price" in catalogue.reasons()
        rows = catalogue.rows("SELECT price::text, note FROM goods ORDER BY id")
        assert rows == [("5.00", None), ("6.00", "seen")]
        assert [row[0] for row in catalogue.audit()] == ["B"]

    def test_the_audit_stands_beside_the_table(self, catalogue: Catalogue, schema: str) -> None:
        """In its schema, where the platform names one."""
        catalogue.insert(A="'a', 5, 'on_sale'")
        catalogue.platform = shop(table=f"{schema}.goods")
        catalogue.found([judged("A", Verdict.GONE, {"status": "on_sale"})])
        catalogue.apply()
        assert catalogue.rows(f"SELECT table_name, before FROM {schema}.pagemill_applied") == [
            (f"{schema}.goods", "on_sale")
        ]
        assert catalogue.undo().columns == 1

    def test_an_account_without_rights_is_told_which(
        self, catalogue: Catalogue, stranger: str, schema: str, catalog_url: str
    ) -> None:
        """One after the other, with what to grant; then it works."""
        catalogue.insert(A="'a', 5, 'on_sale'")
        catalogue.found([changed("A", price=(5, 6))])
        before = catalogue.bytes_of()
        name = make_url(stranger).username
        catalogue.url = stranger
        with pytest.raises(DatabaseUnavailable, match="permission denied"):
            look_at_rights(catalogue.environment(), catalogue.platform)
        with pytest.raises(
            UsageError, match=r"pagemill_applied.*CREATE TABLE.*grant this account SELECT, INSERT"
        ) as told:
            catalogue.apply()
        statement = str(told.value).split("run: ")[1].split("; and grant")[0]
        catalogue.url = catalog_url
        catalogue.execute(statement, f"GRANT SELECT, INSERT, UPDATE ON pagemill_applied TO {name}")
        catalogue.url = stranger
        with pytest.raises(
            DatabaseUnavailable, match=r"permission denied.*Grant the account of PAGEMILL_CATALOG_WRITE"
        ):
            catalogue.apply()
        catalogue.url = catalog_url
        assert catalogue.bytes_of() == before
        catalogue.execute(f"GRANT SELECT, UPDATE (price, name, status) ON goods TO {name}")
        catalogue.url = stranger
        assert "may be written: name, price, status of goods" in look_at_rights(
            catalogue.environment(), catalogue.platform
        )
        assert catalogue.apply().tally.columns == 1
        assert catalogue.undo().columns == 1
        catalogue.url = catalog_url
        assert catalogue.bytes_of() == before


def test_a_server_that_is_away_is_told() -> None:
    """With the variable that names it."""
    environment = Environment(catalog_write_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable, match="correct PAGEMILL_CATALOG_WRITE_URL"):
        Undoer({"shop": shop()}, environment).undo("run-1")
