"""What is kept of what was not told yet, on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.unit.results.notice_outbox_contract import UntoldContract

pytestmark = pytest.mark.postgres


class TestUntoldOnPostgres(UntoldContract):
    """Everything that holds on every database."""
