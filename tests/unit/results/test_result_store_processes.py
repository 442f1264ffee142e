"""Several worker processes and one SQLite file."""

from __future__ import annotations

from pathlib import Path

from tests.unit.results.four_writers import assert_each_row_once_from_four_writers


def test_four_processes_writing_at_once_leave_every_row_exactly_once(tmp_path: Path) -> None:
    """The file is new, and all of them make its tables."""
    assert_each_row_once_from_four_writers(f"sqlite:///{tmp_path}/data/results.db")
