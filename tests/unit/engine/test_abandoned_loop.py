"""A loop that stands still for good: the batch is given back without it, and its stacks can be read."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from pagemill.engine.batch_engine import BatchEngine
from pagemill.engine.loop_thread import LoopThread
from pagemill.errors import DeadlineExceeded, WorkerWornOut
from pagemill.model import PageReading
from tests.unit.engine.stand_ins import GOOD, Bench, batch


class Standstill:
    """A strategy that blocks the loop's thread, as a planted `time.sleep` does, until the test ends."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.over = threading.Event()

    async def __call__(self) -> PageReading:
        self.begun.set()
        self.over.wait(30)
        return GOOD


@pytest.fixture
def standstill() -> Iterator[tuple[LoopThread, Standstill, Bench]]:
    """A loop, and a bench whose third product blocks it."""
    loop, still, bench = LoopThread(), Standstill(), Bench()
    loop.start()
    bench.strategy.script({"p3": [still]})
    yield loop, still, bench
    still.over.set()
    loop.abandoned = False
    loop.stop(10)


def test_an_abandoned_batch_ends_within_a_second(standstill: tuple[LoopThread, Standstill, Bench]) -> None:
    """And so does everything else that waits for the loop."""
    loop, still, bench = standstill
    engine = BatchEngine(loop, bench.runner, lambda results: len(results), "w1")

    def give_up_on_it() -> None:
        assert still.begun.wait(10)
        engine.abandon(WorkerWornOut("the event loop stood still"))

    watcher = threading.Thread(target=give_up_on_it)
    watcher.start()
    started_s = time.monotonic()
    with pytest.raises(WorkerWornOut, match="stood still"):
        engine.run_batch(batch(6))
    watcher.join()
    assert not engine.is_lively()

    async def nothing() -> None: ...

    with pytest.raises(DeadlineExceeded):
        loop.run(nothing(), 60, "close the pool")
    loop.stop(60)
    assert time.monotonic() - started_s < 20
    assert {result.product_id for result in bench.shelf.waiting} <= {"p1", "p2", "p4"}


def test_the_stacks_show_what_holds_the_loop_up(standstill: tuple[LoopThread, Standstill, Bench]) -> None:
    """Every thread by its name with the line it stands on, and the loop's tasks."""
    loop, still, bench = standstill
    loop.submit(bench.runner.run(batch(6)))
    assert still.begun.wait(10)
    stacks = loop.stacks()
    assert "thread engine:" in stacks
    assert "self.over.wait(30)" in stacks
    assert "task shop-0" in stacks
    assert "thread MainThread:" in stacks


def test_stacks_are_of_bounded_length() -> None:
    """A thousand tasks do not make a log line of a megabyte."""
    loop = LoopThread()
    loop.start()
    try:

        async def wait_for_ever() -> None:
            await asyncio.Event().wait()

        futures = [loop.submit(wait_for_ever()) for _ in range(1000)]
        assert len(loop.stacks()) <= 40_000
        for future in futures:
            future.cancel()
    finally:
        loop.stop(10)
