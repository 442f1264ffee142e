"""The engine's loop on its own thread, as other threads use it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from pagemill.engine.loop_thread import LoopThread
from pagemill.errors import DeadlineExceeded
from pagemill.telemetry import events


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A running one."""
    thread = LoopThread("test-engine")
    thread.start()
    yield thread
    thread.stop(10)


def test_work_runs_on_the_named_thread(loop: LoopThread) -> None:
    """`submit` brings a coroutine there and its value back; `call` a plain function."""

    async def where() -> str:
        return threading.current_thread().name

    assert loop.submit(where()).result(5) == "test-engine"
    called = threading.Event()
    names: list[str] = []

    def note(word: str) -> None:
        names.append(word + threading.current_thread().name)
        called.set()

    loop.call(note, "on ")
    assert called.wait(5)
    assert names == ["on test-engine"]


def test_an_error_comes_back_to_who_submitted(loop: LoopThread) -> None:
    """As it is, even when it is a time-out of the work's own."""

    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(ValueError, match="wrong"):
        loop.submit(fail(ValueError("wrong"))).result(5)
    with pytest.raises(TimeoutError, match="its own"):
        loop.run(fail(TimeoutError("its own")), 5, "try")


def test_cancelling_the_future_cancels_the_work(loop: LoopThread) -> None:
    """And its `finally` runs."""
    started, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    future = loop.submit(wait())
    assert started.wait(5)
    assert future.cancel()
    assert ended.wait(5)


def test_run_waits_no_longer_than_its_deadline(loop: LoopThread) -> None:
    """The work is cancelled then, and the error names it."""
    ended = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    begun_s = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"timeout: open the pool took longer than 0\.05 s"):
        loop.run(wait(), 0.05, "open the pool")
    assert time.monotonic() - begun_s < 5
    assert ended.wait(5)


def test_run_brings_the_value(loop: LoopThread) -> None:
    """Within its deadline."""

    async def value() -> int:
        await asyncio.sleep(0)
        return 7

    assert loop.run(value(), 5, "think") == 7


def test_a_blocked_loop_shows_by_its_lag() -> None:
    """A lively loop has none; one that does not come round has more and more, whatever it is asked."""
    loop = LoopThread()
    loop.start()
    release = threading.Event()
    try:
        deadline_s = time.monotonic() + 10
        while loop.lag_s() > 0:
            assert time.monotonic() < deadline_s
            release.wait(0.001)
        loop.call(release.wait)
        while loop.lag_s() < 0.1:
            assert time.monotonic() < deadline_s
            release.wait(0.02)
        before_s = loop.lag_s()
        release.wait(0.05)
        assert loop.lag_s() > before_s
        release.set()
        while loop.lag_s() > 0:
            assert time.monotonic() < deadline_s
            time.sleep(0.001)
    finally:
        release.set()
        loop.stop(10)


def stand_still(loop: LoopThread, seconds: float) -> None:
    """Blocks the loop for so long, and comes back when it has come round again."""

    async def block() -> None:
        time.sleep(seconds)
        await asyncio.sleep(0.03)

    loop.submit(block()).result(10)


def test_a_standstill_that_is_over_is_told_once(loop: LoopThread) -> None:
    """However short it was and whenever it came: the longest since it was last asked for."""
    loop.take_longest_lag_s()
    stand_still(loop, 0.1)
    stand_still(loop, 0.6)
    stand_still(loop, 0.1)
    assert loop.take_longest_lag_s() >= 0.55
    assert loop.take_longest_lag_s() < 0.4


def test_fifty_milliseconds_are_seen(loop: LoopThread) -> None:
    """To within the tick by which it is measured."""
    loop.take_longest_lag_s()
    stand_still(loop, 0.05)
    assert loop.take_longest_lag_s() >= 0.025


def test_a_standstill_that_goes_on_is_told_as_far_as_it_has_come(loop: LoopThread) -> None:
    """And as a whole when it has ended."""
    release = threading.Event()
    loop.take_longest_lag_s()
    loop.call(release.wait)
    try:
        deadline_s = time.monotonic() + 10
        while loop.lag_s() < 0.3:
            assert time.monotonic() < deadline_s
            release.wait(0.02)
        so_far_s = loop.take_longest_lag_s()
        release.wait(0.1)
    finally:
        release.set()
    stand_still(loop, 0)
    assert 0.3 <= so_far_s < loop.take_longest_lag_s()


def test_stopping_ends_what_still_runs_and_joins_the_thread() -> None:
    """Tasks see their cancellation, and asynchronous generators are closed; a second stop does nothing."""
    loop = LoopThread("stopping-engine")
    loop.start()
    started = threading.Event()
    ends: list[str] = []

    async def numbers() -> object:
        try:
            yield 1
        finally:
            ends.append("generator")

    async def work() -> None:
        try:
            generator = numbers()
            await anext(generator)  # type: ignore[call-overload]
            started.set()
            await asyncio.Event().wait()
        finally:
            ends.append("task")

    loop.submit(work())
    assert started.wait(5)
    loop.stop(10)
    assert sorted(ends) == ["generator", "task"]
    assert "stopping-engine" not in {thread.name for thread in threading.enumerate()}
    loop.stop(10)
    loop.call(print, "nobody hears this")


def test_a_loop_that_does_not_stop_is_reported() -> None:
    """Its thread is a daemon, so the process can still end."""
    loop = LoopThread("stuck-engine")
    loop.start()
    release = threading.Event()
    loop.call(release.wait)
    with pytest.raises(DeadlineExceeded, match="stop the engine's loop"):
        loop.stop(0.05)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "stuck-engine")
    release.set()
    loop.stop(10)


def test_an_error_that_nobody_waits_for_is_logged(loop: LoopThread) -> None:
    """And does not end the loop."""
    done = threading.Event()

    def fail() -> None:
        raise ValueError("in a callback")

    with capture_logs() as lines:
        loop.call(fail)
        loop.call(done.set)
        assert done.wait(5)
    assert [(line["event"], line["error"]) for line in lines] == [(events.UNEXPECTED, "ValueError('in a callback')")]
