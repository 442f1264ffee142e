"""A thousand jobs of every outcome, through the real engine on its thread: afterwards nothing of them is left."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.engine import batch_engine
from pagemill.engine.batch_engine import BatchEngine
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import Runner
from pagemill.errors import (
    BatchInterrupted,
    BrowserUnavailable,
    DatabaseUnavailable,
    DeadlineExceeded,
    PageLost,
    UsageError,
    VisitFailed,
)
from pagemill.model import Batch, PageReading
from tests.unit.engine.stand_ins import GOOD, NOT_READY, Bench, batch, hang, shop

JOBS = 1000
_BLOCKS = 300
"""Memory blocks that 900 jobs may add: a third of one object per job. Measured: 167 fewer than before."""
_COUNTED = ("pagemill.", "tests.unit.engine.", "asyncio.", "_asyncio.", "builtins.coroutine", "builtins.traceback")
_COMES_AND_GOES = "asyncio.events.TimerHandle"
"""Those of cancelled timers stay for a while; they are counted by themselves."""


class JobTimeOut(Exception):
    """What RQ raises into the waiting thread."""


class Place:
    """An engine on a running loop, and a bench whose own notes are thrown away after each job."""

    def __init__(self, loop: LoopThread) -> None:
        self.loop = loop
        self.bench = Bench(platform=shop(retry={"attempts": 2, "backoff_ms": 1}))
        self.engine = self.engine_of(self.bench.runner)

    def engine_of(self, runner: Runner) -> BatchEngine:
        return BatchEngine(self.loop, runner, len, "w1")

    def runner(self, judged: Callable[[str, list[str]], set[str]] | None = None) -> Runner:
        """Another one on the same bench."""
        bench = self.bench
        return Runner({"shop": bench.platform}, bench.stations, judged or bench.shelf.judged, bench.shelf)

    def script(self, *behaviours: Any) -> None:
        """What the attempts at the first product bring."""
        self.bench.strategy.script({"p1": behaviours})

    def forget(self) -> None:
        """The stand-ins remember everything; what is counted is what the engine keeps."""
        bench = self.bench
        bench.pool.ended.clear()
        bench.pool.errors.clear()
        bench.pool.prepared.clear()
        bench.pool.prepared_s.clear()
        bench.strategy.visits.clear()
        bench.strategy.script({"p1": ()})
        for notes in (bench.shelf.waiting, bench.shelf.stored, bench.shelf.flushes):
            notes.clear()
        bench.pace.reports.clear()
        bench.pace.asked.clear()
        bench.shelf.error = None


def good(place: Place, work: Batch) -> None:
    """Every product has its verdict."""
    assert place.engine.run_batch(work).remaining == 0


def failing(place: Place, work: Batch) -> None:
    """Visits that fail in every way, once and for good."""
    errors: list[Any] = [VisitFailed("x"), DeadlineExceeded("visit", 1), PageLost("x"), ValueError("a mistake")]
    for error in errors:
        place.script(error, NOT_READY)
        place.engine.run_batch(Batch(work.run, f"{work.id}-{type(error).__name__}", work.platform, work.products))
        place.forget()


def drained(place: Place, work: Batch) -> None:
    """The worker is told to stop in the middle of a visit, and gets another batch all the same."""
    runner = place.runner()
    engine = place.engine_of(runner)

    async def told() -> PageReading:
        engine.drain()
        await asyncio.sleep(0)
        return GOOD

    place.script(VisitFailed("x"), told)
    engine.run_batch(work)
    assert engine.run_batch(batch(2, run=f"{work.run}-later")).remaining == 2


def interrupted(place: Place, work: Batch) -> None:
    """RQ's command to stop a job."""

    async def told() -> PageReading:
        place.engine.interrupt("shop")
        return await hang()

    place.script(told)
    with pytest.raises(BatchInterrupted):
        place.engine.run_batch(work)


def timed_out(place: Place, work: Batch) -> None:
    """An exception is raised into the waiting thread."""
    place.script(Raise(signal.SIGUSR1))
    with pytest.raises(JobTimeOut):
        place.engine.run_batch(work)


def stopped_at_once(place: Place, work: Batch) -> None:
    """By a second signal."""
    engine = place.engine_of(place.bench.runner)

    async def told() -> PageReading:
        engine.halt()
        return await hang()

    place.script(told)
    assert engine.run_batch(work).remaining == len(work.products)


def too_slow(place: Place, work: Batch) -> None:
    """It takes longer than it may."""
    place.script(hang)
    with pytest.raises(DeadlineExceeded):
        place.engine.run_batch(work, 0.01)


def without_browser(place: Place, work: Batch) -> None:
    """All lanes end."""
    place.bench.pool.errors = [BrowserUnavailable("no Chromium") for _ in work.products]
    with pytest.raises(BrowserUnavailable):
        place.engine.run_batch(work)


def without_database(place: Place, work: Batch) -> None:
    """It takes no results."""
    place.bench.shelf.error = DatabaseUnavailable("away")
    with pytest.raises(DatabaseUnavailable):
        place.engine.run_batch(work)


def unanswered(place: Place, work: Batch) -> None:
    """It does not even say what has a result."""

    def judged(_run: str, _products: list[str]) -> set[str]:
        raise DatabaseUnavailable("away")

    with pytest.raises(DatabaseUnavailable):
        place.engine_of(place.runner(judged)).run_batch(work)


def unknown(place: Place, work: Batch) -> None:
    """A platform that is not configured here."""
    with pytest.raises(UsageError):
        place.engine.run_batch(Batch(work.run, work.id, "other", work.products))


OUTCOMES = (
    good,
    failing,
    drained,
    interrupted,
    timed_out,
    stopped_at_once,
    without_browser,
    without_database,
    unanswered,
    unknown,
)


@dataclass(frozen=True)
class Raise:
    """A visit during which a signal raises into the main thread."""

    number: signal.Signals

    async def __call__(self) -> PageReading:
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, self.number)
        return await hang()


@dataclass(frozen=True)
class Count:
    """What a process holds at one moment."""

    objects: Counter[str]
    """Of pagemill's own types, of these tests', and of asyncio's."""
    blocks: int
    threads: frozenset[str]
    tasks: int
    timers: int
    """Those that have not been cancelled."""
    cancelled_timers: int
    callbacks: int
    """That the loop is about to call."""
    files: int
    """That the loop watches."""
    waiters: int
    """On the events that outlive a batch."""


def count(place: Place) -> Count:
    """Counts, on the loop, when garbage has been collected."""
    runner = place.bench.runner

    async def look() -> Count:
        loop: Any = asyncio.get_running_loop()
        for _ in range(5):
            await asyncio.sleep(0)  # what ended callbacks have left to do
        gc.collect()
        blocks = sys.getallocatedblocks()
        names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
        cancelled = sum(timer.cancelled() for timer in loop._scheduled)
        return Count(
            objects=Counter(name for name in names if name.startswith(_COUNTED) and name != _COMES_AND_GOES),
            blocks=blocks,
            threads=frozenset(each.name for each in threading.enumerate() if not each.name.startswith("asyncio_")),
            tasks=len(asyncio.all_tasks()) - 1,
            timers=len(loop._scheduled) - cancelled,
            cancelled_timers=cancelled,
            callbacks=len(loop._ready),
            files=len(loop._selector.get_map()),
            waiters=len(runner._stop._waiters),
        )

    return place.loop.run(look(), 10, "count")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A running one, with signals that raise as RQ's do."""

    def raise_it(number: int, _frame: FrameType | None) -> None:
        raise JobTimeOut if number == signal.SIGUSR1 else SystemExit(1)

    monkeypatch.setattr(batch_engine, "_LOOK_UP_S", 0.02)
    before = {number: signal.signal(number, raise_it) for number in (signal.SIGUSR1, signal.SIGUSR2)}
    loop = LoopThread()
    loop.start()
    with capture_logs():
        yield Place(loop)
    loop.stop(10)
    for number, handler in before.items():
        signal.signal(number, handler)


def run_jobs(place: Place, numbers: range) -> None:
    """One job after another, outcomes in turn; each of them must be as it should."""
    for number in numbers:
        with capture_logs():  # its lines go with it
            OUTCOMES[number % len(OUTCOMES)](place, batch(1 + number // len(OUTCOMES) % 2, run=f"r{number}"))
        assert len(place.bench.runner.states) == 0
        assert place.bench.pool.leased == 0
        place.forget()


def test_after_a_thousand_jobs_nothing_is_kept(place: Place) -> None:
    """No state, task, timer, thread, watcher or value of a job; and memory as after the first hundred."""
    before = count(place)
    run_jobs(place, range(100))
    early = count(place)
    run_jobs(place, range(100, JOBS))
    late = count(place)
    assert early.objects - before.objects == Counter()
    assert late.objects - before.objects == Counter()
    assert late.threads == early.threads == before.threads
    assert late.tasks == 0
    assert late.timers <= 1  # the loop's own tick
    assert late.cancelled_timers <= 101  # asyncio sweeps them out when they are more than a hundred
    assert late.callbacks <= 2
    assert late.files == before.files
    assert late.waiters == 0
    assert late.blocks - early.blocks < _BLOCKS
