"""The engine as the main thread sees it: whatever is raised into the waiting thread, the batch ends well."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.config.platform import Platform
from pagemill.engine import batch_engine
from pagemill.engine.batch_engine import BatchEngine
from pagemill.engine.loop_thread import LoopThread
from pagemill.engine.runner import BatchOutcome, Runner
from pagemill.errors import BatchInterrupted, DeadlineExceeded, UsageError
from pagemill.model import PageReading, Verdict
from pagemill.results.store import ResultStore
from pagemill.results.writer import ResultWriter
from pagemill.telemetry import events
from tests.unit.engine.stand_ins import GOOD, Bench, batch, hang


class TimeOut(Exception):
    """What RQ raises from its signal handler."""


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A running loop."""
    thread = LoopThread()
    thread.start()
    yield thread
    thread.stop(10)


def engine_on(loop: LoopThread, bench: Bench) -> BatchEngine:
    """An engine that keeps what it gives up nowhere."""
    return BatchEngine(loop, bench.runner, lambda results: len(results), "w1")


@contextmanager
def raising(error: BaseException, when: threading.Event) -> Iterator[None]:
    """Raises into the main thread by a signal, once the event is set."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise error

    def send() -> None:
        if when.wait(10):
            os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)


@contextmanager
def soon(when: threading.Event, action: Callable[[], object]) -> Iterator[None]:
    """Does something on another thread, once the event is set."""

    def act() -> None:
        if when.wait(10):
            action()

    other = threading.Thread(target=act)
    other.start()
    try:
        yield
    finally:
        other.join()


def replace_name(platform: Platform, name: str) -> Platform:
    """The same platform under another name."""
    return platform.model_copy(update={"platform": name})


class Visit:
    """A visit that hangs, says so, and needs a moment to clean up after itself."""

    def __init__(self, turns: int = 50) -> None:
        self.begun = threading.Event()
        self.cleaned_up = False
        self._turns = turns

    async def __call__(self) -> PageReading:
        self.begun.set()
        try:
            return await hang()
        finally:
            for _ in range(self._turns):
                await asyncio.sleep(0)
            self.cleaned_up = True


def assert_ended(bench: Bench) -> None:
    """Nothing of a batch is left."""
    assert len(bench.runner.states) == 0
    assert bench.pool.leased == 0


def test_a_batch_is_worked_off_in_the_callers_time(loop: LoopThread) -> None:
    """Its outcome comes back; an error of the runner too."""
    bench = Bench()
    engine = engine_on(loop, bench)
    assert engine.run_batch(batch(4)) == BatchOutcome(done=4, resumed=0, remaining=0)
    with pytest.raises(UsageError):
        engine.run_batch(batch(platform="other"))
    assert engine.run_batch(batch(6)) == BatchOutcome(done=2, resumed=4, remaining=0)


def test_an_exception_in_the_waiting_thread_cancels_the_batch_and_waits_for_it(loop: LoopThread) -> None:
    """When it arrives at the caller, every `finally` has run and what was judged is stored."""
    visit = Visit()
    bench = Bench({"p3": [visit]})
    with raising(TimeOut("180 s"), visit.begun), pytest.raises(TimeOut, match="180 s"):
        engine_on(loop, bench).run_batch(batch(3))
    assert visit.cleaned_up
    assert bench.shelf.products() == ["p1", "p2"]
    assert_ended(bench)


def test_an_exception_before_the_batch_has_begun_cancels_it_too(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop may be busy when the batch comes; it must not begin behind the caller's back afterwards."""
    bench = Bench({"p1": [hang]})
    busy, release = threading.Event(), threading.Event()

    def block() -> None:
        busy.set()
        release.wait(10)

    loop.call(block)
    assert busy.wait(5)
    real_call = loop.call

    def call(function: Callable[..., None], *args: object) -> None:
        real_call(function, *args)
        release.set()  # the loop comes round again when the cancellation has been asked for

    monkeypatch.setattr(loop, "call", call)
    submitted = threading.Event()
    threading.Timer(0.05, submitted.set).start()
    begun_s = time.monotonic()
    with raising(TimeOut(), submitted), pytest.raises(TimeOut):
        engine_on(loop, bench).run_batch(batch(3))
    assert time.monotonic() - begun_s < 5
    assert_ended(bench)
    assert bench.strategy.visits == []


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_exception_while_the_batch_is_handed_over_leaves_nothing_running(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch, handed_over: bool
) -> None:
    """A signal may come between any two steps, just before the loop has the batch or just after."""
    bench = Bench({"p1": [hang]})
    real_submit = loop.submit

    def submit(work: Coroutine[Any, Any, object]) -> None:
        if handed_over:
            real_submit(work)
        else:
            work.close()
        raise TimeOut

    monkeypatch.setattr(loop, "submit", submit)
    begun_s = time.monotonic()
    with pytest.raises(TimeOut):
        engine_on(loop, bench).run_batch(batch(3))
    assert time.monotonic() - begun_s < 5
    assert_ended(bench)


def test_a_signal_that_another_thread_gets_is_noticed(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may give a process' signal to any thread; then nothing wakes the one that has to handle it."""
    monkeypatch.setattr(batch_engine, "_LOOK_UP_S", 0.02)
    visit = Visit()
    bench = Bench({"p1": [visit]})
    with raising(TimeOut(), visit.begun), pytest.raises(TimeOut):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        try:
            engine_on(loop, bench).run_batch(batch(1))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    assert visit.cleaned_up
    assert_ended(bench)


def test_a_second_signal_leaves_everything_remaining(loop: LoopThread) -> None:
    """The worker stops anyway; what is stored counts as resumed when the batch comes back."""
    visit = Visit()
    bench = Bench({"p3": [visit]})
    engine = engine_on(loop, bench)
    with soon(visit.begun, engine.halt):
        assert engine.run_batch(batch(3)) == BatchOutcome(done=0, resumed=0, remaining=3)
    assert visit.cleaned_up
    assert_ended(bench)
    assert engine.run_batch(batch(3)) == BatchOutcome(done=0, resumed=0, remaining=3)
    assert engine_on(loop, bench).run_batch(batch(3)) == BatchOutcome(done=1, resumed=2, remaining=0)


def test_batches_of_several_platforms_are_at_work_at_once(loop: LoopThread) -> None:
    """Each ends for itself: one is interrupted, one takes too long, one is well."""
    visits = [Visit(), Visit()]
    slow, stopped = Bench({"p1": [visits[0]]}), Bench({"p1": [visits[1]]})
    platforms = {name: replace_name(slow.platform, name) for name in ("slow", "stopped", "well")}
    strategies = {"slow": slow.strategy, "stopped": stopped.strategy, "well": Bench().strategy}
    stations = replace(slow.stations, strategies=strategies)
    runner = Runner(platforms, stations, lambda _run, _products: set(), slow.shelf)
    engine = BatchEngine(loop, runner, lambda results: len(results), "w1")
    with ThreadPoolExecutor() as callers:
        too_slow = callers.submit(engine.run_batch, batch(1, platform="slow"), 0.5)
        interrupted = callers.submit(engine.run_batch, batch(1, platform="stopped"))
        for visit in visits:
            assert visit.begun.wait(10)
        assert engine.run_batch(batch(3, platform="well")).done == 3
        engine.interrupt("stopped")
        with pytest.raises(BatchInterrupted):
            interrupted.result(10)
        with pytest.raises(DeadlineExceeded, match="the batch took longer"):
            too_slow.result(10)
    assert all(visit.cleaned_up for visit in visits)
    assert len(runner.states) == 0


def test_an_interruption_from_another_thread_says_so(loop: LoopThread) -> None:
    """RQ's command to stop a job comes on a thread of its own."""
    visit = Visit()
    bench = Bench({"p3": [visit]})
    engine = engine_on(loop, bench)

    def interrupt() -> None:
        visit.begun.wait(10)
        engine.interrupt("shop")

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(BatchInterrupted):
        engine.run_batch(batch(3))
    other.join()
    assert visit.cleaned_up
    assert bench.shelf.products() == ["p1", "p2"]
    assert_ended(bench)


def test_an_interruption_without_a_batch_harms_no_later_one(loop: LoopThread) -> None:
    """It comes too late, and that is all."""
    bench = Bench()
    engine = engine_on(loop, bench)
    engine.interrupt("shop")
    assert engine.run_batch(batch(3)).done == 3
    engine.interrupt("shop")
    assert engine.run_batch(batch(3, run="next")).done == 3


@pytest.mark.parametrize("halted", [False, True])
def test_a_batch_that_cannot_be_cancelled_does_not_keep_the_caller(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch, halted: bool
) -> None:
    """After a while the caller goes on, and the log has the word."""
    monkeypatch.setattr(batch_engine, "_CANCEL_S", 0.05)
    monkeypatch.setattr(batch_engine, "_STOP_S", 0.05)
    begun, release = threading.Event(), asyncio.Event()

    async def stubborn() -> PageReading:
        begun.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return GOOD

    bench = Bench({"p1": [stubborn]})
    engine = engine_on(loop, bench)
    with capture_logs() as lines:
        if halted:
            with soon(begun, engine.halt):
                assert engine.run_batch(batch(1)).remaining == 1
        else:
            with raising(TimeOut(), begun), pytest.raises(TimeOut):
                engine.run_batch(batch(1))
    assert [line["event"] for line in lines] == [events.TIMEOUT]
    loop.call(release.set)


def test_a_drain_from_a_signal_handler_ends_the_batch_at_the_next_item(loop: LoopThread) -> None:
    """Present items are finished; what is left is counted."""
    release, begun = asyncio.Event(), threading.Event()

    async def held() -> PageReading:
        begun.set()
        await release.wait()
        return GOOD

    bench = Bench({"p1": [held], "p2": [held]})
    engine = engine_on(loop, bench)

    def handle(_number: int, _frame: FrameType | None) -> None:
        engine.drain()
        loop.call(release.set)

    before = signal.signal(signal.SIGUSR2, handle)

    def send() -> None:
        if begun.wait(10):
            os.kill(os.getpid(), signal.SIGUSR2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        outcome = engine.run_batch(batch(6))
    finally:
        sender.join()
        signal.signal(signal.SIGUSR2, before)
    assert outcome.remaining == 6 - outcome.done
    assert 1 <= outcome.done <= 2


def test_an_engine_is_lively_while_its_loop_comes_round(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stuck loop shows after a while, and recovers when it comes round again."""
    monkeypatch.setattr(batch_engine, "_STUCK_S", 0.05)
    engine = engine_on(loop, Bench())
    release = threading.Event()
    assert engine.is_lively()
    loop.call(release.wait)
    eventually(lambda: not engine.is_lively())
    release.set()
    eventually(engine.is_lively)


def eventually(condition: Callable[[], bool]) -> None:
    """Waits for what another thread brings about."""
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    """A real one, on SQLite."""
    with ResultStore(f"sqlite:///{tmp_path / 'results.db'}") as opened:
        yield opened


def test_giving_up_fails_only_what_has_no_result(loop: LoopThread, store: ResultStore) -> None:
    """In a real database: what is there stays, every other product gets its one result, and a second time none."""
    visit = Visit()
    bench = Bench({"p3": [visit]})
    writer = ResultWriter(store, 50, 20)
    bench.stations = replace(bench.stations, deliver=writer.put)
    runner = Runner({"shop": bench.platform}, bench.stations, store.judged, writer)
    engine = BatchEngine(loop, runner, store.write, "w9")
    with raising(TimeOut(), visit.begun), pytest.raises(TimeOut):
        engine.run_batch(batch(5))
    done = {result.product_id for result in store.read("run")}
    assert {"p1", "p2"} <= done < {"p1", "p2", "p3", "p4", "p5"}

    assert engine.give_up(batch(5), "batch given up: TimeOut") == 5 - len(done)
    assert engine.give_up(batch(5), "batch given up: again") == 0

    results = {result.product_id: result for result in store.read("run")}
    assert results.keys() == {"p1", "p2", "p3", "p4", "p5"}
    assert {results[product].verdict for product in done} == {Verdict.OK}
    given_up = results["p3"]
    assert (given_up.verdict, given_up.reason) == (Verdict.FAILED, "batch given up: TimeOut")
    assert (given_up.batch, given_up.platform, given_up.worker, given_up.attempts) == ("b1", "shop", "w9", 0)
    writer.close(5)


def test_giving_up_a_cancelled_run_judges_nothing(loop: LoopThread) -> None:
    """Somebody has stopped its batch because nothing more of it is wanted."""
    bench = Bench()
    written: list[int] = []
    finished: list[str] = []
    engine = BatchEngine(
        loop,
        bench.runner,
        lambda results: written.append(len(results)) or len(results),  # type: ignore[func-returns-value]
        "w1",
        lambda run, _batch: finished.append(run),
        lambda run: run == "cancelled",
    )
    assert engine.give_up(batch(3, run="cancelled"), "stopped by a user") == 0
    assert (written, finished) == ([], [])
    assert engine.give_up(batch(3), "its workers died again and again") == 3
    assert (written, finished) == ([3], ["run"])
