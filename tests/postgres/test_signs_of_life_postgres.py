"""Signs of life on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.unit.results.signs_of_life_contract import SignsOfLifeContract

pytestmark = pytest.mark.postgres


class TestSignsOfLifeOnPostgres(SignsOfLifeContract):
    """Everything that holds on every database."""
