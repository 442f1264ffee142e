"""What is kept for many who ask: made once, young enough, bounded, and gone when something has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pagemill.errors import RedisUnavailable
from pagemill.fleet.shared_cache import Lookups, SharedCache


class Clock:
    """Monotonic seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


class Maker:
    """Makes 1, 2, 3 and so on, each of which takes so many seconds."""

    def __init__(self, clock: Clock, took_s: float = 0.0) -> None:
        self._clock = clock
        self._took_s = took_s
        self.made = 0

    def __call__(self) -> int:
        self._clock.s += self._took_s
        self.made += 1
        return self.made


@pytest.fixture
def clock() -> Clock:
    return Clock()


def kept(clock: Clock, size: int = 10, most_s: float = 60.0) -> SharedCache[str, int]:
    return SharedCache(size, least_s=1.0, most_s=most_s, now_s=clock)


def no_renewals() -> bool:
    """Whether nothing is being made behind anybody."""
    return not any(thread.name == "kept" for thread in threading.enumerate())


def settled() -> None:
    """Waits until what is being made is there."""
    for thread in threading.enumerate():
        if thread.name == "kept":
            thread.join(10)
    assert no_renewals()


def test_a_value_is_made_once_while_it_is_young(clock: Clock) -> None:
    """And counted as there when somebody asks."""
    values, make = kept(clock), Maker(clock)
    assert [values.get("a", make) for _ in range(5)] == [1] * 5
    assert values.get("b", make) == 2
    assert values.lookups == Lookups(hits=4, misses=2)


def test_a_value_that_is_too_old_is_made_anew_while_one_waits(clock: Clock) -> None:
    """Nobody is shown anything older than it may be."""
    values, make = kept(clock), Maker(clock)
    values.get("a", make)
    clock.s += 1.0
    assert values.get("a", make) == 2
    assert values.lookups == Lookups(hits=0, misses=2)


def test_a_value_of_middle_age_is_renewed_behind_who_asks(clock: Clock) -> None:
    """Once; the next one has the new one."""
    values, make = kept(clock), Maker(clock)
    values.get("a", make)
    clock.s += 0.6
    assert values.get("a", make) == 1
    settled()
    assert values.get("a", make) == 2
    assert make.made == 2
    assert values.lookups == Lookups(hits=2, misses=1)


@pytest.mark.parametrize(("took_s", "kept_s"), [(0.0, 1.0), (0.5, 10.0), (10.0, 60.0)])
def test_what_takes_longer_is_kept_longer(clock: Clock, took_s: float, kept_s: float) -> None:
    """Within bounds."""
    values, make = kept(clock), Maker(clock, took_s)
    values.get("a", make)
    clock.s += kept_s / 2 - 0.01
    assert values.get("a", make) == 1
    assert no_renewals()
    clock.s += kept_s / 2 + 0.01
    assert values.get("a", make) == 2


def test_who_asks_may_say_for_how_long(clock: Clock) -> None:
    """Whatever making takes."""
    values, make = kept(clock), Maker(clock, 3.0)
    values.get("a", make, 2.0)
    clock.s += 2.0
    assert values.get("a", make, 2.0) == 2


def test_all_who_ask_at_once_wait_for_one() -> None:
    """However many they are, and for each key apart."""
    begun, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def make(key: str) -> Callable[[], str]:
        def slowly() -> str:
            made.append(key)
            begun.set()
            assert go_on.wait(10)
            return key

        return slowly

    values: SharedCache[str, str] = SharedCache(10)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(values.get, "a", make("a")) for _ in range(8)]
        assert begun.wait(10)
        go_on.set()
        assert [each.result(10) for each in asked] == ["a"] * 8
    assert made == ["a"]
    assert values.lookups == Lookups(hits=7, misses=1)


def test_what_fails_is_told_and_tried_again(clock: Clock) -> None:
    """A failure is not kept, and one behind somebody's back harms nobody."""
    values, make = kept(clock), Maker(clock)

    def fail() -> int:
        raise RedisUnavailable("gone")

    with pytest.raises(RedisUnavailable):
        values.get("a", fail)
    assert values.get("a", make) == 1
    clock.s += 0.6
    assert values.get("a", fail) == 1
    settled()
    clock.s += 0.5
    with pytest.raises(RedisUnavailable):
        values.get("a", fail)


def test_what_has_changed_is_forgotten_also_in_the_making(clock: Clock) -> None:
    """A value from before the change is not kept after it."""
    values, make = kept(clock), Maker(clock)
    values.get("a", make)
    values.forget()
    assert values.get("a", make) == 2

    def changed_meanwhile() -> int:
        values.forget()
        return make()

    assert values.get("b", changed_meanwhile) == 3
    assert values.get("b", make) == 4


def test_what_is_kept_is_bounded(clock: Clock) -> None:
    """What was made first goes first, and what is too old goes with anything new."""
    values, make = kept(clock, size=2), Maker(clock)
    for key in "abc":
        values.get(key, make)
    assert values.get("c", make) == 3
    assert values.get("b", make) == 2
    assert values.get("a", make) == 4
    clock.s += 1.0
    values.get("d", make)
    assert list(values._entries) == ["d"]
