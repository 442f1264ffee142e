"""Slow statements on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from pagemill.errors import DatabaseUnavailable
from pagemill.results.database import reading
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.unit.results.slow_statements_contract import SlowStatementsContract

pytestmark = pytest.mark.postgres


class TestSlowStatementsOnPostgres(SlowStatementsContract):
    """Everything that holds on every database."""


def test_a_statement_that_is_cut_off_for_being_slow_is_told(database_url: str) -> None:
    """It is the slowest of all."""
    with (
        ResultStore(database_url, slow_statement_ms=100) as store,
        capture_logs() as lines,
        pytest.raises(DatabaseUnavailable, match="statement timeout"),
        reading(store.engine) as connection,
    ):
        connection.execute(text("SET LOCAL statement_timeout = 150"))
        connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": 60})
    assert [(line["event"], line["statement"]) for line in lines] == [
        (events.SLOW_STATEMENT, "SELECT pg_sleep(%(seconds)s)")
    ]
