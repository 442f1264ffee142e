"""Runs batches: skips products that have a result, spares those that were seen lately, runs the lanes, waits until the
results are stored, and frees the job state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pagemill.config.platform import Platform
from pagemill.engine.item_result import item_result
from pagemill.engine.job_state import JobState, JobStates
from pagemill.engine.lane import Lane, Stations
from pagemill.errors import DatabaseUnavailable, DeadlineExceeded, UsageError
from pagemill.extraction.judge import judge_reading
from pagemill.model import Batch, ItemResult, PageReading, Product, Verdict
from pagemill.revisit.visit_memory import VisitMemory
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("engine")

_FLUSH_S = 60.0
_LAST_FLUSH_S = 5.0
_FEW_PER_LANE = 4
"""A resumed batch with at most so many products for each lane is worked off by a single lane."""


class ResultSink(Protocol):
    """Where results go: `results.writer.ResultWriter`. A protocol because runners are tested without a database and its
    thread."""

    def put(self, result: ItemResult) -> None: ...
    def flush(self, timeout_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """How a batch ended. `remaining` products go back to the queue."""

    done: int
    resumed: int
    """Products that already had a result, because the batch was resumed."""
    remaining: int
    spared: int = 0
    """Products among `done` that were not visited, because they were seen lately."""


class Runner:
    """Runs any number of batches at a time on the engine's loop."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        stations: Stations,
        judged: Callable[[str, list[str]], set[str]],
        sink: ResultSink,
        lanes: Callable[[Platform], int] | None = None,
        memory: VisitMemory | None = None,
        finished: Callable[[str, str], None] = lambda _run, _batch: None,
        is_cancelled: Callable[[str], bool] = lambda _run: False,
    ) -> None:
        """
        Args:
            platforms: by name.
            stations: what the lanes use.
            judged: which products of a run have a result; called on another thread.
            sink: where `Stations.deliver` puts results; it is flushed before a batch counts as done.
            lanes: how many lanes a platform gets here; by default its own setting.
            memory: used for platforms with `revisit`; called on another thread.
            finished: called with run and batch when every product has a stored result; called on another thread.
            is_cancelled: whether a run was cancelled; called on another thread.
        """
        self._platforms = platforms
        self._stations = stations
        self._judged = judged
        self._sink = sink
        self._lanes = lanes or (lambda platform: platform.workflow.concurrency.default)
        self._memory = memory
        self._finished = finished
        self._is_cancelled = is_cancelled
        self._stop = asyncio.Event()
        self.states = JobStates()

    @property
    def is_draining(self) -> bool:
        """Whether batches stop at the next item boundary. May be called from any thread."""
        return self._stop.is_set()

    def drain(self) -> None:
        """Makes running batches and all later ones stop at the next item boundary. On the loop's thread only."""
        self._stop.set()

    async def run(self, batch: Batch) -> BatchOutcome:
        """Works a batch off; returns when its results are stored.

        Cancellation closes every lease and frees the state; results so far are still written.

        Raises:
            UsageError: the platform has no configuration here.
            BrowserUnavailable, DatabaseUnavailable: the other products could not be worked on or stored.
        """
        platform = self._platforms.get(batch.platform)
        if platform is None:
            raise UsageError(f"no platform {batch.platform!r} here: add config/platforms/{batch.platform}.yaml")
        with self._stations.pool.serving(platform):
            return await self._run(batch, platform)

    async def _run(self, batch: Batch, platform: Platform) -> BatchOutcome:
        started_s, lanes = time.monotonic(), self._lanes(platform)
        self._prepare(platform, lanes)
        if await asyncio.to_thread(self._is_cancelled, batch.run):
            log.info(events.BATCH_CANCELLED, run=batch.run, batch=batch.id, platform=batch.platform)
            return BatchOutcome(done=0, resumed=0, remaining=0)
        known = await asyncio.to_thread(self._judged, batch.run, [product.id for product in batch.products])
        todo = [product for product in batch.products if product.id not in known]
        spared = await self._spare(batch, platform, todo)
        todo = [product for product in todo if product.id not in spared]
        one_by_one = False
        if known:
            # The batch was begun before and has not ended, so one of its products may kill workers. It is worked off
            # from either end in turn, and the last few products one by one. So all others get their verdict.
            if batch.tries_left % 2 == 0:
                todo.reverse()
            if one_by_one := len(todo) <= _FEW_PER_LANE * lanes:
                lanes = 1
        with self.states.open(batch, platform, todo, self._stop) as state:
            state.store = self._flush if one_by_one else None
            try:
                await self._run_lanes(state, lanes)
            except BaseException:
                await self._flush_shielded(_LAST_FLUSH_S)
                raise
            await self._flush()
            if self._memory is not None and state.visited:
                await asyncio.to_thread(self._memory.note, platform, state.visited)
            outcome = BatchOutcome(state.done + len(spared), len(known), len(state.waiting), len(spared))
        if not outcome.remaining:
            await asyncio.to_thread(self._finished, batch.run, batch.id)
        log.info(
            events.BATCH,
            run=batch.run,
            batch=batch.id,
            platform=batch.platform,
            done=outcome.done,
            resumed=outcome.resumed,
            spared=outcome.spared,
            remaining=outcome.remaining,
            seconds=round(time.monotonic() - started_s, 2),
        )
        return outcome

    def _prepare(self, platform: Platform, lanes: int) -> None:
        """Has a page opened for the batch's first visit, if that may come at once: meanwhile the database is asked what
        there is to visit."""
        may_be_spared = self._memory is not None and platform.revisit.enabled
        visits = platform.extract.visits_pages and not may_be_spared
        if visits and self._stations.turns.may_come(platform, lanes):
            self._stations.pool.prepare(platform)

    async def _spare(self, batch: Batch, platform: Platform, products: list[Product]) -> set[str]:
        """Gives products a result without a visit if they were seen lately, as the catalogue still expects them."""
        if self._memory is None or not platform.revisit.enabled:
            return set()
        known = await asyncio.to_thread(self._memory.recall, platform, products)
        spared = set()
        for product in products:
            seen = known.get(product.id)
            if seen is None:
                continue
            judgement = judge_reading(product, PageReading(None, seen.url, seen.facts), platform.judge)
            if judgement.verdict is Verdict.OK:
                spared.add(product.id)
                unvisited = replace(judgement, reason=f"not visited: seen at {seen.at.isoformat(timespec='seconds')}")
                self._stations.deliver(item_result(batch, product, unvisited, seen.facts, self._stations.worker))
        return spared

    async def _run_lanes(self, state: JobState, lanes: int) -> None:
        """Returns when no lane finds any work."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(min(lanes, len(state.waiting))):
                    group.create_task(
                        Lane(number, state, self._stations).run(), name=f"{state.batch.platform}-{number}"
                    )
        except BaseExceptionGroup as errors:
            # All lanes fail for the same reason at a time: a service that is out of reach. The first error tells it.
            raise errors.exceptions[0] from errors

    async def _flush(self) -> None:
        try:
            await asyncio.to_thread(self._sink.flush, _FLUSH_S)
        except DeadlineExceeded as error:
            raise DatabaseUnavailable(f"results could not be stored: {error}") from error

    async def _flush_shielded(self, timeout_s: float) -> None:
        """Stores results in a last, bounded try. What is not stored will be visited again."""
        flushing = asyncio.ensure_future(asyncio.to_thread(self._sink.flush, timeout_s))
        try:
            await asyncio.shield(flushing)
        except Exception as error:  # noqa: BLE001 - the reason for which the batch ends matters more
            log.warning(events.RESULTS_DELAYED, error=str(error))
