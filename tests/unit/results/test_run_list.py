"""Lists of runs and of a product's results on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.results.run_list_contract import RunListContract


class TestRunListOnSqlite(RunListContract):
    """Everything that holds on every database."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/results.db"
