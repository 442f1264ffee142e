"""A folder with configuration, Redis, database and log of its own, and workers that run in it as users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml
from redis import Redis

from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.demo.catalogue import CatalogueRow
from pagemill.demo.storefront_process import StorefrontProcess
from pagemill.intake.batch_job import open_queue
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import ItemResult
from pagemill.results.store import ResultStore

REPOSITORY = Path(__file__).parents[2]


class Workplace:
    """Everything of one test, below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.log = folder / "worker.log"
        self.scratch = folder / "tmp"
        self.environment_changes: dict[str, str] = {}
        self.scratch.mkdir(parents=True)
        (self.config / "platforms").mkdir(parents=True)
        self.platform("demo-hydrated")
        self.settings()

    def platform(self, name: str, **changes: dict[str, Any] | list[Any]) -> None:
        """Takes one of the shipped platforms over, with changed sections."""
        source = yaml.safe_load((REPOSITORY / "config" / "platforms" / f"{name}.yaml").read_text())
        for section, values in changes.items():
            source[section] = {**source.get(section, {}), **values} if isinstance(values, dict) else values
        (self.config / "platforms" / f"{name}.yaml").write_text(yaml.safe_dump(source))

    def settings(self, **sections: dict[str, Any]) -> None:
        """Writes pagemill.yaml; beats are quick so that tests need not wait a minute."""
        quick = {"heartbeat_interval_s": 0.5, "heartbeat_ttl_s": 5}
        sections["queue"] = {**quick, **sections.get("queue", {})}
        sections["guard"] = {"sample_interval_s": 1, **sections.get("guard", {})}
        (self.config / "pagemill.yaml").write_text(yaml.safe_dump(sections))

    @property
    def environment(self) -> dict[str, str]:
        """For commands that run here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}
        if chromium := os.environ.get("PAGEMILL_CHROMIUM"):
            kept["PAGEMILL_CHROMIUM"] = chromium
        return kept | {"PAGEMILL_LOG_FORMAT": "json", "TMPDIR": str(self.scratch)} | self.environment_changes

    def run(self, *arguments: str, check: bool = True, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "pagemill", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=timeout_s,
        )

    @contextmanager
    def worker(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker in the background; killed at the end of the block if it has not ended."""
        command = [sys.executable, "-m", "pagemill", "worker", *arguments]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """The embedded server of this folder."""
        with open_redis("", self.folder / "data") as client:
            yield client

    @contextmanager
    def store(self) -> Iterator[ResultStore]:
        """The results of this folder."""
        with ResultStore(f"sqlite:///{self.folder / 'data' / 'pagemill.db'}") as store:
            yield store

    def enqueue(self, platform: str, rows: Iterable[CatalogueRow], batch_size: int = 50) -> str:
        """Puts products on the queue; the run's id."""
        config = load_config(self.config, {})
        with self.redis() as redis, self.store() as store:
            return enqueue_run(
                (row.product for row in rows),
                config.platforms[platform],
                source="test",
                batch_size=batch_size,
                settings=config.settings.queue,
                redis=redis,
                store=store,
            ).run

    def results(self, run: str) -> list[ItemResult]:
        """All results of a run."""
        with self.store() as store:
            return list(store.read(run))

    def wait_for(self, run: str, done: int, timeout_s: float = 60) -> None:
        """Waits until so many results are there."""
        with self.store() as store:
            eventually(lambda: store.progress(run).done >= done, timeout_s, f"{done} results")

    def at_work(self, platform: str) -> int:
        """How many batches of a platform some worker has at work."""
        with self.redis() as redis:
            return int(open_queue(redis, platform).started_job_registry.get_job_count(cleanup=False))

    def events(self, name: str) -> list[dict[str, Any]]:
        """What workers have logged under that name."""
        records = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [record for record in records if record.get("event") == name]

    def processes(self) -> list[str]:
        """Command lines of everything that still runs with this folder in its command line or environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                mentions = [*process.cmdline(), process.environ().get("TMPDIR", "")]
                if any(str(self.folder) in mention for mention in mentions):
                    found.append(" ".join(process.cmdline())[:200])
            except psutil.Error:
                continue
        return found

    def assert_nothing_left(self) -> None:
        """No worker, driver, Chromium or Redis runs, and the scratch folder is empty."""
        eventually(lambda: not self.processes(), 15, "the end of all processes", self.processes)
        # What a killed process leaves of its pulse is an empty file, and the health check's to remove.
        assert [entry.name for entry in self.scratch.iterdir() if not entry.name.startswith("pagemill-pulse-")] == []


def eventually(
    condition: Callable[[], bool], timeout_s: float, what: str, shown: Callable[[], object] = lambda: ""
) -> None:
    """Waits for a condition, and fails naming it."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {timeout_s} s for {what}: {shown()}"
        time.sleep(0.05)


def assert_each_right_once(rows: list[CatalogueRow], results: list[ItemResult]) -> None:
    """Every product has exactly one result, with the right verdict."""
    assert sorted(result.product_id for result in results) == sorted(row.product.id for row in rows)
    by_id = {result.product_id: result for result in results}
    wrong = [
        (row.product.url, by_id[row.product.id].verdict.value, by_id[row.product.id].reason)
        for row in rows
        if not row.accepts(by_id[row.product.id].verdict)
    ]
    assert wrong == []


def assert_none_visited_twice(shop: StorefrontProcess, results: list[ItemResult]) -> None:
    """The shop has seen each product once, but for those that it refused and that were tried again."""
    visits = {result.product_id: shop.hits(result.product_id).visits for result in results if result.attempts == 1}
    assert len(visits) > len(results) / 2
    assert {product: count for product, count in visits.items() if count != 1} == {}


def browser_pids(worker_pid: int) -> list[int]:
    """Main processes of the browsers below a worker."""
    found = []
    for child in psutil.Process(worker_pid).children(recursive=True):
        try:
            line = child.cmdline()
        except psutil.Error:
            continue
        if line and "chrom" in line[0] and not any(part.startswith("--type=") for part in line):
            found.append(child.pid)
    return found


def driver_pids(worker_pid: int) -> list[int]:
    """Playwright drivers below a worker."""
    found = []
    for child in psutil.Process(worker_pid).children(recursive=True):
        try:
            if "run-driver" in child.cmdline():
                found.append(child.pid)
        except psutil.Error:
            continue
    return found
