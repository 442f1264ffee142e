"""The faults of a chaos run: what is done to whom, how often of 200, and how it is seen that it has healed.

A strike happens once and at once; an outage lasts for a while and is ended here. A stopped process is never continued:
healing it is what is measured.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.chaos_ground import Ground
from benchmarks.chaos_processes import Family

_FILLER = "chaos-filler"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Victim:
    """A process that was stopped. Its start time tells it from a later one with the same id."""

    pid: int
    started_s: float

    def is_stopped(self) -> bool:
        """Whether it is still there and still stopped."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started_s and process.status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False

    def kill(self) -> None:
        """Ends it, if it is still the same process."""
        if self.is_stopped():
            os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that has happened. Healing is counted from the end of its cause."""

    since_s: float
    """Wall clock."""
    detail: str
    stopped: Victim | None = None

    def is_healed(self) -> bool:
        """Whether nothing is left of it as far as it can be seen from outside; workers are counted elsewhere."""
        return self.stopped is None or not self.stopped.is_stopped()


Inject = Callable[[Ground, random.Random], Strike | None]
"""Does it; `None` when there was nobody to do it to."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `share` is how many of 200 faults it gets."""

    name: str
    what: str
    share: int
    inject: Inject
    takes_small_disks: bool = False
    takes_driver: bool = False


def _on_process(find: Callable[[Family], list[psutil.Process]], number: signal.Signals) -> Inject:
    def inject(ground: Ground, chance: random.Random) -> Strike | None:
        candidates = sorted(find(ground.family), key=lambda process: process.pid)
        if not candidates:
            return None
        process = chance.choice(candidates)
        try:
            victim = Victim(process.pid, process.create_time())
            since_s = time.time()
            process.send_signal(number)
        except psutil.Error:
            return None
        return Strike(since_s, f"pid {victim.pid}", victim if number == signal.SIGSTOP else None)

    return inject


def _freeze_redis(seconds: float) -> Inject:
    def inject(ground: Ground, _chance: random.Random) -> Strike:
        ground.redis_server.freeze()
        try:
            time.sleep(seconds)
        finally:
            ground.redis_server.thaw()
        return Strike(time.time(), f"{seconds:g} s")

    return inject


def _kill_redis(ground: Ground, chance: random.Random) -> Strike:
    away_s = chance.uniform(0.5, 3.0)
    ground.redis_server.kill()
    time.sleep(away_s)
    ground.redis_server.start()
    return Strike(time.time(), f"back after {away_s:.1f} s")


def _lock_database(ground: Ground, chance: random.Random) -> Strike:
    seconds = chance.uniform(5.0, 10.0)
    connection = sqlite3.connect(ground.database, timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
    finally:
        connection.close()
    return Strike(time.time(), f"{seconds:.1f} s")


def _fill(folder_of: Callable[[Ground], Path], seconds: float) -> Inject:
    def inject(ground: Ground, _chance: random.Random) -> Strike:
        filler = folder_of(ground) / _FILLER
        try:
            until_s = time.monotonic() + seconds
            with filler.open("wb") as stream:
                while time.monotonic() < until_s:
                    _write_until_full(stream.fileno())
                    time.sleep(0.2)  # what others free meanwhile is taken too
        finally:
            filler.unlink(missing_ok=True)
        return Strike(time.time(), f"{seconds:g} s")

    return inject


def _write_until_full(descriptor: int) -> None:
    step = _CHUNK_BYTES
    while step >= 4096:
        end = os.fstat(descriptor).st_size
        try:
            os.posix_fallocate(descriptor, end, step)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            step //= 2


KINDS = (
    Kind("kill-renderer", "SIGKILL of a page's process", 36, _on_process(Family.renderers, signal.SIGKILL)),
    Kind("kill-browser", "SIGKILL of Chromium's main process", 30, _on_process(Family.browsers, signal.SIGKILL)),
    Kind(
        "kill-driver",
        "SIGKILL of Playwright's driver",
        26,
        _on_process(Family.drivers, signal.SIGKILL),
        takes_driver=True,
    ),
    Kind("kill-worker", "SIGKILL of a worker process", 18, _on_process(Family.workers, signal.SIGKILL)),
    Kind("stop-renderer", "SIGSTOP of a page's process", 24, _on_process(Family.renderers, signal.SIGSTOP)),
    Kind("stop-browser", "SIGSTOP of Chromium's main process", 22, _on_process(Family.browsers, signal.SIGSTOP)),
    Kind(
        "stop-driver",
        "SIGSTOP of Playwright's driver",
        18,
        _on_process(Family.drivers, signal.SIGSTOP),
        takes_driver=True,
    ),
    Kind("stop-worker", "SIGSTOP of a worker process", 4, _on_process(Family.workers, signal.SIGSTOP)),
    Kind("redis-frozen", "Redis does not answer for 30 s", 4, _freeze_redis(30.0)),
    Kind("redis-killed", "SIGKILL of Redis, back after 0.5 to 3 s", 6, _kill_redis),
    Kind("sql-locked", "another program holds the SQLite file for 5 to 10 s", 6, _lock_database),
    Kind("scratch-full", "the scratch folder's disk is full for 10 s", 3, _fill(lambda g: g.scratch, 10.0), True),
    Kind(
        "data-full", "the disk of SQLite and Redis is full for 10 s", 3, _fill(lambda g: g.database.parent, 10.0), True
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}


def plan(kinds: list[Kind], count: int, chance: random.Random) -> list[Kind]:
    """So many faults in random order, each kind by its share, and each at least once where the count allows."""
    total = sum(kind.share for kind in kinds)
    exact = {kind.name: count * kind.share / total for kind in kinds}
    planned = list(kinds) if count >= len(kinds) else []
    numbers = Counter(kind.name for kind in planned)
    while len(planned) < count:
        kind = max(kinds, key=lambda kind: exact[kind.name] - numbers[kind.name])
        numbers[kind.name] += 1
        planned.append(kind)
    chance.shuffle(planned)
    return planned
