"""Do the pages of the results room stay quick, and the API flat, with a run of 100,000 results?

`python -m benchmarks.room` fills a database (SQLite, or an empty PostgreSQL by `--database-url`, whose tables stay),
starts `pagemill api`, and asks what the room's pages ask, in turns. Prints a table, and exits with 1 when a criterion
is missed. Traffic goes to this machine only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.load import REPOSITORY, Target, wait_until_up
from benchmarks.load_ground import result_of
from pagemill.control_room.api.server import listen
from pagemill.results.store import ResultStore
from pagemill.telemetry.logging import set_up_logging

MOST_P95_MS = 300.0
MOST_GROWTH_MB = 30.0
PLATFORM = "musinsa"
LARGE = "20261128-020000-musinsa-4f1c"
_OTHER_RUNS = 40
_OTHER_PRODUCTS = 500
_GROUP = 1000
_GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it."""

    p95_ms: Mapping[str, float]
    median_ms: Mapping[str, float]
    whole_search_ms: float
    """For something that is not there, from the first answer to the last."""
    rss_before_mb: float
    """After one round, when everything was asked for once."""
    rss_most_mb: float

    @property
    def missed(self) -> list[str]:
        """The criteria that were not kept."""
        found = [f"{name}: {value:.0f} ms at p95" for name, value in self.p95_ms.items() if value >= MOST_P95_MS]
        if (growth := self.rss_most_mb - self.rss_before_mb) >= MOST_GROWTH_MB:
            found.append(f"the API grew by {growth:.0f} MB")
        return found


def paths(results: int) -> dict[str, str]:
    """What the pages ask for, by what it is."""
    run = f"/api/v1/runs/{LARGE}"
    middle = f"after=P{results // 2:06}"
    return {
        "page of runs": "/runs",
        "page of a run": f"/runs/{LARGE}",
        "page of a product": f"/products/{PLATFORM}/P000007",
        "runs": "/api/v1/runs?limit=20",
        "a run": run,
        "results, first": f"{run}/results?limit=50",
        "results, middle": f"{run}/results?limit=50&{middle}",
        "failed ones": f"{run}/results?limit=50&verdict=failed&{middle}",
        "where the price differs": f"{run}/results?limit=50&field=price&{middle}",
        "search for many": f"{run}/results?limit=50&search=shop&{middle}",
        "search for one": f"{run}/results?limit=50&search=P{results - 3:06}",
        "search for none": f"{run}/results?limit=50&search=nowhere&{middle}",
        "history of a product": f"/api/v1/products/{PLATFORM}/P000007/history?limit=100",
        "artifacts": f"{run}/artifacts?product=P000007",
    }


def fill(store: ResultStore, results: int) -> None:
    """A large run that is still at work, the newest of many."""
    chance, begun = random.Random(7), datetime.now(UTC)
    for number in range(_OTHER_RUNS + 1):
        is_large = number == _OTHER_RUNS
        run = LARGE if is_large else f"20261127-{number:06}-musinsa-4f1c"
        count = results if is_large else _OTHER_PRODUCTS
        store.create_run(run, PLATFORM, "room")
        for start in range(0, count, _GROUP):
            group = range(start, min(count, start + _GROUP))
            store.write([result_of(run, PLATFORM, product, chance, begun) for product in group])
        store.seal_run(run, count + is_large, 1, 0)


@contextmanager
def api(folder: Path, database_url: str) -> Iterator[tuple[Target, psutil.Process]]:
    """`pagemill api` on that database, for the time of the block."""
    shutil.copytree(REPOSITORY / "config", folder / "config")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}
    own = {"PAGEMILL_API_SECRET": secrets.token_hex(32), "PAGEMILL_LOG_LEVEL": "WARNING"}
    environment = {**kept, **own, "PAGEMILL_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "pagemill"]
    made = subprocess.run(
        [*command, "token", "--role", "planner"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "api", "--port", str(port)], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            target = Target(f"http://127.0.0.1:{port}", made.stdout.strip())
            wait_until_up(target, process, folder / "api.log")
            yield target, psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(target: Target, process: psutil.Process, results: int, rounds: int) -> Measured:
    """Asks for everything so many times, in turns."""
    wanted = paths(results)
    for path in wanted.values():
        target.get(path)
    before_mb = most_mb = _rss_mb(process)
    took_ms: dict[str, list[float]] = {name: [] for name in wanted}
    for _ in range(rounds):
        for name, path in wanted.items():
            began_s = time.monotonic()
            target.get(path)
            took_ms[name].append(1000 * (time.monotonic() - began_s))
        most_mb = max(most_mb, _rss_mb(process))
    began_s = time.monotonic()
    _search_to_the_end(target)
    return Measured(
        p95_ms={name: round(statistics.quantiles(each, n=20)[-1], 1) for name, each in took_ms.items()},
        median_ms={name: round(statistics.median(each), 1) for name, each in took_ms.items()},
        whole_search_ms=round(1000 * (time.monotonic() - began_s), 1),
        rss_before_mb=round(before_mb, 1),
        rss_most_mb=round(max(most_mb, _rss_mb(process)), 1),
    )


def _search_to_the_end(target: Target) -> None:
    after = ""
    while True:
        path = f"/api/v1/runs/{LARGE}/results?limit=50&search=nowhere&after={after}"
        after = json.loads(target.get(path))["data"]["next_after"]
        if not after:
            return


def _rss_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def table(found: Measured, results: int, rounds: int) -> Table:
    """For a terminal."""
    title = f"{results:,} results, each asked for {rounds} times"
    shown = Table(title=title, title_justify="left")
    for heading in ("what", "median", "p95"):
        shown.add_column(heading, justify="left" if heading == "what" else "right")
    for name, value in found.p95_ms.items():
        shown.add_row(name, f"{found.median_ms[name]:.1f} ms", f"{value:.1f} ms")
    shown.add_row("search for none, to the end", f"{found.whole_search_ms:.0f} ms", "")
    shown.add_row("memory of the API", f"{found.rss_before_mb:.0f} MB", f"{found.rss_most_mb:.0f} MB")
    return shown


def main() -> int:
    """0 when every criterion was kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room", description=__doc__)
    parser.add_argument("--results", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--database-url", default="", help="of an empty PostgreSQL database; SQLite unless told")
    parser.add_argument("--output", type=Path, help="a file for the numbers, as JSON")
    options = parser.parse_args()
    console = Console()
    set_up_logging("json", "ERROR")
    with tempfile.TemporaryDirectory(prefix="pagemill-room-") as name:
        url = options.database_url or f"sqlite:///{name}/results.db"
        with ResultStore(url) as store:
            fill(store, options.results)
        with api(Path(name), url) as (target, process):
            found = measure(target, process, options.results, options.rounds)
    console.print(table(found, options.results, options.rounds))
    if options.output is not None:
        options.output.write_text(json.dumps({"missed": found.missed, **asdict(found)}, indent=1) + "\n")
    for miss in found.missed:
        console.print(f"missed: {miss}", style="red")
    return 1 if found.missed else 0


if __name__ == "__main__":
    sys.exit(main())
