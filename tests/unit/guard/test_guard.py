"""The guard's round: what it logs, which levers it pulls, and whom it tells."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.config.settings import GuardSettings
from pagemill.guard.caches import Caches
from pagemill.guard.guard import Guard
from pagemill.guard.ladder import ABANDON_S, LEAVE_S
from pagemill.guard.pressure import PressureLevel, PressureLimits, PressureReason
from pagemill.guard.probe import Sample
from pagemill.telemetry import events
from tests.unit.guard.engine_stand_in import LIMIT_MB, NotedEnginePort, sample

LIMITS = PressureLimits(memory_mb=LIMIT_MB, js_heap_mb=512, driver_mb=500, python_mb=300, lag_s=10)


class Bench:
    """A guard on stand-ins; time moves by five seconds a round."""

    def __init__(self, **settings: Any) -> None:
        self.engine_port = NotedEnginePort()
        self.alerts: list[tuple[str, str, dict[str, object]]] = []
        self.time_s = 1000.0
        self.measured = 0
        self.next = sample()
        self.guard = Guard(
            GuardSettings.model_validate(settings),
            LIMITS,
            4,
            self.engine_port,
            self.probe,
            Caches(),
            self.alert,
            now_s=lambda: self.time_s,
        )

    def probe(self) -> Sample:
        self.measured += 1
        return self.next

    def alert(self, name: str, level: str, message: str, **facts: object) -> None:
        self.alerts.append((name, level, facts))

    def round(self, now: Sample | None = None) -> list[dict[str, Any]]:
        """One round with that sample; its log lines."""
        self.next = now or self.next
        self.time_s += 5
        with capture_logs() as lines:
            self.guard.measure()
        return [dict(line) for line in lines]


def test_a_round_without_pressure_logs_memory_and_does_nothing_else() -> None:
    """The line has every figure that people watch; the pages are asked for their heaps meanwhile."""
    bench = Bench()
    (line,) = bench.round(sample(js_heap_mb=12.5, loop_lag_s=0.02))
    assert line["event"] == events.MEMORY
    assert (line["total_pss_mb"], line["js_heap_mb"], line["lag_ms"], line["lanes"]) == (200, 12.5, 20, 4)
    assert bench.engine_port.asked == ["measure_pages"]
    assert bench.guard.judgement.level is PressureLevel.NORMAL


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (sample(total=820), "memory"),
        (sample(cgroup_percent=82.0), "memory"),
        (sample(machine_percent=82.0), "memory"),
        (sample(shm_percent=82.0), "shm"),
        (sample(js_heap_mb=0.82 * 4 * 512), "js_heap"),
        (sample(pss_mb={"driver": 410.0}), "driver"),
        (sample(pss_mb={"python": 250.0}), "python"),
        (sample(standstill_s=8.3), "lag"),
    ],
)
def test_whatever_is_short_is_named(now: Sample, reason: str) -> None:
    """Each of the reasons reaches the cleanup rung by itself."""
    bench = Bench()
    lines = bench.round(now)
    pressure = next(line for line in lines if line["event"] == events.PRESSURE)
    assert (pressure["pressure"], pressure["before"], pressure["reason"]) == ("cleanup", "normal", reason)
    assert bench.engine_port.taken() == ["limit_places 3", "save_memory True", "rotate_idle"]


def test_under_pressure_it_measures_more_often_and_not_twice_at_once() -> None:
    """Two chores of the sidecar may come due together."""
    bench = Bench()
    bench.round(sample(total=720))
    measured = bench.measured
    bench.guard.measure_if_pressed()
    assert bench.measured == measured
    bench.time_s += 1
    bench.guard.measure_if_pressed()
    assert bench.measured == measured + 1
    bench.round(sample(total=300))
    bench.time_s += 1
    bench.guard.measure_if_pressed()
    assert bench.measured == measured + 2


def test_every_step_is_told_with_what_it_freed() -> None:
    """What takes time to show is told with the next sample."""
    bench = Bench()
    first = bench.round(sample(total=860))
    assert [line["step"] for line in first if line["event"] == events.PRESSURE_STEP] == ["clean"]
    second = bench.round(sample(total=700))
    steps = [
        (line["step"], line["pressure"], line["freed_mb"]) for line in second if line["event"] == events.PRESSURE_STEP
    ]
    assert steps == [("rotate_idle", "critical", 160), ("rotate_contexts", "critical", 160), ("alert", "critical", 160)]


def test_an_emergency_pauses_retires_tells_and_in_the_end_leaves() -> None:
    """And when it is over before that, the lanes are admitted again."""
    bench = Bench()
    bench.round(sample(total=960))
    assert bench.engine_port.taken() == [
        "limit_places 0",
        "save_memory True",
        "rotate_idle",
        "rotate_contexts",
        "retire_browser",
    ]
    assert bench.alerts == [("pressure", "emergency", {"reason": "memory"})]
    bench.round(sample(total=820))
    assert bench.engine_port.taken() == ["limit_places 2"]
    bench.round(sample(total=970))
    bench.engine_port.taken()
    for _ in range(int(LEAVE_S // 5)):
        bench.round()
    leaving = [each for each in bench.engine_port.taken() if each.startswith("leave")]
    assert leaving == ["leave: memory stayed at 97 % of its limit"]


SHORTAGES = {
    "memory": sample(total=970),
    "shm": sample(shm_percent=97.0),
    "js_heap": sample(js_heap_mb=0.97 * 4 * 512),
    "driver": sample(pss_mb={"driver": 485.0}),
    "python": sample(pss_mb={"python": 291.0}),
    "lag": sample(loop_lag_s=9.7, standstill_s=9.7),
    "descriptors": sample(descriptors=970, descriptor_limit=1000),
    "temporary": sample(temporary_mb=2000.0, temporary_percent=97.0),
}


@pytest.mark.parametrize("reason", PressureReason)
def test_an_emergency_of_each_kind_ends_the_process(reason: PressureReason) -> None:
    """Whatever is short by this worker's making, a fresh process has again, half a minute later."""
    bench = Bench()
    bench.round(sample())
    began_s = bench.time_s + 5
    while not (leaving := [each for each in bench.engine_port.taken() if each.startswith("leave")]):
        bench.round(SHORTAGES[reason.value])
        assert bench.time_s - began_s <= LEAVE_S
    assert leaving == [f"leave: {reason.value} stayed at 97 % of its limit"]
    for _ in range(int(ABANDON_S // 5)):
        bench.round()
    assert [each for each in bench.engine_port.taken() if each.startswith("abandon")]


@pytest.mark.parametrize(
    ("shortage", "products"),
    [
        (sample(machine_percent=97.0), 1000),
        (sample(cgroup_percent=97.0), 1000),
        (replace(sample(shm_percent=97.0), memory_percent=90.0), 1000),
        *((each, 0) for each in SHORTAGES.values()),
    ],
)
def test_a_shortage_that_leaving_would_not_end_is_sat_out(shortage: Sample, products: int) -> None:
    """Others hold what is short, or a process that has done nothing is short already: one lane works."""
    bench = Bench()
    bench.engine_port.work = replace(bench.engine_port.work, products=products)
    bench.round(replace(sample(), shm_percent=shortage.shm_percent))
    for _ in range(20):
        bench.round(shortage)
    lanes = [each for each in bench.engine_port.taken() if each.startswith(("leave", "limit_places"))]
    assert lanes == ["limit_places 0", "limit_places 1"]


def test_when_the_pressure_has_gone_successors_stand_by_again() -> None:
    """Saving memory costs speed, so it ends with its reason."""
    bench = Bench()
    bench.round(sample(total=720))
    assert bench.engine_port.taken() == ["save_memory True"]
    bench.round(sample(total=500))
    assert bench.engine_port.taken() == ["save_memory False"]


def test_what_was_allocated_only_rises() -> None:
    """Every rise of memory between two samples counts, no fall does: the part of all allocations that samples see."""
    bench = Bench()
    told = []
    for total in (200, 300, 150, 250, 250):
        bench.round(sample(total=total))
        told.append(bench.guard.allocated_mb)
    assert told == [200, 300, 300, 400, 400]
    assert bench.guard.peak_pss_mb == 300


def test_a_cleaning_trims_caches_to_their_size() -> None:
    """Under pressure a share of every cache goes on top."""
    bench = Bench(max_cache_size=100, cache_cleanup_ratio=0.5)
    cache = {number: number for number in range(1000)}
    bench.guard._caches.register("products", cache)
    bench.guard.clean()
    assert len(cache) == 100
    bench.round(sample(total=720))
    assert len(cache) == 50


def test_a_planted_leak_is_told_once_with_the_time_left() -> None:
    """Renderers that rise by 10 MB in 100 visits."""
    bench = Bench()
    lines: list[dict[str, Any]] = []
    for step in range(40):
        bench.engine_port.work = replace(bench.engine_port.work, visits=200 + 100 * step)
        lines += bench.round(sample(total=200 + 10 * step))
    found = [line for line in lines if line["event"] == events.LEAK_SUSPECTED]
    assert len(found) == 1
    assert (found[0]["role"], found[0]["platform"]) == ("renderers", "shop")
    assert found[0]["mb_per_100_visits"] == pytest.approx(10, rel=0.1)
    assert ("leak", "warning", {"scope": "renderers:shop"}) in bench.alerts


@pytest.mark.parametrize("visits", [0, 1], ids=["without pages", "with pages"])
def test_a_leak_of_python_is_told_within_500_products(visits: int) -> None:
    """Nothing sets Python back, so it counts by products; the room is that of Python's own limit."""
    bench = Bench()
    lines: list[dict[str, Any]] = []
    for products in range(0, 500, 10):
        bench.engine_port.work = replace(bench.engine_port.work, visits=visits * products, products=products)
        lines += bench.round(sample(pss_mb={"python": 80.0 + 0.1 * products}))
    (found,) = [line for line in lines if line["event"] == events.LEAK_SUSPECTED]
    assert (found["role"], found["mb_per_100_visits"]) == ("python", pytest.approx(10, rel=0.1))
    assert 1700 < found["visits_left"] < 1900


@pytest.mark.parametrize("seed", range(5))
def test_a_python_that_settles_is_no_leak(seed: int) -> None:
    """As measured over 3,000 visits: 5 MB at first, then 1 MB in a thousand, and it sways."""
    bench = Bench()
    sway = random.Random(seed)
    for products in range(0, 20_000, 10):
        bench.engine_port.work = replace(bench.engine_port.work, visits=products, products=products)
        settled = 80.0 - 5.0 * math.exp(-products / 300) + 0.001 * products
        bench.round(sample(pss_mb={"python": settled + sway.gauss(0, 0.3)}))
    assert bench.alerts == []


def test_growth_that_rotation_sets_back_is_no_leak() -> None:
    """A driver that grows for 1,000 visits and starts afresh then."""
    bench = Bench()
    for step in range(200):
        rotations = {**bench.engine_port.work.rotations, "driver": step // 10}
        bench.engine_port.work = replace(bench.engine_port.work, visits=200 + 100 * step, rotations=rotations)
        bench.round(sample(pss_mb={"driver": 80.0 + 8 * (step % 10)}))
    assert bench.alerts == []


def test_an_oom_kill_in_the_container_is_told() -> None:
    """What was killed before the worker started is not its business."""
    bench = Bench()
    bench.round(sample(oom_kills=3))
    assert bench.alerts == []
    bench.round(sample(oom_kills=5))
    assert [(name, level) for name, level, _ in bench.alerts] == [("oom_kill", "critical")]
