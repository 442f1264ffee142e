"""What the guard learns of a real loop: the longest standstill of an interval, and whether it stands still now."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pagemill.engine.guarded_engine import GuardedEngine
from pagemill.engine.loop_thread import LoopThread
from pagemill.guard.pressure import PressureLimits, PressureReason, percentages
from pagemill.guard.probe import Probe

LIMITS = PressureLimits(memory_mb=1000, js_heap_mb=512, driver_mb=500, python_mb=300, lag_s=1)


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A running one."""
    thread = LoopThread("test-engine")
    thread.start()
    yield thread
    thread.stop(10)


def a_probe(loop: LoopThread) -> Probe:
    """One that asks this loop; its pool and its runner are not asked."""
    nothing = cast("Any", None)
    engine_port = GuardedEngine(loop, nothing, nothing, int, leave=nothing, abandon=nothing)
    return Probe(1000, engine=engine_port.reading)


def test_a_sample_tells_the_longest_delay_since_the_one_before(loop: LoopThread) -> None:
    """Though the loop has long gone on. That is for people: it is no pressure any more."""
    probe = a_probe(loop)
    probe.sample()

    async def block() -> None:
        time.sleep(0.5)
        await asyncio.sleep(0.03)

    loop.submit(block()).result(10)
    sample = probe.sample()
    assert sample.loop_lag_s >= 0.45
    assert percentages(sample, LIMITS, 1)[PressureReason.LAG] < 40
    assert probe.sample().loop_lag_s < 0.4


def test_a_loop_that_stands_still_now_is_pressure(loop: LoopThread) -> None:
    """By the time for which it has."""
    probe, release = a_probe(loop), threading.Event()
    loop.call(release.wait)
    try:
        deadline_s = time.monotonic() + 10
        while loop.lag_s() < 0.5:
            assert time.monotonic() < deadline_s
            release.wait(0.02)
        sample = probe.sample()
    finally:
        release.set()
    assert percentages(sample, LIMITS, 1)[PressureReason.LAG] >= 50
    assert sample.loop_lag_s >= 0.5
