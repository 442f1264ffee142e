"""Does the control API keep to its criteria under load? `make load` asks it as dashboards, people and Prometheus do.

Without `--url` it fills a Redis and a database, starts `pagemill api` on a free port, and asks that one. Prints a
table, writes a page with locust's charts, and exits with 1 when a criterion is missed. Traffic goes to this machine
only.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from benchmarks.load_criteria import Figures, figures_of, lines, misses
from benchmarks.load_ground import Size, fill, working
from benchmarks.load_paths import every_path
from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.control_room.api.server import listen
from pagemill.control_room.frame.origin import is_loopback
from pagemill.errors import UsageError
from pagemill.results.store import ResultStore
from pagemill.telemetry.logging import set_up_logging

REPOSITORY = Path(__file__).parents[1]
_START_S = 60.0
_ASK_S = 60.0
"""Before the clock runs: curves of a week are made for the first time then."""
_GRACE_S = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """A running API."""

    url: str
    token: str

    def get(self, path: str) -> str:
        """One answer.

        Raises:
            OSError: there was none, or not a good one.
        """
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=_ASK_S) as answer:
            text: str = answer.read().decode()
            return text

    def lookups(self) -> tuple[int, int]:
        """What it had ready so far, and what it had to make."""
        counts = {"hits": 0, "misses": 0}
        for family in text_string_to_metric_families(self.get("/metrics")):
            for kind in counts:
                if family.name == f"pagemill_api_cache_{kind}":
                    totals = (sample.value for sample in family.samples if sample.name.endswith("_total"))
                    counts[kind] += int(sum(totals))
        return counts["hits"], counts["misses"]

    def run(self) -> str:
        """The id of a run with results; empty where there is none."""
        report = json.loads(self.get("/api/performance/report"))["data"]
        done = [run["run"] for run in report["runs"] if run["done"]]
        return str(done[0]) if done else ""

    def worker(self) -> str:
        """The name of a worker that is alive; empty where none is."""
        rows = json.loads(self.get("/api/performance/dashboard?history=false"))["data"]["workers"]
        return next((str(row["name"]) for row in rows if row["alive"]), "")


@contextmanager
def own_api(folder: Path, size: Size) -> Iterator[Target]:
    """`pagemill api` with a fleet and a database of its own, for the time of the block."""
    shutil.copytree(REPOSITORY / "config", folder / "config")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}
    environment = {**kept, "PAGEMILL_API_SECRET": secrets.token_hex(32), "PAGEMILL_LOG_LEVEL": "WARNING"}
    config = load_config(folder / "config", {})
    command = [sys.executable, "-m", "pagemill"]
    with (
        open_redis("", folder / "data") as redis,
        ResultStore(f"sqlite:///{folder}/data/pagemill.db") as store,
    ):
        fill(redis, store, config, size)
        token = subprocess.run(
            [*command, "token", "--role", "planner"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_START_S,
        ).stdout.strip()
        with listen("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
        with working(redis, config, size), (folder / "api.log").open("wb") as log:
            arguments = [*command, "api", "--port", str(port)]
            process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=log, stderr=log)
            try:
                target = Target(f"http://127.0.0.1:{port}", token)
                wait_until_up(target, process, folder / "api.log")
                yield target
            finally:
                process.terminate()
                try:
                    process.wait(_GRACE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def wait_until_up(target: Target, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when it answers.

    Raises:
        RuntimeError: it ended, or did not answer in time; with the end of its log.
    """
    deadline_s = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            target.get("/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the API did not start: {log.read_text(errors='replace')[-2000:]}")


def load(target: Target, seconds: int, users: int, page: Path) -> Figures:
    """Has so many users ask it for so long; the page shows how that went.

    Raises:
        RuntimeError: locust did not run.
    """
    run, worker = target.run(), target.worker()
    for path in every_path(run, worker):
        target.get(path)  # what takes long when the API has just started is no matter of load
    with tempfile.TemporaryDirectory(prefix="pagemill-load-") as folder:
        stats = Path(folder, "stats.json")
        command = [sys.executable, "-m", "locust", "--locustfile", str(Path(__file__).with_name("load_users.py"))]
        command += ["--headless", "--host", target.url, "--users", str(users), "--spawn-rate", str(max(1, users // 3))]
        command += ["--run-time", f"{seconds}s", "--stop-timeout", "5", "--exit-code-on-error", "0"]
        command += [
            "--only-summary",
            "--loglevel",
            "ERROR",
            "--html",
            str(page),
            "--json-file",
            str(stats.with_suffix("")),
        ]
        # locust changes Python's own modules: a process of its own, which needs nothing of pagemill's.
        names = {"LOAD_TOKEN": target.token, "LOAD_RUN": run, "LOAD_WORKER": worker}
        environment = {**os.environ, **names, "PYTHONPATH": str(REPOSITORY)}
        hits, missed = target.lookups()
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + _GRACE_S)
        if ended.returncode or not stats.exists():
            raise RuntimeError(f"locust did not run: {ended.stderr.strip()[-2000:]}")
        hits_after, missed_after = target.lookups()
        found = json.loads(stats.read_text())
    return figures_of(found, seconds, hits_after - hits, missed_after - missed)


def table(found: Figures, seconds: int, users: int) -> Table:
    """The criteria for a terminal."""
    title = f"{found.requests:,} requests of {users} users in {seconds} s"
    shown = Table(title=title, title_justify="left")
    for heading in ("criterion", "found", "asked", ""):
        shown.add_column(heading, justify="left" if heading in ("criterion", "") else "right")
    for name, value, asked, kept in lines(found):
        shown.add_row(name, value, asked, "ok" if kept else "MISSED", style="" if kept else "red")
    return shown


def main() -> int:
    """0 when every criterion was kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--users", type=int, default=45, help="each makes three or four requests a second")
    parser.add_argument("--url", help="of an API that runs on this machine; its token is in LOAD_TOKEN")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    console = Console()
    set_up_logging("json", "ERROR")
    options.output.mkdir(parents=True, exist_ok=True)
    page = options.output / "load.html"
    if options.url is None:
        with tempfile.TemporaryDirectory(prefix="pagemill-load-") as folder, own_api(Path(folder), Size()) as target:
            found = load(target, options.seconds, options.users, page)
    else:
        try:
            target = given(options.url)
        except UsageError as error:
            parser.error(str(error))
        found = load(target, options.seconds, options.users, page)
    console.print(table(found, options.seconds, options.users))
    missed = misses(found)
    numbers = options.output / "load.json"
    numbers.write_text(json.dumps({"missed": missed, **asdict(found)}, indent=1) + "\n")
    console.print(f"{page}, {numbers}")
    for miss in missed:
        console.print(f"missed: {miss}", style="red")
    return 1 if missed else 0


def given(url: str) -> Target:
    """The API at that address.

    Raises:
        UsageError: it is not one of this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise UsageError(f"{url} is not of this machine: load is for http://127.0.0.1:PORT only")
    return Target(url.rstrip("/"), os.environ.get("LOAD_TOKEN", ""))


if __name__ == "__main__":
    sys.exit(main())
