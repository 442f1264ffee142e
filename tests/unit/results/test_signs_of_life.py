"""Signs of life on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.results.signs_of_life_contract import SignsOfLifeContract


class TestSignsOfLifeOnSqlite(SignsOfLifeContract):
    """Everything that holds on every database."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/results.db"
