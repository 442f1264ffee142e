"""How often the guard collects Python's garbage: real collections, counted by the collector itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pagemill.fleet.actions import WorkerActions
from pagemill.guard.pressure import PressureLevel
from tests.unit.guard.engine_stand_in import sample
from tests.unit.guard.test_guard import Bench

WARNING, CRITICAL, EMERGENCY = (sample(total=total) for total in (720, 860, 960))


@pytest.fixture(autouse=True)
def no_others() -> Iterator[None]:
    """Only those that the guard asks for."""
    gc.disable()
    yield
    gc.enable()


class Counted(Bench):
    """A bench that knows at which of its times everything was collected."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.start_s = self.time_s
        self._seen = self._collections()

    @staticmethod
    def _collections() -> int:
        return int(gc.get_stats()[2]["collections"])

    def collected(self) -> int:
        """How often since the last time."""
        before, self._seen = self._seen, self._collections()
        return self._seen - before

    def collected_at(self, now: object, seconds: int) -> list[float]:
        """Measures every 5 s for so long; the seconds since the beginning at which there was a collection."""
        times: list[float] = []
        for _ in range(seconds // 5):
            self.round(now)  # type: ignore[arg-type]
            times += [self.time_s - self.start_s] * self.collected()
        return times


@pytest.mark.parametrize("pressed", [WARNING, CRITICAL], ids=["warning", "critical"])
def test_pressure_that_lasts_collects_at_the_least_interval(pressed: object) -> None:
    """The steps come every minute, or every ten seconds; each collection makes the whole process stand still."""
    times = Counted(gc_interval_s=300).collected_at(pressed, 1000)
    assert times == [5, 305, 605, 905]


def test_an_emergency_does_not_wait() -> None:
    """And the interval begins anew with what it did."""
    bench = Counted(gc_interval_s=300)
    assert bench.collected_at(WARNING, 60) == [5]
    assert bench.collected_at(EMERGENCY, 30) == [65, 75, 85]
    assert bench.collected_at(WARNING, 600)[:2] == [385, 685]
    assert PressureLevel.NORMAL < bench.guard.judgement.level < PressureLevel.EMERGENCY


def test_a_cleaning_that_comes_a_moment_too_early_is_made_up_for() -> None:
    """The regular one comes at the same interval, and may come some milliseconds before its time."""
    bench = Counted(gc_interval_s=300)
    bench.guard.clean()
    bench.time_s += 299.99
    bench.guard.clean()
    assert bench.collected() == 1
    assert bench.collected_at(sample(), 600) == [304.99]


def test_the_interval_is_changed_while_it_works() -> None:
    """A shorter one holds from the next round on."""
    bench = Counted(gc_interval_s=3000)
    assert bench.collected_at(WARNING, 300) == [5]
    bench.guard.configure(bench.guard.settings.model_copy(update={"gc_interval_s": 60}))
    assert bench.collected_at(WARNING, 60) == [305]


def test_where_garbage_is_pythons_own_business_nothing_is_collected() -> None:
    """Neither at once nor later, and not in an emergency."""
    bench = Counted(gc_interval_s=300, enable_auto_gc=False)
    assert bench.collected_at(WARNING, 400) == []
    assert bench.collected_at(EMERGENCY, 60) == []


def test_somebody_who_asks_does_not_wait() -> None:
    """An order of the control API is carried out; the interval begins anew with it."""
    bench = Counted(gc_interval_s=300)
    actions = WorkerActions(bench.guard, bench.engine_port, lambda: 0, lambda reason: None)
    assert bench.collected_at(WARNING, 60) == [5]
    actions.cleanup()
    actions.collect()
    assert bench.collected() == 2
    assert bench.collected_at(WARNING, 600) == [360, 660]
