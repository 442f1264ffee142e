"""What is kept of what was not told yet, on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.unit.results.notice_outbox_contract import NoticeOutboxContract

pytestmark = pytest.mark.postgres


class TestNoticeOutboxOnPostgres(NoticeOutboxContract):
    """Everything that holds on every database."""
