"""Registered caches: what a cleaning takes from them, how they are held, and that they may be in use meanwhile."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.guard import caches as caches_module
from pagemill.guard.caches import CACHES, Caches, register_cache, unregister_cache
from pagemill.telemetry import events


class Prices(dict[Any, Any]):
    """A dict that can be held weakly."""


class OwnCache:
    """The users' example: an object that cleans itself."""

    def __init__(self, size: int) -> None:
        self.data = dict.fromkeys(range(size))
        self.ratios: list[float] = []

    def cleanup(self, cleanup_ratio: float = 0.3) -> None:
        self.ratios.append(cleanup_ratio)
        for key in list(self.data)[: int(len(self.data) * cleanup_ratio)]:
            del self.data[key]


class CountedCache(OwnCache):
    """One that tells its length."""

    def __len__(self) -> int:
        return len(self.data)


class TellingCache(OwnCache):
    """One that tells how many went instead."""

    def cleanup(self, cleanup_ratio: float = 0.3) -> int:  # type: ignore[override]
        before = len(self.data)
        super().cleanup(cleanup_ratio)
        return before - len(self.data)


class BrokenCache:
    """One whose author made a mistake."""

    def cleanup(self, cleanup_ratio: float = 0.3) -> None:
        raise ValueError("a mistake")


def numbers(size: int, kind: Any = Prices) -> Any:
    return kind((number, number) for number in range(size))


@pytest.mark.parametrize(
    ("size", "ratio", "left"),
    [(10, 0.3, 7), (1000, 0.3, 700), (100, 0.29, 71), (3, 0.3, 2), (1, 0.3, 0), (1, 0.9, 0), (0, 0.3, 0), (7, 1, 0)],
)
@pytest.mark.parametrize("kind", [Prices, OrderedDict, UserDict, dict])
def test_a_mapping_loses_its_oldest_share(kind: Any, size: int, ratio: float, left: int) -> None:
    """In the order in which entries came; at least one goes where there is one."""
    caches, cache = Caches(), numbers(size, kind)
    caches.register("c", cache)
    assert caches.cleanup(ratio) == size - left
    assert list(cache) == list(range(size - left, size))


@pytest.mark.parametrize(("size", "left"), [(999, 999), (1000, 1000), (1001, 1000), (25_000, 1000)])
def test_trimming_takes_what_is_too_much(size: int, left: int) -> None:
    """Again the oldest, and nothing of a cache that is small enough."""
    caches, cache = Caches(), numbers(size)
    caches.register("c", cache)
    assert caches.trim(1000) == size - left
    assert caches.sizes() == {"c": left}
    assert list(cache)[-1] == size - 1
    assert caches.trim(1000) == 0


def test_a_cache_may_clean_itself() -> None:
    """It is asked by keyword, as its author wrote the method, and what went is counted where that can be known."""
    caches, silent, counted, telling = Caches(), OwnCache(100), CountedCache(100), TellingCache(100)
    for name, cache in (("silent", silent), ("counted", counted), ("telling", telling)):
        caches.register(name, cache)
    assert caches.cleanup(0.3) == 60
    assert [len(cache.data) for cache in (silent, counted, telling)] == [70, 70, 70]
    assert silent.ratios == counted.ratios == telling.ratios == [0.3]
    assert caches.sizes() == {"counted": 70}


@pytest.mark.parametrize("size", [1001, 1300, 1999, 12_345])
def test_a_cache_that_cleans_itself_is_trimmed_by_the_share_that_is_too_much(size: int) -> None:
    """To the entry, although a share is a fraction; without a length nobody knows what is too much."""
    caches, counted, silent = Caches(), CountedCache(size), OwnCache(size)
    caches.register("counted", counted)
    caches.register("silent", silent)
    assert caches.trim(1000) == size - 1000
    assert caches.sizes() == {"counted": 1000}
    assert silent.ratios == []
    assert caches.trim(1000) == 0
    assert len(counted.ratios) == 1


def test_a_cache_that_fails_is_logged_and_harms_no_other() -> None:
    """The log names it."""
    caches, first, broken, last = Caches(), numbers(10), BrokenCache(), numbers(10)
    for name, cache in (("first", first), ("broken", broken), ("last", last)):
        caches.register(name, cache)
    with capture_logs() as lines:
        assert caches.cleanup(0.5) == 10
    assert [(line["event"], line["cache"]) for line in lines] == [(events.UNEXPECTED, "broken")]


def test_a_cache_that_nobody_holds_is_forgotten() -> None:
    """Registering keeps it no longer than its owner does."""
    caches, kept = Caches(), numbers(3)
    caches.register("kept", kept)
    for number in range(100):
        caches.register(f"brief {number}", numbers(3))
    gc.collect()
    assert caches.sizes() == {"kept": 3}
    assert len(caches._held) <= 2  # the last one goes with the next registration


@pytest.mark.parametrize("kind", [dict, lambda pairs: defaultdict(int, pairs)])
def test_a_plain_dict_is_held_until_it_is_unregistered(kind: Any) -> None:
    """Python cannot hold it weakly."""
    caches = Caches()
    caches.register("plain", numbers(3, kind))
    gc.collect()
    assert caches.sizes() == {"plain": 3}
    caches.unregister("plain")
    caches.unregister("plain")
    assert caches.sizes() == {}


def test_the_same_name_again_replaces() -> None:
    """A strategy that is made anew registers its new cache."""
    caches, old, new = Caches(), numbers(10), numbers(20)
    caches.register("c", old)
    caches.register("c", new)
    assert caches.sizes() == {"c": 20}
    assert caches.cleanup(0.5) == 10
    assert len(old) == 10


@pytest.mark.parametrize("wrong", [[1, 2], None, object(), {1}, "text"])
def test_what_is_no_cache_is_refused(wrong: object) -> None:
    """The error says what a cache is."""
    with pytest.raises(TypeError, match=r"prices: .*cleanup\(cleanup_ratio\)"):
        Caches().register("prices", wrong)


def test_a_cleanup_may_register_and_unregister() -> None:
    """The register is not locked while a cache is at work."""
    caches = Caches()

    class Restless(Prices):
        def cleanup(self, cleanup_ratio: float) -> None:
            caches.unregister("restless")
            caches.register("another", kept)

    kept, restless = numbers(4), Restless()
    caches.register("restless", restless)
    assert caches.cleanup(0.5) == 0
    assert caches.sizes() == {"another": 4}


class Moving(UserDict[int, int]):
    """A mapping that another thread writes to while its keys are read, so many times."""

    moves = 0

    def __iter__(self) -> Iterator[int]:
        for number, key in enumerate(list(self.data)):
            if number == 1 and self.moves:
                self.moves -= 1
                raise RuntimeError("dictionary changed size during iteration")
            yield key


@pytest.mark.parametrize(("moves", "went"), [(0, 3), (1, 3), (caches_module._TRIES - 1, 3), (10**6, 0)])
def test_a_mapping_that_changes_meanwhile_is_tried_again(moves: int, went: int) -> None:
    """Not for ever: one that is written to all the time is left for the next round, and that is no mistake."""
    caches, cache = Caches(), Moving(dict.fromkeys(range(10), 0))
    caches.register("moving", cache)
    cache.moves = moves
    with capture_logs() as lines:
        assert caches.cleanup(0.3) == went
    assert lines == []


def test_an_entry_that_somebody_else_took_meanwhile_does_not_count() -> None:
    """Its owner may drop it between the look and the taking."""

    class Racing(UserDict[int, int]):
        def __getitem__(self, key: int) -> int:
            if key == 1:
                self.data.pop(key, None)
                raise KeyError(key)
            return super().__getitem__(key)

        def __delitem__(self, key: int) -> None:
            del self.data[key]
            if key == 2:
                raise KeyError(key)

    caches, cache = Caches(), Racing(dict.fromkeys(range(10), 0))
    caches.register("racing", cache)
    assert caches.cleanup(0.5) == 3
    assert list(cache.data) == [5, 6, 7, 8, 9]


def test_caches_are_cleaned_while_another_thread_writes() -> None:
    """No error on either side, and the cache stays small."""
    caches, cache, started, stop = Caches(), Prices(), threading.Event(), threading.Event()
    caches.register("busy", cache)
    written, errors = [0], []

    def write() -> None:
        try:
            while not stop.is_set():
                cache[written[0]] = None
                cache.pop(written[0] - 50, None)
                written[0] += 1
                if written[0] == 1000:
                    started.set()
        except Exception as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    assert started.wait(10)
    with capture_logs() as lines:
        for _ in range(300):
            caches.cleanup(0.3)
            caches.trim(10)
            caches.sizes()
            caches.register("other", Prices())
    stop.set()
    writer.join()
    assert (errors, lines) == ([], [])
    caches.trim(10)
    assert len(cache) <= 10


def test_a_process_has_one_register() -> None:
    """What users register is what the guard trims."""
    cache = numbers(10)
    try:
        register_cache("prices", cache)
        assert CACHES.sizes()["prices"] == 10
    finally:
        unregister_cache("prices")
    assert "prices" not in CACHES.sizes()
