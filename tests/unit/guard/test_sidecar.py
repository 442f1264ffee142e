"""The sidecar thread: chores in their rhythm, whatever one of them does."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from pagemill.guard.sidecar import Chore, Sidecar
from pagemill.telemetry import events


class Count:
    """A chore's work: counts, and lets a test wait for the count."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times_s: list[float] = []
        self.threads: set[str] = set()
        self._error = error
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.times_s.append(time.monotonic())
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
        if self._error is not None:
            raise self._error

    def wait_for(self, times: int) -> None:
        """Until the work was done so often."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.times_s) >= times, 10)


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    """One without chores; ended afterwards."""
    made = Sidecar()
    yield made
    made.stop()


def test_every_chore_is_done_at_once_and_then_at_its_interval(sidecar: Sidecar) -> None:
    """Not more often than its interval says, on the one named thread."""
    quick, rare = Count(), Count()
    sidecar.add(Chore("quick", 0.02, quick))
    sidecar.add(Chore("rare", 300, rare))
    sidecar.start()
    quick.wait_for(5)
    assert len(rare.times_s) == 1
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(quick.times_s)]
    assert min(gaps_s) > 0.015
    assert quick.threads == rare.threads == {"sidecar"}


def test_an_error_in_one_chore_stops_neither_it_nor_the_others(sidecar: Sidecar) -> None:
    """It is logged under the chore's name, with its traceback."""
    bad, good = Count(ZeroDivisionError("by zero")), Count()
    sidecar.add(Chore("bad", 0.005, bad))
    sidecar.add(Chore("good", 0.005, good))
    with capture_logs() as lines:
        sidecar.start()
        bad.wait_for(3)
        good.wait_for(3)
        sidecar.stop()
    failures = [line for line in lines if line["event"] == events.UNEXPECTED]
    assert len(failures) == len(bad.times_s)
    assert {line["chore"] for line in failures} == {"bad"}
    assert all(line["exc_info"] for line in failures)


def test_stopping_ends_a_long_wait_at_once(sidecar: Sidecar) -> None:
    """The thread is joined; a second stop, or one before the start, does nothing."""
    sidecar.stop()
    sidecar.start()
    begun_s = time.monotonic()
    sidecar.stop()
    assert time.monotonic() - begun_s < 5
    assert "sidecar" not in {thread.name for thread in threading.enumerate()}
    sidecar.stop()


def test_stopping_waits_for_the_present_chore_and_no_longer_than_it_may(sidecar: Sidecar) -> None:
    """A chore that hangs keeps nobody from ending: the thread is a daemon."""
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(10)
        ended.set()

    sidecar.add(Chore("hang", 300, hang))
    sidecar.start()
    assert begun.wait(5)
    sidecar.stop(0.02)
    assert not ended.is_set()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "sidecar")
    release.set()
    sidecar.stop()
    assert ended.is_set()


def test_a_chore_can_begin_later(sidecar: Sidecar) -> None:
    """What is costly need not be done while everything starts."""
    quick, late = Count(), Count()
    sidecar.add(Chore("late", 300, late, time.monotonic() + 300))
    sidecar.add(Chore("quick", 0.005, quick))
    sidecar.start()
    quick.wait_for(5)
    assert late.times_s == []
