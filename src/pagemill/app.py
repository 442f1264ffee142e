"""Composition root: builds a worker's parts in order and closes them in reverse. Decides nothing else."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import redis

from pagemill.broker.connection import open_redis
from pagemill.browser.flags import launch_options
from pagemill.browser.launcher import Launcher
from pagemill.browser.machine import examine_machine, find_chromium
from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import Config
from pagemill.engine.batch_engine import BatchEngine
from pagemill.engine.lane import Stations
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import Runner
from pagemill.errors import DeadlineExceeded, PagemillError, RedisUnavailable, UsageError
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.strategy import load_strategy
from pagemill.guard.budget import resolved
from pagemill.guard.probe import memory_limit_mb, private_mb_by_process
from pagemill.guard.scratch import scratch_folder, sweep
from pagemill.guard.sidecar import Chore, Sidecar
from pagemill.intake.batch_job import open_queue
from pagemill.ops.fleet import WorkerSnapshot, publish, withdraw
from pagemill.pacing.fleet_limit import RedisFleetLimit
from pagemill.pacing.turns import Turns
from pagemill.results.store import ResultStore
from pagemill.results.writer import ResultWriter
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker import handle
from pagemill.worker.worker import BatchWorker

log = get_logger("app")

DATA_FOLDER = Path("data")
_OPEN_S = 180.0
_CLOSE_S = 60.0
_BRISK_S = 2.0
_SWEEP_S = 60.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A built worker, ready to work."""

    worker: BatchWorker
    pool: BrowserPool
    sidecar: Sidecar

    def work(self, *, burst: bool) -> None:
        """Takes batches until stopped, or with `burst` until the queues are empty.

        Raises:
            ServiceUnavailable: Redis, the database or the browser went away for good; batches are back on the queue.
            PagemillError: RQ's loop ended by an error that it did not expect.
        """
        try:
            self.worker.work(burst=burst, logging_level="WARNING")
        except redis.RedisError as error:
            raise RedisUnavailable(f"Redis went away: {error}") from error
        if (unfit := handle.unfit()) is not None:
            raise unfit
        if not self.worker.ended_well:
            raise PagemillError("the worker's loop ended by an error; the log tells which")


def chosen_platforms(config: Config, names: Sequence[str]) -> dict[str, Platform]:
    """The named platforms, or all of them, with every `auto` resolved for this machine.

    Raises:
        UsageError: a name is not configured, or no platform is.
    """
    unknown = sorted(set(names) - config.platforms.keys())
    if unknown:
        known = ", ".join(sorted(config.platforms)) or "none"
        raise UsageError(f"no platform {', '.join(unknown)}: configured are {known}")
    if not config.platforms:
        raise UsageError(f"no platform is configured: add {config.environment.config_folder}/platforms/NAME.yaml")
    memory_mb = memory_limit_mb()
    return {name: resolved(config.platforms[name], memory_mb) for name in names or sorted(config.platforms)}


@contextmanager
def build_pool(config: Config, platforms: dict[str, Platform], loop: LoopThread) -> Iterator[BrowserPool]:
    """An open pool for these platforms, closed on leaving.

    Raises:
        BrowserUnavailable: no Chromium is found, or it does not start.
    """
    lanes = max(platform.workflow.concurrency.default for platform in platforms.values())
    options = launch_options(config.settings.browser, examine_machine(), lanes, blocked := _blocked_by_all(platforms))
    launcher = Launcher(find_chromium(config.environment.chromium), options, config.settings.pool, blocked)

    pool = BrowserPool(launcher, config.settings.pool, lanes, measure=private_mb_by_process)
    try:
        loop.run(pool.open(), _OPEN_S, "open the pool")
        yield pool
    finally:
        loop.run(pool.close(), _CLOSE_S, "close the pool")


@contextmanager
def running_loop() -> Iterator[LoopThread]:
    """The engine's loop on its thread, ended on leaving."""
    loop = LoopThread()
    loop.start()
    try:
        yield loop
    finally:
        with contextlib.suppress(DeadlineExceeded):
            loop.stop(_CLOSE_S)


@contextmanager
def open_worker(
    config: Config,
    names: Sequence[str] = (),
    name: str | None = None,
    on_beat: Callable[[], None] = lambda: None,
) -> Iterator[Worker]:
    """Builds a worker for these platforms, or for all; closes everything on leaving, whatever happened.

    `on_beat` is called every few seconds while the engine makes progress.

    Raises:
        UsageError, ServiceUnavailable: a part cannot be built; those that were built are closed.
    """
    settings = config.settings
    worker_name = name or f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:4]}"
    platforms = chosen_platforms(config, names)
    with ExitStack() as parts:
        scratch = parts.enter_context(scratch_folder())
        strategies = {platform.platform: load_strategy(platform) for platform in platforms.values()}
        connection = parts.enter_context(open_redis(config.environment.redis_url, DATA_FOLDER))
        brisk = parts.enter_context(open_redis(config.environment.redis_url, DATA_FOLDER, patience_s=_BRISK_S))
        store = parts.enter_context(ResultStore(config.environment.database_url))
        writer = ResultWriter(store, settings.results.group_size, settings.results.group_delay_ms)
        parts.callback(writer.close, _CLOSE_S)
        loop = parts.enter_context(running_loop())
        pool = parts.enter_context(build_pool(config, platforms, loop))
        stations = Stations(
            pool=pool,
            turns=Turns(RedisFleetLimit(brisk)),
            artifacts=ArtifactStore(
                settings.artifacts.folder,
                settings.artifacts.max_files,
                settings.artifacts.max_mb * 1024 * 1024,
                settings.artifacts.enabled,
            ),
            strategies=strategies,
            deliver=writer.put,
            worker=worker_name,
        )
        runner = Runner(platforms, stations, store.judged, writer)
        engine = BatchEngine(loop, runner, store.write, worker_name)
        handle.install(engine)
        parts.callback(handle.install, None)
        queues = [open_queue(connection, platform) for platform in platforms]
        worker = BatchWorker(queues, worker_name, connection, brisk, engine, settings.queue)
        sidecar = Sidecar(settings.guard.sample_interval_s, lambda: pool.stats().leased)

        def announce() -> None:
            publish(brisk, _snapshot(worker_name, platforms, pool, sidecar))

        beat_s = settings.queue.heartbeat_interval_s

        def beat_at_home() -> None:
            if engine.is_lively():
                on_beat()

        sidecar.add(Chore("home beat", min(beat_s, 1.0), beat_at_home))
        sidecar.add(Chore("beat", beat_s, worker.outage.watch(worker.beat)))
        sidecar.add(Chore("sweep", _SWEEP_S, lambda: sweep(scratch.parent)))
        sidecar.add(Chore("publish", beat_s, worker.outage.watch(announce)))
        parts.callback(_withdraw, brisk, worker_name)
        sidecar.start()
        parts.callback(sidecar.stop)
        log.info(events.WORKER_STARTED, worker=worker_name, platforms=sorted(platforms), lanes=pool.stats().size)
        yield Worker(worker, pool, sidecar)
    stats = pool.stats()
    log.info(
        events.WORKER_STOPPED,
        worker=worker_name,
        leases=stats.leases,
        rotations=stats.rotations,
        launches=stats.launches,
        peak_pss_mb=round(sidecar.peak_pss_mb, 1),
    )


def _blocked_by_all(platforms: dict[str, Platform]) -> frozenset[ResourceKind]:
    """What every platform blocks can be blocked by launch flags; the firewall sees to the rest."""
    every = [set(platform.navigation.block) for platform in platforms.values()]
    return frozenset(set.intersection(*every) & {"image", "font"})


def _snapshot(name: str, platforms: dict[str, Platform], pool: BrowserPool, sidecar: Sidecar) -> WorkerSnapshot:
    stats = pool.stats()
    return WorkerSnapshot(
        name=name,
        pid=os.getpid(),
        host=socket.gethostname(),
        platforms=tuple(sorted(platforms)),
        lanes=stats.leased,
        size=stats.size,
        pss_mb=round(sidecar.latest.total_pss_mb, 1) if sidecar.latest else 0.0,
        peak_pss_mb=round(sidecar.peak_pss_mb, 1),
        leases=stats.leases,
        rotations=stats.rotations,
    )


def _withdraw(connection: redis.Redis, name: str) -> None:
    with contextlib.suppress(redis.RedisError):
        withdraw(connection, name)
