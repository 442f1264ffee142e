"""A worker without browser and database: what a real one says to Redis, by the real classes, and as often.

A process has hundreds of them on one event loop. Each has its own connections, beats, publishes, looks for batches and
works them off by RQ; its lanes ask for their turns. A visit is a pause.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rq import get_current_job

from benchmarks.load_ground import point, snapshot
from pagemill.app.parts import _BRISK_S
from pagemill.app.worker import _PUBLISH_S
from pagemill.broker.connection import open_redis
from pagemill.broker.leadership import Leadership
from pagemill.config.platform import Platform
from pagemill.config.settings import GuardSettings, QueueSettings
from pagemill.engine.runner import BatchOutcome
from pagemill.fleet.history import HistoryWriter
from pagemill.fleet.overrides import read_version
from pagemill.fleet.snapshot import publish
from pagemill.intake.batch_job import open_queues
from pagemill.intake.lost_batches import _LEAD_S, _LEADER_KEY, LOOK_S
from pagemill.model import Batch
from pagemill.pacing.fleet_pace import RedisFleetPace
from pagemill.pacing.turns import Turns
from pagemill.pacing.visit_answer import VisitAnswer, Welcome
from pagemill.worker.worker import _LOOK_UP_S, _POLL_S, BatchWorker


@dataclass
class Counts:
    """What was done, by all workers of a process."""

    looks: int = 0
    batches: int = 0
    visits: int = 0
    beats: int = 0
    published: int = 0
    errors: int = 0
    late_s: list[float] = field(default_factory=list)
    """By how much visits began later than they might have."""
    lag_s: list[float] = field(default_factory=list)
    """By how much the process' own loop was late: what it cannot do, and Redis is not to blame for."""

    def clear(self) -> None:
        """From here on."""
        fresh = Counts()
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))


class Engines:
    """The engine of a process' workers, as RQ's job function finds it: it visits on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.by_name: dict[str, FleetWorker] = {}

    def run_batch(self, batch: Batch, timeout_s: float) -> BatchOutcome:
        """Called in the thread of a hand, whose name the job tells."""
        job = get_current_job()
        assert job is not None and job.worker_name
        worker = self.by_name[job.worker_name.rpartition(".")[0]]
        return asyncio.run_coroutine_threadsafe(worker.visit_all(batch), self._loop).result(timeout_s)

    def give_up(self, batch: Batch, reason: str) -> int:
        """Nobody keeps results here."""
        return 0

    def drain(self) -> None:
        """Called for single workers; they are stopped together."""

    def interrupt(self, platform: str) -> None:
        """Nobody orders it."""

    def halt(self) -> None:
        """Nobody orders it."""

    def is_lively(self) -> bool:
        """The loop's own lag is measured."""
        return True


class FleetWorker:
    """One of them, from `open` to `close`."""

    def __init__(
        self,
        number: int,
        redis_url: str,
        platforms: Sequence[Platform],
        engines: Engines,
        counts: Counts,
        visit_s: float,
    ) -> None:
        """`visit_s` is how long a visit takes; `counts` are shared by a process' workers."""
        self._number = number
        self._name = f"machine-{number // 4}-{number}-fleet"
        self._redis_url = redis_url
        self._platforms = {each.platform: each for each in platforms}
        self._engines = engines
        self._counts = counts
        self._visit_s = visit_s
        self._stop = asyncio.Event()
        self._woken = asyncio.Event()
        self._parts = ExitStack()
        self._rounds = 0
        self._measured_s = 0.0

    def open(self) -> None:
        """Connects as a real worker does, and tells RQ of itself. Blocks."""
        folder = Path()
        patient = self._parts.enter_context(open_redis(self._redis_url, folder))
        brisk = self._parts.enter_context(open_redis(self._redis_url, folder, patience_s=_BRISK_S))
        queues = [queue for name in self._platforms for queue in open_queues(patient, name)]
        self._settings = QueueSettings()
        self.worker = BatchWorker(queues, self._name, patient, brisk, self._engines, self._settings)
        self._engines.by_name[self._name] = self
        self.worker.register_birth()  # type: ignore[no-untyped-call]
        self.worker.heartbeat(self._settings.heartbeat_ttl_s)
        self.worker.subscribe()
        self._brisk = brisk
        counts = self._counts
        self._turns = Turns(RedisFleetPace(brisk), on_late=lambda _platform, seconds: counts.late_s.append(seconds))
        self._history = HistoryWriter(brisk, time.monotonic)
        self._lead = Leadership(patient, _LEADER_KEY, self._name, _LEAD_S)

    async def run(self, *, looks: bool) -> None:
        """All that it does, until stopped; without `looks` it takes no batch."""
        rounds = [
            self._again(self._settings.heartbeat_interval_s, self._beat),
            self._again(min(self._settings.heartbeat_interval_s, _PUBLISH_S), self._publish),
            self._again(LOOK_S, self._lead.hold),
        ]
        if looks:
            rounds.append(self._look_again())
        await asyncio.gather(*rounds)

    def stop(self) -> None:
        """Visits end, what is left of batches goes back."""
        self._stop.set()
        self._woken.set()

    def close(self) -> None:
        """Says farewell, when its batches are back. Blocks."""
        self.worker._say_farewell()
        self._parts.close()

    async def _again(self, interval_s: float, work: Callable[[], object]) -> None:
        await asyncio.sleep(random.uniform(0, interval_s))
        while not self._stop.is_set():
            began_s = time.monotonic()
            await self._safely(work)
            await asyncio.sleep(max(0.0, began_s + interval_s - time.monotonic()))

    async def _safely(self, work: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(work)
        except Exception:
            self._counts.errors += 1
            return None

    def _beat(self) -> None:
        self.worker.beat()
        self._counts.beats += 1

    def _publish(self) -> None:
        """What `Publisher.publish` says."""
        read_version(self._brisk)
        self._rounds += 1
        publish(self._brisk, replace(snapshot(self._number, tuple(self._platforms), self._rounds), name=self._name))
        if time.monotonic() - self._measured_s >= GuardSettings().sample_interval_s:
            self._measured_s = time.monotonic()
            self._history.add(point(self._name, self._rounds))
        self._counts.published += 1

    async def _look_again(self) -> None:
        """As `BatchWorker._take_until_stopped`, which would need a thread."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._woken.set)

        self.worker._woken.set = wake  # type: ignore[method-assign]
        await asyncio.sleep(random.uniform(0, 1))
        pause_s = _POLL_S[0]
        while not self._stop.is_set():
            self._woken.clear()
            if await self._safely(self._look):
                pause_s = _POLL_S[0]
            elif self.worker._taker.open_queues():
                await self._rest(pause_s)
                pause_s = min(pause_s * 1.5, _POLL_S[1])
            else:
                await self._rest(_LOOK_UP_S)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _look(self) -> bool:
        worker = self.worker
        worker._look_after_hands()
        if worker.should_run_maintenance_tasks:
            worker.run_maintenance_tasks()  # type: ignore[no-untyped-call]
        if worker._taker.open_queues():
            self._counts.looks += 1
        taken = worker._taker.take()
        if taken is not None:
            worker._give(*taken)
        return taken is not None

    async def visit_all(self, batch: Batch) -> BatchOutcome:
        """A batch, in as many lanes as the platform has."""
        platform = self._platforms[batch.platform]
        waiting = list(batch.products)
        done = 0

        async def lane(number: int) -> None:
            nonlocal done
            while waiting and not self._stop.is_set():
                waiting.pop()
                async with self._turns.turn(platform, number, self._stop) as turn:
                    await turn.begin()
                    await asyncio.sleep(self._visit_s)
                    turn.answer = VisitAnswer(Welcome.GOOD, 200)
                done += 1
                self._counts.visits += 1

        lanes: list[Awaitable[None]] = [lane(number) for number in range(platform.workflow.concurrency.default)]
        for outcome in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(outcome, BaseException) and not self._stop.is_set():
                self._counts.errors += 1
        self._counts.batches += 1
        return BatchOutcome(done=done, resumed=0, remaining=len(batch.products) - done)
