"""Catalogues in a SQLite file: the common contract, and what is special about a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.errors import UsageError
from tests.unit.intake.catalog_table_contract import CatalogTableContract, read
from tests.unit.intake.intake_values import PLATFORM


@pytest.fixture
def catalog_url(tmp_path: Path) -> str:
    """A database that is not there yet."""
    return f"sqlite:///{tmp_path / 'catalogue.db'}"


class TestCatalogOnSqlite(CatalogTableContract):
    """Everything that holds on every database."""


def test_a_file_that_does_not_exist_is_not_created(catalog_url: str, tmp_path: Path) -> None:
    """Its name is most likely wrong."""
    with pytest.raises(UsageError, match=r"catalogue\.db does not exist: correct PAGEMILL_CATALOG_URL"):
        read(catalog_url)
    assert list(tmp_path.iterdir()) == []


def test_a_platform_must_say_which_table(catalog_url: str) -> None:
    """`sql` alone stands for what its configuration says."""
    with pytest.raises(UsageError, match=r"add catalog\.table to platforms/shop\.yaml"):
        read(catalog_url, "sql", PLATFORM)
