"""Lists of runs and of a product's results on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.unit.results.run_list_contract import RunListContract

pytestmark = pytest.mark.postgres


class TestRunListOnPostgres(RunListContract):
    """Everything that holds on every database."""
