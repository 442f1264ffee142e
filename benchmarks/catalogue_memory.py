"""How much memory `pagemill enqueue sql` takes at most, for a small table and for a large one.

Fills a table, has the command read it, and prints the peak resident memory of its process: `python -m
benchmarks.catalogue_memory`. With `--database URL` the table is made in that database instead of an SQLite file, and
dropped afterwards.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, insert

from tests.e2e.workplace import Workplace

PLATFORM = "demo-hydrated"
TABLE = "pagemill_catalogue_benchmark"
_AT_ONCE = 10_000
_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Enqueued:
    """One run of the command."""

    rows: int
    peak_mb: float
    took_s: float
    said: str


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Products as a shop's table has them, ids in no particular order."""
    for number in range(count):
        key = f"p{number * 7919 % 10_000_019:08d}"
        url = f"http://127.0.0.1:8900/hydrated/p/{key}"
        yield {"id": key, "url": url, "name": f"Wide Denim 블랙 {number}", "price": 1000 + number, "in_stock": 1}


def fill(engine: Engine, count: int) -> None:
    """Makes the table with so many rows, in place of one that is there."""
    columns: list[Column[Any]] = [Column("id", String(40), primary_key=True), Column("url", String(200))]
    columns += [Column("name", String(200)), Column("price", Integer), Column("in_stock", Integer)]
    table = Table(TABLE, MetaData(), *columns)
    table.drop(engine, checkfirst=True)
    table.create(engine)
    source = rows(count)
    with engine.begin() as connection:
        while chunk := list(islice(source, _AT_ONCE)):
            connection.execute(insert(table), chunk)


def enqueue(place: Workplace, count: int) -> Enqueued:
    """Runs the command; the kernel tells its peak."""
    said = place.folder / f"said-{count}"
    command = [sys.executable, "-m", "pagemill", "enqueue", f"sql:{TABLE}", "--platform", PLATFORM]
    begun_s = time.monotonic()
    with said.open("wb") as out:
        process = subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=out, stderr=out)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = said.read_text().strip()
    if process.returncode:
        raise SystemExit(f"enqueue ended with {process.returncode}: {text}")
    return Enqueued(count, usage.ru_maxrss / 1024, time.monotonic() - begun_s, text.splitlines()[-1])


def measure(database: str, counts: list[int]) -> list[Enqueued]:
    """Each count in turn, on an empty queue."""
    found = []
    with tempfile.TemporaryDirectory(prefix="catalogue-") as folder:
        for count in counts:
            place = Workplace(Path(folder) / str(count))
            url = database or f"sqlite:///{place.folder}/catalogue.db"
            place.environment_changes["PAGEMILL_CATALOG_URL"] = url
            engine = create_engine(url)
            try:
                fill(engine, count)
                with place.redis():
                    found.append(enqueue(place, count))
            finally:
                if database:
                    Table(TABLE, MetaData()).drop(engine, checkfirst=True)
                engine.dispose()
    return found


def main() -> None:
    """Prints one line for each count, and the difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--database", default="", help="an SQLAlchemy URL; default: an SQLite file of its own")
    given = parser.parse_args()
    found = measure(given.database, given.rows)
    for each in found:
        print(f"{each.rows:>9} rows: peak {each.peak_mb:6.1f} MB, {each.took_s:6.1f} s: {each.said}")
    print(f"difference: {found[-1].peak_mb - found[0].peak_mb:.1f} MB")


if __name__ == "__main__":
    main()
