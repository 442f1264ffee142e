"""The store on SQLite: the common contract, and what is special about a file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pagemill.errors import DatabaseUnavailable, UsageError
from pagemill.results.store import ResultStore
from tests.unit.results.old_database import make_old_database
from tests.unit.results.result_values import make_result
from tests.unit.results.store_contract import StoreContract


class TestStoreOnSqlite(StoreContract):
    """Everything that holds on every database."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/new folder/results.db"


def test_the_file_uses_a_write_ahead_log(tmp_path: Path) -> None:
    """Readers and the writer do not block each other."""
    with ResultStore(f"sqlite:///{tmp_path}/r.db"):
        pass

    connection = sqlite3.connect(tmp_path / "r.db")
    try:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        connection.close()


def test_a_locked_database_is_unavailable_and_well_again_afterwards(tmp_path: Path) -> None:
    """The error names file and cause, and the same store works when the lock is gone."""
    store = ResultStore(f"sqlite:///{tmp_path}/r.db", lock_timeout_s=0.02)
    other = sqlite3.connect(tmp_path / "r.db", isolation_level=None)
    with store:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(DatabaseUnavailable, match=r"r\.db.*database is locked.*try again"):
            store.write([make_result()])

        other.execute("ROLLBACK")
        assert store.write([make_result()]) == 1
    other.close()


def test_an_old_database_that_is_locked_is_upgraded_at_the_next_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is half done: the wait has an end, and says what is in the way."""
    url = f"sqlite:///{tmp_path}/r.db"
    make_old_database(url)
    with closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")  # as 0.1 left it
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("pagemill.results.table_store._OPEN_TIMEOUT_S", 0.1)

        with pytest.raises(DatabaseUnavailable, match="database is locked"):
            ResultStore(url, lock_timeout_s=0.02).open()

    with ResultStore(url) as store:
        assert store.write([make_result()]) == 1


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    """With the remedy."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DatabaseUnavailable, match=r"folder .*file.*PAGEMILL_DATABASE_URL"):
        ResultStore(f"sqlite:///{tmp_path}/file/r.db").open()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """It is not overwritten."""
    (tmp_path / "r.db").write_text("something else, and long enough to look like a header" * 10)

    with pytest.raises(DatabaseUnavailable, match="not a database"):
        ResultStore(f"sqlite:///{tmp_path}/r.db").open()

    assert (tmp_path / "r.db").read_text().startswith("something else")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://root:secret@localhost/x", "mysql is not supported"),
        ("not a url", "not a database URL"),
        ("postgresql://user:sec/ret@host:x/db", "not a database URL"),
        ("", "not a database URL"),
    ],
)
def test_a_url_that_cannot_work_is_a_usage_error_without_the_password(url: str, message: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(UsageError, match=message) as raised:
        ResultStore(url).open()

    assert "sqlite:///data/pagemill.db" in str(raised.value)
    assert "sec" not in str(raised.value)


def test_a_server_that_is_away_is_named_without_the_password() -> None:
    """Nobody listens on port 1."""
    pytest.importorskip("psycopg")

    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/shop.*[Rr]efused") as raised:
        ResultStore("postgresql://someone:hushhush@127.0.0.1:1/shop").open()

    assert "hushhush" not in str(raised.value)
    assert raised.value.exit_code == 69
