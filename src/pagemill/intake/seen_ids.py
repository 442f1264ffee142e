"""Remembers which ids a file has had: exactly, and in flat memory for any number of them.

Owns a temporary SQLite file without a name, which vanishes when it is closed. Must not be used for data that must
survive.
"""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Self

from pagemill.errors import UsageError

_CACHE_KIB = 8192


class SeenIds:
    """A set of ids, each with its first line. To be used by one thread."""

    def __init__(self) -> None:
        # With an empty name, SQLite keeps the database in its cache, and in a temporary file when the cache is full.
        self._database = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, product_id: str, line: int) -> int | None:
        """Adds the id. If it was there already, returns the line of its first occurrence, else `None`.

        Raises:
            UsageError: the temporary folder is full.
        """
        try:
            new = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (product_id, line)).rowcount
            if new:
                return None
            return int(self._database.execute("SELECT line FROM seen WHERE id = ?", (product_id,)).fetchone()[0])
        except sqlite3.OperationalError as error:
            raise UsageError(
                f"the ids of the catalogue do not fit into the temporary folder: {error}. Free some space, or name "
                "another folder in SQLITE_TMPDIR"
            ) from error
