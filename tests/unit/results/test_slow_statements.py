"""Slow statements on SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pagemill.errors import DatabaseUnavailable
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.unit.cli.command import run
from tests.unit.results.result_values import make_result
from tests.unit.results.slow_statements_contract import SlowStatementsContract


class TestSlowStatementsOnSqlite(SlowStatementsContract):
    """Everything that holds on every database."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/results.db"


def test_a_wait_for_a_lock_is_told_though_it_ends_in_vain(tmp_path: Path) -> None:
    """Another program holds the file: that is where the time goes."""
    with (
        ResultStore(f"sqlite:///{tmp_path}/r.db", lock_timeout_s=0.2, slow_statement_ms=100) as store,
        closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with capture_logs() as lines, pytest.raises(DatabaseUnavailable, match="locked"):
            store.write([make_result()])
        other.execute("ROLLBACK")
    assert [(line["event"], line["statement"]) for line in lines] == [(events.SLOW_STATEMENT, "BEGIN IMMEDIATE")]


def test_commands_go_by_the_setting(tmp_path: Path) -> None:
    """Opening the database takes its lock, which another program gives back late."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(
        "platform: shop\nhosts: [www.shop.com]\nextract: {fields: {name: h1}}\n"
    )
    (tmp_path / "config" / "pagemill.yaml").write_text("results: {slow_statement_ms: 50}\n")
    with ResultStore(f"sqlite:///{tmp_path}/data/pagemill.db"):
        pass
    with closing(
        sqlite3.connect(tmp_path / "data/pagemill.db", isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.5, other.execute, ["ROLLBACK"])
        release.start()
        said = run(tmp_path, "results", PAGEMILL_LOG_FORMAT="json")
        release.join()
    assert said.code == 0
    told = json.loads(said.err.splitlines()[0])
    assert (told["event"], told["statement"], told["level"]) == (events.SLOW_STATEMENT, "BEGIN IMMEDIATE", "warning")
