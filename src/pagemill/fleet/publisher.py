"""Publishes a worker's snapshot, measurements and events in Redis, and applies settings that were changed there.

The sidecar calls it every few seconds. It waits for nothing but Redis. If Redis is away, the next round publishes a new
snapshot; events are kept up to a limit.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from redis import Redis, RedisError

from pagemill.browser.pool import BrowserPool
from pagemill.config.changeable import changeable_values, changed
from pagemill.config.settings import GuardSettings
from pagemill.engine.runner import Runner
from pagemill.fleet.event_log import write_events
from pagemill.fleet.history import HistoryWriter, Point
from pagemill.fleet.measures import measures_of
from pagemill.fleet.overrides import read_overrides, read_version
from pagemill.fleet.snapshot import AtWork, WorkerSnapshot, publish, withdraw
from pagemill.fleet.tally import Tally
from pagemill.guard.caches import CACHES
from pagemill.guard.guard import Guard
from pagemill.guard.probe import Sample
from pagemill.model import ConnectionCounts
from pagemill.telemetry import events
from pagemill.telemetry.event_buffer import EVENT_BUFFER, BufferedEvent
from pagemill.telemetry.logging import get_logger

log = get_logger("telemetry")


class Publisher:
    """One worker's publisher. To be called from one thread; `take_over_changes` from any."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        platforms: Sequence[str],
        pool: BrowserPool,
        runner: Runner,
        guard: Guard,
        tally: Tally,
        configure: Callable[[GuardSettings], None],
        connections: Callable[[], Mapping[str, ConnectionCounts]],
        *,
        now_s: Callable[[], float] = time.monotonic,
        cpus: int | None = None,
    ) -> None:
        """
        Args:
            redis: fails within seconds.
            name: the worker's name.
            platforms: the platforms that it serves.
            pool: read only.
            runner: read only.
            guard: read only.
            tally: read only.
            configure: applies changed settings of the guard.
            connections: gives this process' connections, by service.
            now_s: monotonic seconds.
            cpus: how many CPUs the worker may use; by default those that the kernel allows.
        """
        self._redis = redis
        self._name = name
        self._platforms = tuple(sorted(platforms))
        self._pool = pool
        self._runner = runner
        self._guard = guard
        self._tally = tally
        self._configure = configure
        self._connections = connections
        self._now_s = now_s
        self._cpus = cpus or len(os.sched_getaffinity(0))
        self._started_at = datetime.now(UTC)
        self._file_settings = guard.settings
        self._version = 0
        self._history = HistoryWriter(redis, now_s)
        self._told: Sample | None = None
        self._cpu: tuple[float, float] | None = None
        self._cpu_percent = 0.0

    def publish(self) -> None:
        """Publishes everything once, and applies changed settings.

        Raises:
            RedisError: Redis does not answer.
        """
        if read_version(self._redis) != self._version:
            self.take_over_changes()
        sample = self._guard.latest
        is_new = sample is not None and sample is not self._told
        if is_new and sample is not None:
            self._note_cpu(sample)
        snapshot = self.snapshot()
        publish(self._redis, snapshot)
        if is_new and sample is not None:
            self._told = sample
            self._history.add(self._point(snapshot, sample))
        EVENT_BUFFER.take(self._tell)

    def close(self) -> None:
        """Publishes the last events and removes the worker's entry; does nothing if Redis is away."""
        with contextlib.suppress(RedisError):
            EVENT_BUFFER.take(self._tell)
            withdraw(self._redis, self._name)
        EVENT_BUFFER.close()

    def _tell(self, told: list[BufferedEvent]) -> None:
        write_events(self._redis, self._name, told)

    def take_over_changes(self) -> int:
        """Applies the fleet's changed settings and returns their version. Settings that contradict this worker's own
        files are not applied, and logged.

        Raises:
            RedisError: Redis does not answer.
        """
        overrides = read_overrides(self._redis)
        self._version = overrides.version
        try:
            settings = changed(self._file_settings, overrides.guard)
        except ValueError as error:
            log.error(events.SETTINGS_REJECTED, version=overrides.version, error=str(error))
            return self._version
        if settings != self._guard.settings:
            self._configure(settings)
            log.info(events.SETTINGS_CHANGED, version=overrides.version, changes=dict(overrides.guard))
        return self._version

    def snapshot(self) -> WorkerSnapshot:
        """The worker now."""
        stats, guard = self._pool.stats(), self._guard
        return WorkerSnapshot(
            name=self._name,
            pid=os.getpid(),
            host=socket.gethostname(),
            platforms=self._platforms,
            lanes=stats.leased,
            size=guard.admitted_places,
            pss_mb=round(guard.latest.total_pss_mb, 1) if guard.latest else 0.0,
            peak_pss_mb=round(guard.peak_pss_mb, 1),
            allocated_mb=round(guard.allocated_mb, 1),
            leases=stats.leases,
            rotations=stats.rotations,
            pressure=guard.judgement.level.word,
            pressure_reason=guard.judgement.reason.value if guard.judgement.level else "",
            reasons=stats.reasons,
            started_at=self._started_at,
            draining=self._runner.is_draining,
            batches=tuple(
                AtWork(state.batch.run, state.batch.id, state.batch.platform, state.done, len(state.batch.products))
                for state in self._runner.states.at_work
            ),
            proxies=stats.proxies,
            sample=guard.latest,
            cpu_percent=self._cpu_percent,
            collector=guard.collector.stats(),
            limits=guard.limits,
            guard=changeable_values(guard.settings),
            caches=CACHES.sizes(),
            cleanings=guard.cleanings,
            tally=self._tally.read(),
            connections=self._connections(),
            overrides=self._version,
        )

    def _point(self, snapshot: WorkerSnapshot, sample: Sample) -> Point:
        tallies = snapshot.tally.values()
        return Point(
            worker=self._name,
            pss_mb=sample.pss_mb,
            rss_mb=sample.rss_mb,
            js_heap_mb=sample.js_heap_mb,
            measures=measures_of(snapshot),
            machine_percent=sample.machine_percent,
            swap_mb=sample.swap_mb,
            blocks=sample.python.blocks,
            lanes=snapshot.lanes,
            pressure=int(self._guard.judgement.level),
            items=sum(tally.products for tally in tallies),
            visited=sum(tally.visited for tally in tallies),
            failed=sum(tally.verdicts.get("failed", 0) for tally in tallies),
            blocked=sum(tally.verdicts.get("blocked", 0) for tally in tallies),
            item_s=round(sum(tally.item_s for tally in tallies), 2),
            rotations=snapshot.rotations,
            oom_kills=sample.oom_kills,
        )

    def _note_cpu(self, sample: Sample) -> None:
        now_s = self._now_s()
        if self._cpu is not None and now_s > self._cpu[0]:
            before_s, used_s = self._cpu
            # A browser that ended takes its CPU time out of the sum, so the difference may be negative.
            share = max(0.0, sample.cpu_s - used_s) / (now_s - before_s) / self._cpus
            self._cpu_percent = round(100 * share, 1)
        self._cpu = (now_s, sample.cpu_s)
