"""Several worker processes and one SQLite file."""

from __future__ import annotations

from pathlib import Path

from tests.unit.results.four_writers import assert_each_row_once_from_four_writers
from tests.unit.results.old_database import make_old_database


def test_four_processes_writing_at_once_leave_every_row_exactly_once(tmp_path: Path) -> None:
    """The file is new, and all of them make its tables."""
    assert_each_row_once_from_four_writers(f"sqlite:///{tmp_path}/data/results.db")


def test_four_processes_upgrade_a_database_of_0_1_at_once(tmp_path: Path) -> None:
    """One of them adds what is missing, and all of them write."""
    url = f"sqlite:///{tmp_path}/results.db"
    make_old_database(url)
    assert_each_row_once_from_four_writers(url)
