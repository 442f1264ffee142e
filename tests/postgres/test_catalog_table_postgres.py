"""Catalogues in PostgreSQL: the common contract, and a server that is away."""

from __future__ import annotations

import pytest

from pagemill.errors import DatabaseUnavailable
from tests.unit.intake.catalog_table_contract import CatalogTableContract, execute, read
from tests.unit.intake.intake_values import PLATFORM, url

pytestmark = pytest.mark.postgres


@pytest.fixture
def catalog_url(database_url: str) -> str:
    """This test's schema."""
    return database_url


class TestCatalogOnPostgres(CatalogTableContract):
    """Everything that holds on every database."""


def test_a_table_in_another_schema_can_be_named(catalog_url: str, schema: str) -> None:
    """Before a dot."""
    execute(
        catalog_url,
        f"CREATE TABLE {schema}.elsewhere (id UUID PRIMARY KEY, url TEXT)",
        f"INSERT INTO {schema}.elsewhere VALUES ('00000000-0000-0000-0000-000000000001', '{url('1')}')",
    )
    products, _ = read(catalog_url, f"sql:{schema}.elsewhere", PLATFORM)
    assert [product.id for product in products] == ["00000000-0000-0000-0000-000000000001"]


def test_a_server_that_is_away_is_told() -> None:
    """With the variable that names it."""
    with pytest.raises(DatabaseUnavailable, match="correct PAGEMILL_CATALOG_URL"):
        read("postgresql+psycopg://nobody@127.0.0.1:1/none", "sql:goods", PLATFORM)
