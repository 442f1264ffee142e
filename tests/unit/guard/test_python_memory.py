"""Python's own memory: numbers of the C library and of the collector that move as they should."""

from __future__ import annotations

import ctypes
import gc
import platform
import threading
import weakref
from collections.abc import Iterator

import psutil
import pytest

from pagemill.guard import python_memory as module
from pagemill.guard.python_memory import (
    PAUSE_BOUNDS_MS,
    CollectorStats,
    CollectorWatch,
    PythonMemory,
    collect,
    python_memory,
    trim,
)

MIB = 1024 * 1024

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")


@pytest.fixture
def no_collections() -> Iterator[None]:
    """Only those that the test asks for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@needs_glibc
def test_what_malloc_handed_out_and_kept() -> None:
    """Pieces from any thread's arena, small or large; what is freed is kept for later at first."""
    before = python_memory()
    held: list[bytes | bytearray] = []
    thread = threading.Thread(target=lambda: held.extend(bytes(100_000) for _ in range(300)))
    thread.start()
    thread.join()
    small = python_memory()
    assert before.arena_used_mb is not None and before.arena_free_mb is not None
    assert small.arena_used_mb is not None and small.arena_free_mb is not None
    assert 25 < small.arena_used_mb - before.arena_used_mb < 35
    held.append(bytearray(64 * MIB))
    large = python_memory()
    assert large.arena_used_mb is not None
    assert 60 < large.arena_used_mb - small.arena_used_mb < 70
    held.pop()
    del held[::2]  # every other piece, so that what is free lies between what is not
    freed = python_memory()
    assert freed.arena_used_mb is not None and freed.arena_free_mb is not None
    assert 10 < freed.arena_free_mb - small.arena_free_mb < 20
    assert freed.arena_used_mb < small.arena_used_mb - 10


@needs_glibc
def test_a_trim_gives_memory_back() -> None:
    """Also from between pieces that are still in use."""
    held = [b"x" * 100_000 for _ in range(600)]
    del held[::2]
    resident = psutil.Process().memory_info().rss
    assert trim()
    assert resident - psutil.Process().memory_info().rss > 20 * MIB
    assert len(held) == 300


class _OtherLibrary:
    """A C library without glibc's functions."""


@pytest.mark.parametrize("missing", ["functions", "library"])
def test_other_c_libraries(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """They tell nothing and trim nothing; Python's own count is there all the same."""

    def load(_name: object) -> object:
        if missing == "library":
            raise OSError("cannot be loaded")
        return _OtherLibrary()

    module._function.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", load)
    try:
        measured = python_memory()
        assert not trim()
    finally:
        module._function.cache_clear()
    assert (measured.arena_used_mb, measured.arena_free_mb) == (None, None)
    assert measured.blocks > 1000


def test_blocks_follow_objects() -> None:
    """A hundred thousand objects are a hundred thousand blocks."""
    before = python_memory().blocks
    held = [object() for _ in range(100_000)]
    assert python_memory().blocks - before == pytest.approx(100_000, rel=0.05)
    held.clear()
    assert python_memory().blocks - before < 5_000


def test_nothing_measured_yet() -> None:
    """The value before anything was."""
    assert PythonMemory() == PythonMemory(None, None, 0)


class _Knot:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


def test_collecting_frees_what_refers_to_itself(no_collections: None) -> None:
    """And tells how many objects that were."""
    knots = [_Knot() for _ in range(50)]
    last = weakref.ref(knots[-1])
    knots.clear()
    assert last() is not None
    assert collect() >= 50
    assert last() is None
    assert collect() < 50


class _Clock:
    """Says what it is told to, one value after the other."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def __call__(self) -> float:
        return self.values.pop(0)


@pytest.fixture
def removed() -> Iterator[list[CollectorWatch]]:
    """Watches that are removed in any case."""
    watches: list[CollectorWatch] = []
    yield watches
    for watch in watches:
        watch.remove()


def test_pauses_are_counted(no_collections: None, removed: list[CollectorWatch]) -> None:
    """How many of each generation, how long, and what share of the CPU time since the start."""
    clock, cpu = (
        _Clock(1.0, 1.25, 5.0, 5.5, 7.0, 7.125),
        _Clock(0.0, 100.0, 100.0, 100.5, 101.0, 101.25, 102.0, 102.125, 110.0, 100.0),
    )
    watch = CollectorWatch(clock, cpu)
    removed.append(watch)
    watch.install()
    for generation in (0, 2, 0):
        gc.collect(generation)
    pauses = {250.0: 2, 500.0: 1}
    counted = tuple(pauses.get(bound_ms, 0) for bound_ms in (*PAUSE_BOUNDS_MS, float("inf")))
    assert watch.stats() == CollectorStats((2, 0, 1), 0.875, longest_ms=500.0, cpu_percent=8.75, pauses=counted)
    assert watch.stats().cpu_percent == 0, "no CPU time was used since, as the clock has it"
    assert clock.values == []


def test_real_pauses(no_collections: None, removed: list[CollectorWatch]) -> None:
    """With the real clocks, and from any thread."""
    watch = CollectorWatch()
    removed.append(watch)
    watch.install()
    knots = [_Knot() for _ in range(20_000)]
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    stats = watch.stats()
    assert stats.collections == (0, 0, 1)
    assert 0 < stats.pause_s < 10
    assert stats.longest_ms == pytest.approx(stats.pause_s * 1000, abs=0.1)
    assert stats.cpu_percent > 0
    (length,) = [number for number, count in enumerate(stats.pauses) if count]
    assert ([0.0, *PAUSE_BOUNDS_MS][length] / 1000 - 0.0001) < stats.pause_s
    assert stats.pause_s < [*PAUSE_BOUNDS_MS, 10_000.0][length] / 1000 + 0.0001
    assert len(knots) == 20_000


def test_installing_and_removing_twice(no_collections: None, removed: list[CollectorWatch]) -> None:
    """Counts once, and not at all afterwards; what was counted stays until the next start."""
    callbacks = len(gc.callbacks)
    watch = CollectorWatch()
    removed.append(watch)
    watch.remove()
    watch.install()
    watch.install()
    assert len(gc.callbacks) == callbacks + 1
    gc.collect(1)
    watch.install()
    assert watch.stats().collections == (0, 1, 0)
    watch.remove()
    watch.remove()
    assert len(gc.callbacks) == callbacks
    gc.collect(1)
    assert watch.stats().collections == (0, 1, 0)
    watch.install()
    assert watch.stats().collections == (0, 0, 0)


def test_a_collection_under_way_is_not_counted(no_collections: None, removed: list[CollectorWatch]) -> None:
    """Its beginning was not seen."""
    callbacks = list(gc.callbacks)
    watch = CollectorWatch()
    removed.append(watch)
    watch.install()
    (called,) = [each for each in gc.callbacks if each not in callbacks]
    called("stop", {"generation": 2, "collected": 0, "uncollectable": 0})
    assert watch.stats().collections == (0, 0, 0)
