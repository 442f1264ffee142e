"""What is told of slow statements, whatever the database: `test_slow_statements` and `tests/postgres` both run this."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from pagemill.results.database import reading
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.unit.results.result_values import make_result

COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT count(*) FROM n"


class SlowStatementsContract:
    """A subclass gives a fresh database as the fixture `database_url`."""

    @pytest.fixture
    def store(self, database_url: str) -> Iterator[ResultStore]:
        with ResultStore(database_url, slow_statement_ms=100) as opened:
            yield opened

    def test_a_slow_statement_is_told_and_a_quick_one_is_not(self, store: ResultStore) -> None:
        """With its time, without line breaks, and without what it was asked about."""
        with capture_logs() as lines, reading(store.engine) as connection:
            connection.execute(text(COUNTING), {"most": 10})
            connection.execute(text(f"/* a\nremark */ {COUNTING}"), {"most": 3_000_001})

        (line,) = lines
        assert (line["event"], line["log_level"]) == (events.SLOW_STATEMENT, "warning")
        assert line["statement"].startswith("/* a remark */ WITH RECURSIVE")
        assert line["ms"] >= 100
        assert "3000001" not in str(line)

    def test_values_are_never_told(self, database_url: str) -> None:
        """Not those of rows, nor those that are looked for; a long statement is cut."""
        with capture_logs() as lines, ResultStore(database_url, slow_statement_ms=0.000_001) as store:
            store.create_run("secret-run", "secret-shop", "secret.csv")
            store.write([make_result(f"secret-{number}", reason="secret reason") for number in range(100)])
            store.judged("secret-run", ["secret-1"])
            list(store.read("secret-run"))

        statements = [line["statement"] for line in lines if line["event"] == events.SLOW_STATEMENT]
        assert any(statement.startswith("INSERT INTO results") for statement in statements)
        assert any(statement.startswith("SELECT results.run") for statement in statements)
        assert "secret" not in str(lines)
        assert max(map(len, statements)) <= 300

    def test_zero_tells_none(self, database_url: str) -> None:
        """However slow."""
        with capture_logs() as lines, ResultStore(database_url, slow_statement_ms=0) as store:
            store.write([make_result()])
        assert lines == []
