"""The set of ids that a catalogue had already."""

from __future__ import annotations

import sqlite3

import pytest

from pagemill.errors import UsageError
from pagemill.intake.seen_ids import SeenIds


def test_an_id_is_new_once() -> None:
    """Compared exactly: capital letters, accents and spaces count."""
    with SeenIds() as seen:
        assert seen.add("A", 2) is None
        assert seen.add("a", 3) is None
        assert seen.add("Á", 4) is None
        assert seen.add("A", 5) == 2
        assert seen.add("A", 6) == 2


def test_a_full_temporary_folder_is_a_usage_error() -> None:
    """With the way out."""
    with SeenIds() as seen:
        seen._database.execute("PRAGMA max_page_count=2")
        with pytest.raises(UsageError, match=r"full.*SQLITE_TMPDIR"):
            for number in range(10_000):
                seen.add(f"P{number}", number)


def test_the_set_is_gone_when_it_is_closed() -> None:
    """It has no name and leaves no file."""
    with SeenIds() as seen:
        seen.add("A", 1)
    with pytest.raises(sqlite3.ProgrammingError):
        seen.add("B", 2)
