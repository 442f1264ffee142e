"""What is kept of what was not told yet, on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.results.notice_outbox_contract import NoticeOutboxContract


class TestNoticeOutboxOnSqlite(NoticeOutboxContract):
    """Everything that holds on every database."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/results.db"
