"""Composition root: builds a worker's parts in order and closes them in reverse. Decides nothing else."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import redis

from pagemill.broker.connection import open_redis
from pagemill.browser.cdp.launcher import CdpLauncher
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine, find_chromium, shm_total_mb
from pagemill.browser.opener import Opener
from pagemill.browser.playwright_launcher import PlaywrightLauncher
from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import Config, GuardSettings
from pagemill.engine.batch_engine import BatchEngine
from pagemill.engine.lane import Stations
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import Runner
from pagemill.engine.worksite import EngineWorksite
from pagemill.errors import DeadlineExceeded, PagemillError, RedisUnavailable, UsageError, WorkerWornOut
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.strategy import needs_playwright
from pagemill.extraction.strategy_registry import StrategyRegistry
from pagemill.guard.budget import Budget, budget_of, resolved
from pagemill.guard.caches import CACHES
from pagemill.guard.disk import DiskWatch
from pagemill.guard.guard import Guard
from pagemill.guard.pressure import Limits
from pagemill.guard.probe import Probe, memory_limit_mb, private_mb_by_process
from pagemill.guard.scratch import scratch_folder, sweep
from pagemill.guard.sidecar import Chore, Sidecar
from pagemill.guard.watch import Watch
from pagemill.guard.watchdog import Watchdog
from pagemill.intake.batch_job import open_queue
from pagemill.model import ItemResult
from pagemill.ops.alerting.desk import AlertDesk
from pagemill.ops.fleet.actions import WorkerActions
from pagemill.ops.fleet.orders import OrderDesk
from pagemill.ops.fleet.publisher import Publisher
from pagemill.ops.fleet.snapshot import withdraw
from pagemill.ops.fleet.tally import Tally
from pagemill.pacing.fleet_pace import RedisFleetPace
from pagemill.pacing.turns import Turns
from pagemill.results.store import ResultStore
from pagemill.results.writer import ResultWriter
from pagemill.revisit.visit_memory import VisitMemory
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.telemetry.tap import TAP
from pagemill.worker import handle
from pagemill.worker.worker import BatchWorker

log = get_logger("app")

DATA_FOLDER = Path("data")
_OPEN_S = 180.0
_CLOSE_S = 60.0
_BRISK_S = 2.0
_SWEEP_S = 60.0
_DISKS_S = 30.0
_WATCH_S = 1.0
_PULSE_S = 2.0
_PUBLISH_S = 2.0
_PRESSED_S = 1.0
"""How often the guard measures under pressure."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A built worker, ready to work."""

    worker: BatchWorker
    pool: BrowserPool
    guard: Guard

    def work(self, *, burst: bool) -> None:
        """Takes batches until stopped, or with `burst` until the queues are empty.

        Raises:
            ServiceUnavailable: Redis, the database or the browser went away for good; batches are back on the queue.
            WorkerWornOut: the guard wants a fresh process in place of this one.
            PagemillError: RQ's loop ended by an error that it did not expect.
        """
        try:
            self.worker.work(burst=burst, logging_level="WARNING")
        except redis.RedisError as error:
            raise RedisUnavailable.gone(error) from error
        if (unfit := handle.unfit()) is not None:
            raise unfit
        if not self.worker.ended_well:
            raise PagemillError("the worker's loop ended by an error; the log tells which")


def process_name() -> str:
    """A name for this process that no other in the fleet has."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:4]}"


def chosen_platforms(config: Config, names: Sequence[str], processes: int = 1) -> dict[str, Platform]:
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
    budget = machine_budget(config, processes)
    return {name: resolved(config.platforms[name], budget) for name in names or sorted(config.platforms)}


def machine_budget(config: Config, processes: int = 1) -> Budget:
    """What one worker process may plan with on this machine, when so many of them run on it."""
    settings = config.settings
    dev_shm = settings.browser.dev_shm
    return budget_of(memory_limit_mb(), settings.guard.memory_limit_mb, shm_total_mb(), dev_shm, processes)


@contextmanager
def build_pool(config: Config, platforms: dict[str, Platform], loop: LoopThread) -> Iterator[BrowserPool]:
    """An open pool for these platforms, closed on leaving.

    Raises:
        BrowserUnavailable: no Chromium is found, or it does not start.
    """
    lanes = max(platform.workflow.concurrency.default for platform in platforms.values())
    heap_mb = config.settings.guard.js_heap_limit_mb
    blocked = _blocked_by_all(platforms)
    options = launch_options(config.settings.browser, examine_machine(), lanes, blocked, heap_mb)
    chromium = find_chromium(config.environment.chromium)
    launcher: Opener
    if _uses_driver(config, platforms):
        launcher = PlaywrightLauncher(chromium, options, config.settings.pool, blocked)
    else:
        launcher = CdpLauncher(chromium, options, config.settings.pool, blocked)
    pool = BrowserPool(launcher, config.settings.pool, lanes, measure=private_mb_by_process, page_max_mb=heap_mb)
    try:
        loop.run(pool.open(), _OPEN_S, "open the pool")
        yield pool
    finally:
        if not loop.abandoned:
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
    processes: int = 1,
) -> Iterator[Worker]:
    """Builds a worker for these platforms, or for all; closes everything on leaving, whatever happened.

    `on_beat` is called about every second while the engine makes progress; `processes` is how many workers such as
    this one share the machine's memory.

    Raises:
        UsageError, ServiceUnavailable: a part cannot be built; those that were built are closed.
    """
    settings = config.settings
    worker_name = name or process_name()
    platforms = chosen_platforms(config, names, processes)
    with ExitStack() as parts:
        scratch = parts.enter_context(scratch_folder())
        strategies = StrategyRegistry(platforms.values())
        parts.callback(strategies.close)
        strategies.load_all()
        connection = parts.enter_context(open_redis(config.environment.redis_url, DATA_FOLDER))
        brisk = parts.enter_context(open_redis(config.environment.redis_url, DATA_FOLDER, patience_s=_BRISK_S))
        store = parts.enter_context(ResultStore(config.environment.database_url))
        writer = ResultWriter(store, settings.results.group_size, settings.results.group_delay_ms)
        parts.callback(writer.close, _CLOSE_S)
        loop = parts.enter_context(running_loop())
        pool = parts.enter_context(build_pool(config, platforms, loop))
        tally = Tally()

        def deliver(result: ItemResult) -> None:
            writer.put(result)
            tally.count(result)

        stations = Stations(
            pool=pool,
            turns=Turns(RedisFleetPace(brisk), on_wait=tally.waited),
            artifacts=ArtifactStore(
                settings.artifacts.folder,
                settings.artifacts.max_files,
                settings.artifacts.max_mb * 1024 * 1024,
                settings.artifacts.enabled,
            ),
            strategies=strategies,
            deliver=deliver,
            worker=worker_name,
        )
        memory = VisitMemory(brisk, max_kept=settings.guard.max_cache_size)
        CACHES.register("visited products", memory)
        runner = Runner(platforms, stations, store.judged, writer, memory=memory)
        engine = BatchEngine(loop, runner, store.write, worker_name)
        handle.install(engine)
        parts.callback(handle.install, None)
        queues = [open_queue(connection, platform) for platform in platforms]
        orders = OrderDesk(brisk)
        worker = BatchWorker(queues, worker_name, connection, brisk, engine, settings.queue, orders.hear)

        def leave(reason: str) -> None:
            worker.leave(WorkerWornOut(reason))

        def abandon(reason: str) -> None:
            leave(reason)  # first: the main thread must not take another batch when it is let go
            engine.abandon(WorkerWornOut(reason))

        worksite = EngineWorksite(loop, pool, runner, leave=leave, abandon=abandon)
        desk = AlertDesk(brisk, settings.guard.alerts, worker_name)
        budget = machine_budget(config, processes)
        guard, sidecar = _build_guard(config.settings.guard, budget, worksite, loop, pool.stats().size, scratch, desk)

        def configure(changed: GuardSettings) -> None:
            guard.configure(changed)
            desk.configure(changed.alerts)
            sidecar.change_interval("measure", changed.sample_interval_s)
            sidecar.change_interval("clean", changed.cleanup_interval_s)

        publisher = Publisher(brisk, worker_name, list(platforms), pool, runner, guard, tally, configure)
        orders.open(WorkerActions(guard, worksite, publisher.take_over_changes, leave).by_name())
        TAP.open()
        parts.callback(TAP.close)

        def beat_at_home() -> None:
            if engine.is_lively():
                on_beat()

        beat_s = settings.queue.heartbeat_interval_s
        sidecar.add(Chore("home beat", min(beat_s, 1.0), beat_at_home))
        sidecar.add(Chore("beat", beat_s, worker.outage.watch(worker.beat)))
        sidecar.add(Chore("sweep", _SWEEP_S, lambda: sweep(scratch.parent)))
        sidecar.add(Chore("publish", min(beat_s, _PUBLISH_S), worker.outage.watch(publisher.publish)))
        sidecar.add(Chore("idle strategies", _SWEEP_S, lambda: loop.call(strategies.drop_unused, time.monotonic())))
        parts.callback(_withdraw, brisk, worker_name)
        guard.collector.install()
        parts.callback(guard.collector.remove)
        sidecar.start()
        parts.callback(sidecar.stop)
        log.info(events.WORKER_STARTED, worker=worker_name, platforms=sorted(platforms), lanes=pool.stats().size)
        yield Worker(worker, pool, guard)
    stats = pool.stats()
    log.info(
        events.WORKER_STOPPED,
        worker=worker_name,
        leases=stats.leases,
        rotations=stats.rotations,
        launches=stats.launches,
        peak_pss_mb=round(guard.peak_pss_mb, 1),
    )


def _build_guard(
    settings: GuardSettings,
    budget: Budget,
    worksite: EngineWorksite,
    loop: LoopThread,
    lanes: int,
    scratch: Path,
    desk: AlertDesk,
) -> tuple[Guard, Sidecar]:
    """The guard, and the sidecar with the guard's chores on it."""
    limits = Limits(
        memory_mb=budget.memory_mb,
        js_heap_mb=settings.js_heap_limit_mb,
        driver_mb=budget.driver_limit_mb,
        python_mb=budget.python_limit_mb,
        lag_s=settings.stuck_after_s,
    )
    probe = Probe(budget.memory_mb, scratch, worksite.reading)
    guard = Guard(settings, limits, lanes, worksite, probe.sample, CACHES, desk.raise_alert)
    renderer_mb = settings.renderer_limit_mb
    watch = Watch(probe.tree.members, budget.renderer_limit_mb if renderer_mb == "auto" else renderer_mb)
    watchdog = Watchdog(
        loop.lag_s,
        settings.stuck_after_s,
        dump=worksite.stacks,
        kill_browser=watch.end_all,
        abandon=worksite.abandon,
        end_process=lambda: os._exit(WorkerWornOut.exit_code),
    )
    sidecar = Sidecar()
    sidecar.add(Chore("measure", settings.sample_interval_s, guard.measure))
    sidecar.add(Chore("measure under pressure", _PRESSED_S, guard.measure_if_pressed))
    sidecar.add(Chore("watch", _WATCH_S, lambda: worksite.note_sizes(watch.look())))
    sidecar.add(Chore("watchdog", _WATCH_S, watchdog.check))
    sidecar.add(Chore("pulse", _PULSE_S, worksite.check_pulse))
    first_s = time.monotonic() + settings.cleanup_interval_s
    sidecar.add(Chore("clean", settings.cleanup_interval_s, guard.clean, first_s))
    disks = DiskWatch([Path(), DATA_FOLDER, scratch], desk.raise_alert)
    sidecar.add(Chore("disks", _DISKS_S, disks.check))
    return guard, sidecar


def _uses_driver(config: Config, platforms: dict[str, Platform]) -> bool:
    """Whether pages are Playwright's; without its driver they are faster and smaller.

    Raises:
        UsageError: no driver is wanted, but a platform's strategy needs one.
    """
    wanted = config.settings.browser.driver
    needing = sorted(name for name, platform in platforms.items() if needs_playwright(platform.extract.strategy))
    if needing and wanted == "none":
        remedy = "write browser.driver: auto, or serve these platforms by workers of their own (--platform)"
        raise UsageError(f"browser.driver: none does not go with the strategy of {', '.join(needing)}: {remedy}")
    return wanted == "playwright" or bool(needing)


def _blocked_by_all(platforms: dict[str, Platform]) -> frozenset[ResourceKind]:
    """What every platform blocks can be blocked by launch flags; the firewall sees to the rest."""
    every = [set(platform.navigation.block) for platform in platforms.values()]
    return frozenset(set.intersection(*every) & {"image", "font"})


def _withdraw(connection: redis.Redis, name: str) -> None:
    with contextlib.suppress(redis.RedisError):
        withdraw(connection, name)
