"""Searches through a run on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.results.search_contract import SearchContract


class TestSearchOnSqlite(SearchContract):
    """Everything that holds on every database."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/results.db"
