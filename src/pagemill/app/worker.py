"""Builds the parts of a worker in order, and closes them in reverse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import redis

from pagemill.alerting.alert_desk import AlertDesk
from pagemill.app.browsing import build_pool, running_loop
from pagemill.app.guarding import build_guard
from pagemill.app.parts import (
    DATA_FOLDER,
    artifact_store,
    brisk_redis,
    chosen_platforms,
    machine_budget,
    process_name,
    result_store,
)
from pagemill.app.run_care import looking_after_runs
from pagemill.broker.connection import open_redis, redis_connection_counts
from pagemill.browser.pool import BrowserPool
from pagemill.config.settings import Config, GuardSettings
from pagemill.config.visitor.needs import visitor_needs
from pagemill.engine.batch_engine import BatchEngine
from pagemill.engine.guarded_engine import GuardedEngine
from pagemill.engine.lane import Stations
from pagemill.engine.runner import Runner
from pagemill.errors import RedisUnavailable, WorkerWornOut
from pagemill.extraction.strategy_registry import StrategyRegistry
from pagemill.fleet.actions import WorkerActions
from pagemill.fleet.orders import OrderDesk
from pagemill.fleet.publisher import Publisher
from pagemill.fleet.tally import Tally
from pagemill.guard.caches import CACHES
from pagemill.guard.guard import Guard
from pagemill.guard.scratch import scratch_folder, sweep
from pagemill.guard.sidecar import Chore
from pagemill.intake.batch_job import open_queues
from pagemill.model import ConnectionCounts, ItemResult
from pagemill.pacing.fleet_pace import RedisFleetPace
from pagemill.pacing.turns import Turns
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.writer import ResultWriter
from pagemill.retention import DailyRetention
from pagemill.revisit.visit_memory import VisitMemory
from pagemill.telemetry import events
from pagemill.telemetry.event_buffer import EVENT_BUFFER
from pagemill.telemetry.logging import get_logger
from pagemill.worker import installed_engine
from pagemill.worker.worker import BatchWorker

log = get_logger("app")

_CLOSE_S = 60.0
_SWEEP_S = 60.0
_PUBLISH_S = 2.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A built worker, ready to work."""

    worker: BatchWorker
    pool: BrowserPool
    guard: Guard
    platforms: list[str]

    def work(self, *, burst: bool) -> None:
        """Takes batches until stopped, or with `burst` until the queues are empty.

        Raises:
            ServiceUnavailable: Redis, the database or the browser stayed away; the batches are back on the queue.
            WorkerWornOut: the guard wants a fresh process instead of this one.
            PagemillError: one of its threads ended by an unexpected error.
        """
        self.worker.hear_signals()
        places = self.pool.stats().places
        log.info(events.WORKER_STARTED, worker=self.worker.name, platforms=self.platforms, places=places, lanes=places)
        try:
            self.worker.work(burst=burst)
        except redis.RedisError as error:
            raise RedisUnavailable.gone(error) from error
        if (unfit := installed_engine.unfit()) is not None:
            raise unfit


@contextmanager
def open_worker(
    config: Config,
    names: Sequence[str] = (),
    name: str | None = None,
    on_beat: Callable[[], None] = lambda: None,
    processes: int = 1,
) -> Iterator[Worker]:
    """Builds a worker for these platforms, or for all of them. Always closes everything when the block ends.

    `on_beat` is called about every second while the engine makes progress. `processes` is how many workers like this
    one share the machine's memory.

    Raises:
        UsageError, ConfigError, ServiceUnavailable: a part cannot be built; the parts built before it are closed.
    """
    settings = config.settings
    worker_name = name or process_name()
    platforms = chosen_platforms(config, names, processes)
    secrets = visitor_needs(platforms.values(), config.environment)
    for shop, platform in platforms.items():
        for old, new in platform.outdated.items():
            log.warning(events.OLD_SETTING, platform=shop, key=old, remedy=f"write {new}")
    with ExitStack() as parts:
        scratch = parts.enter_context(scratch_folder())
        strategies = StrategyRegistry(platforms.values())
        parts.callback(strategies.close)
        strategies.load_all()
        connection = parts.enter_context(open_redis(config.environment.redis_url, DATA_FOLDER))
        brisk = parts.enter_context(brisk_redis(config))
        store = parts.enter_context(result_store(config))
        writer = ResultWriter(store, settings.results.group_size, settings.results.group_delay_ms)
        parts.callback(writer.close, _CLOSE_S)
        loop = parts.enter_context(running_loop())
        pool = parts.enter_context(build_pool(config, platforms, secrets, loop, processes))
        tally = Tally()

        def deliver(result: ItemResult) -> None:
            writer.put(result)
            tally.count(result)

        artifacts = artifact_store(config)
        stations = Stations(
            pool=pool,
            turns=Turns(RedisFleetPace(brisk), on_wait=tally.waited, on_late=tally.late),
            artifacts=artifacts,
            strategies=strategies,
            deliver=deliver,
            worker=worker_name,
            proxies=pool.proxies,
            secrets=secrets,
        )
        memory = VisitMemory(brisk, max_kept=settings.guard.max_cache_size)
        CACHES.register("visited products", memory)
        asked = AskedBatches(store)
        finished, is_cancelled = asked.done, store.is_cancelled
        runner = Runner(platforms, stations, store.judged, writer, None, memory, finished, is_cancelled)
        engine = BatchEngine(loop, runner, store.write, worker_name, finished, is_cancelled)
        installed_engine.install(engine)
        parts.callback(installed_engine.install, None)
        queues = [queue for platform in platforms for queue in open_queues(connection, platform)]
        orders = OrderDesk(brisk)
        worker = BatchWorker(queues, worker_name, connection, brisk, engine, settings.queue, orders.hear)

        def leave(reason: str) -> None:
            worker.leave(WorkerWornOut(reason))

        def abandon(reason: str) -> None:
            leave(reason)  # first, so that the main thread takes no other batch when `abandon` lets it go
            engine.abandon(WorkerWornOut(reason))

        engine_port = GuardedEngine(loop, pool, runner, tally.products, leave=leave, abandon=abandon)
        desk = AlertDesk(brisk, settings.guard.alerts, worker_name)
        budget = machine_budget(config, processes)
        guard, sidecar = build_guard(
            config.settings.guard, budget, engine_port, loop, pool.stats().places, scratch, desk
        )

        def configure(changed: GuardSettings) -> None:
            guard.configure(changed)
            desk.configure(changed.alerts)
            sidecar.change_interval("measure", changed.sample_interval_s)
            sidecar.change_interval("clean", changed.cleanup_interval_s)

        def connections() -> dict[str, ConnectionCounts]:
            both = redis_connection_counts(connection) + redis_connection_counts(brisk)
            return {"redis": both, "database": store.connections()}

        publisher = Publisher(brisk, worker_name, list(platforms), pool, runner, guard, tally, configure, connections)
        orders.open(WorkerActions(guard, engine_port, publisher.take_over_changes, leave).by_name())
        EVENT_BUFFER.open()
        parts.callback(publisher.close)

        def beat_at_home() -> None:
            if engine.is_lively():
                on_beat()

        beat_s = settings.queue.heartbeat_interval_s
        sidecar.add(Chore("home beat", min(beat_s, 1.0), beat_at_home))
        sidecar.add(Chore("beat", beat_s, worker.outage.watch(worker.beat)))
        sidecar.add(Chore("sweep", _SWEEP_S, lambda: sweep(scratch.parent)))
        sidecar.add(Chore("publish", min(beat_s, _PUBLISH_S), worker.outage.watch(publisher.publish)))
        sidecar.add(Chore("idle strategies", _SWEEP_S, lambda: loop.call(strategies.drop_unused, time.monotonic())))
        parts.enter_context(guard.installed())
        sidecar.start()
        parts.callback(sidecar.stop)
        parts.enter_context(DailyRetention(store, brisk, artifacts, settings.retention))
        parts.enter_context(looking_after_runs(brisk, store, lambda: config.platforms, settings.queue, worker_name))
        yield Worker(worker, pool, guard, sorted(platforms))
    stats = pool.stats()
    log.info(
        events.WORKER_STOPPED,
        worker=worker_name,
        leases=stats.leases,
        rotations=stats.rotations,
        launches=stats.launches,
        peak_pss_mb=round(guard.peak_pss_mb, 1),
    )
