"""Searches through a run on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.unit.results.search_contract import SearchContract

pytestmark = pytest.mark.postgres


class TestSearchOnPostgres(SearchContract):
    """Everything that holds on every database."""
