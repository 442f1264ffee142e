"""What a result costs PostgreSQL: bytes on its disk, bytes in its log, and how many one connection writes in a second.

`python -m benchmarks.result_rows --database-url postgresql://...` writes into an empty database, as a worker does: in
groups, each a transaction of its own, some waiting batches beside them. Its tables stay.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy import Connection, text

from benchmarks.load_ground import result_of
from pagemill.model import Batch, Product
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.store import ResultStore
from pagemill.telemetry.logging import set_up_logging

_BATCH = 50


@dataclass(frozen=True, slots=True)
class Rows:
    """What was measured."""

    rows: int
    group: int
    rows_per_s: float
    """By one connection, waiting for each group."""
    bytes_per_row: float
    """With its indexes."""
    log_bytes_per_row: float
    """Write-ahead log, which replicas and archives get."""
    bytes_per_waiting_product: float
    """Of the batches that are not done."""


def measure(store: ResultStore, rows: int, group: int) -> Rows:
    """Writes so many results in groups, and as many waiting products."""
    chance, begun = random.Random(7), datetime.now(UTC)
    runs = [f"20261128-{number:06}-shop-ab12" for number in range(max(1, rows // 20_000))]
    each = rows // len(runs)
    with store.engine.connect() as connection:
        log_before = _log_position(connection)
    began_s = time.monotonic()
    for run in runs:
        for numbers in _groups(range(each), group):
            store.write([result_of(run, "shop", number, chance, begun) for number in numbers])
    took_s = time.monotonic() - began_s
    with store.engine.connect() as connection:
        log_after = _log_position(connection)
    asked = AskedBatches(store)
    store.create_run("20261128-999999-shop-ab12", "shop", "shop.csv")
    reached = NOTHING
    for number, numbers in enumerate(_groups(range(rows), _BATCH)):
        products = tuple(
            Product(
                f"P{item:06}",
                f"https://www.shop.test/products/{item}",
                {"name": f"{secrets.token_urlsafe(15)} 셔츠", "price": chance.randrange(1000, 500_000, 10)},
            )
            for item in numbers
        )
        after = Reached(number + 1, reached.products + len(products), products[-1].id)
        asked.note([Batch("20261128-999999-shop-ab12", f"b{number:05}", "shop", products)], reached, after)
        reached = after
    with store.engine.connect() as connection:
        return Rows(
            rows=each * len(runs),
            group=group,
            rows_per_s=round(each * len(runs) / took_s, 1),
            bytes_per_row=round(_size(connection, "results") / (each * len(runs)), 1),
            log_bytes_per_row=round((log_after - log_before) / (each * len(runs)), 1),
            bytes_per_waiting_product=round(_size(connection, "batches") / rows, 1),
        )


def _groups(numbers: range, size: int) -> Sequence[range]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def _size(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT pg_total_relation_size('{table}')")).scalar_one())


def _log_position(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")).scalar_one())


def main() -> int:
    """0 when it was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.result_rows", description=__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--group", type=int, default=50)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/rows.json"))
    options = parser.parse_args()
    set_up_logging("json", "ERROR")
    with ResultStore(options.database_url) as store:
        found = measure(store, options.rows, options.group)
        with store.engine.connect() as connection:
            version = str(connection.execute(text("SHOW server_version")).scalar_one())
    about = f"{multiprocessing.cpu_count()} cores, PostgreSQL {version.split()[0]}"
    written = {"at": datetime.now(UTC).date().isoformat(), "machine": about, **asdict(found)}
    options.output.write_text(json.dumps(written, indent=1) + "\n")
    Console().print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
