"""The ground that a chaos run stands on: shop, Redis, small disks, supervisor, and the products that it works on.

Owns everything that is started or mounted, and ends it in `finally`, by process id. Breaks nothing itself: faults do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
from redis import Redis

from benchmarks.chaos_processes import Family, command_line, users_of
from benchmarks.chaos_redis import RedisServer
from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.intake.enqueue import enqueue_run
from tests.e2e.workplace import Workplace

PLATFORM = "demo-hydrated"
SHOP_FAULTS = (
    "status-500",
    "iframe-elsewhere",
    "redirect-elsewhere",
    "crash",
    "dialog",
    "download",
    "popup",
    "retry-after",
)
"""Faults of the shop's own. One that holds a lane up would look like a fault of ours that does not heal; one that goes
away with the next attempt may rightly end as `failed` when a fault of ours takes that attempt."""
_DISK_MB = {"data": 512, "tmp": 256}
_END_S = 60.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How a chaos run is set up."""

    processes: int = 2
    lanes: int = 2
    wait_time_ms: str = "0-50"
    shop_fault_every: int = 50
    batch_size: int = 50
    run_size: int = 1000
    queue: dict[str, float] = field(default_factory=lambda: {"heartbeat_interval_s": 5, "heartbeat_ttl_s": 45})
    guard: dict[str, float] = field(default_factory=lambda: {"sample_interval_s": 5})
    driver: str = "auto"
    """See `browser.driver`; the faults of a driver take `playwright`."""
    small_disks: bool = False
    """Whether data and scratch folder are file systems of their own, which can be filled up; takes root."""


class Ground:
    """`with Ground(folder, shape) as ground:` a supervisor with workers that has products to work on."""

    def __init__(self, folder: Path, shape: Shape, seed: int) -> None:
        self.place = Workplace(folder)
        self.shape = shape
        self.rows: dict[str, list[CatalogueRow]] = {}
        """What was put on the queue, by run."""
        self.restarts = 0
        """How often the supervisor had ended by itself and was started again, as a machine's init would."""
        self._seed = seed
        self._parts = ExitStack()
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._parts.close()

    def _open(self) -> None:
        place, shape = self.place, self.shape
        if shape.small_disks:
            for name, megabytes in _DISK_MB.items():
                self._parts.enter_context(_small_disk(place.folder / name, megabytes))
        workflow = {"rate_limit": {"wait_time_ms": shape.wait_time_ms}, "concurrency": {"default": shape.lanes}}
        place.platform(PLATFORM, workflow=workflow)
        place.settings(queue=dict(shape.queue), guard=dict(shape.guard), browser={"driver": shape.driver})
        self.shop = self._parts.enter_context(StorefrontProcess())
        self.redis_server = self._parts.enter_context(RedisServer(place.folder / "data" / "redis"))
        place.environment_changes = {"PAGEMILL_REDIS_URL": self.redis_server.url}
        self._parts.callback(self._kill_what_is_left)
        self.feed(shape.run_size)
        self._start_supervisor()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.place.folder / "data" / "pagemill.db"

    @property
    def scratch(self) -> Path:
        """Where the workers have their scratch folders."""
        return self.place.scratch

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """A client of the run's Redis."""
        with open_redis(self.redis_server.url, self.place.folder / "data") as client:
            yield client

    # Products

    def feed(self, stock: int) -> None:
        """Puts products on the queue until at least so many wait."""
        shape = self.shape
        config = load_config(self.place.config, {})
        with self.redis() as redis, self.place.store() as store:
            done = sum(store.progress(run).done for run in self.rows)
            waiting = sum(len(rows) for rows in self.rows.values()) - done
            while waiting < stock:
                seed = self._seed * 1000 + len(self.rows) + 1
                rows = list(
                    generate(
                        PLATFORM,
                        self.shop.base_url,
                        shape.run_size,
                        seed=seed,
                        faults=SHOP_FAULTS,
                        fault_every=shape.shop_fault_every,
                    )
                )
                run = enqueue_run(
                    (row.product for row in rows),
                    config.platforms[PLATFORM],
                    source="chaos",
                    batch_size=shape.batch_size,
                    settings=config.settings.queue,
                    redis=redis,
                    store=store,
                ).run
                self.rows[run] = rows
                waiting += len(rows)

    # Processes

    @property
    def supervisor_ended(self) -> int | None:
        """The supervisor's exit code, `None` while it runs."""
        return self._supervisor.poll() if self._supervisor else None

    def start_again(self) -> None:
        """A new supervisor in place of one that ended."""
        self.restarts += 1
        self._start_supervisor()

    @property
    def family(self) -> Family:
        """The processes below the supervisor."""
        return Family(self._supervisor.pid if self._supervisor else None)

    def is_staffed(self) -> bool:
        """Whether every worker process is there and has a browser."""
        return self.family.is_staffed(self.shape.processes)

    def strays(self) -> list[str]:
        """Living processes of this run that are not below the supervisor any more."""
        known = {child.pid for child in self.family.all()}
        if self._supervisor is not None:
            known.add(self._supervisor.pid)
        return [
            f"{process.pid} {' '.join(command_line(process))[:120]}"
            for process in users_of(self.scratch)
            if process.pid not in known
        ]

    def stop(self) -> int | None:
        """Asks the supervisor to drain; its exit code, `None` when it had to be killed."""
        supervisor = self._supervisor
        if supervisor is None:
            return None
        supervisor.send_signal(signal.SIGTERM)
        try:
            return supervisor.wait(_END_S)
        except subprocess.TimeoutExpired:
            return None

    def _start_supervisor(self) -> None:
        command = [sys.executable, "-m", "pagemill", "worker", "--processes", str(self.shape.processes)]
        place = self.place
        with place.log.open("ab") as log:
            self._supervisor = subprocess.Popen(
                command, cwd=place.folder, env=place.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _kill_what_is_left(self) -> None:
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.kill()
            self._supervisor.wait()
        for process in users_of(self.scratch):
            with contextlib.suppress(psutil.Error):
                process.kill()


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system in memory at that folder."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "chaos", folder], check=True)
    try:
        yield
    finally:
        if subprocess.run(["umount", folder], capture_output=True, check=False).returncode:
            subprocess.run(["umount", "--lazy", folder], check=False)


def can_mount() -> bool:
    """Whether this process may mount small disks."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with _small_disk(Path(folder), 1):
                return True
        except (subprocess.CalledProcessError, OSError):
            return False
