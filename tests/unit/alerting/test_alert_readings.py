"""What alert rules are told of a fleet's picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from redis import Redis

from pagemill.alerting.readings import PictureReadings
from pagemill.fleet.history import Point
from pagemill.fleet.queues import QueueState
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.stranded_runs import Cause, Stranded
from pagemill.fleet.tally import PlatformTally
from pagemill.fleet.view import FleetPicture, FleetView
from pagemill.pacing.pace_state import PaceState

WORKER = WorkerSnapshot("w1", 1, "machine", ("musinsa",), 1, 4, 100.0, 120.0, 7, cpu_percent=33.0)


class Fleet(FleetView):
    """A view whose picture and measurements are put there, and a clock."""

    def __init__(self) -> None:
        super().__init__(Redis(), ())
        self.now_s = 1000.0
        self.shown = FleetPicture(datetime.now(UTC), (WORKER,))
        self.points: list[Point] = []
        self.looks = 0
        self.readings = PictureReadings(self, lambda: self.now_s)

    def picture(self) -> FleetPicture:
        return self.shown

    def history(self, span_s: float, worker: str = "") -> list[Point]:
        self.looks += 1
        return self.points

    def done(self, *, after_s: float = 5.0, **verdicts: int) -> None:
        """So much later the worker has given those verdicts, all in all."""
        self.now_s += after_s
        self.shown = replace(self.shown, workers=(replace(WORKER, tally={"musinsa": PlatformTally(verdicts)}),))

    def waiting(self, batches: int, paused_s: float = 0.0) -> None:
        pace = PaceState("musinsa", paused_s, "", 0.0, False, 1.0)
        self.shown = replace(self.shown, queues=(QueueState("musinsa", batches, 0, 0),), paces=(pace,))

    def told(self) -> dict[str, float]:
        """Every metric's value; there is one worker and one platform."""
        return {reading.metric: reading.value for reading in self.readings.readings()}


def test_shares_are_those_of_the_last_five_minutes() -> None:
    """Not of all that the worker has done, nor of a handful."""
    fleet = Fleet()
    fleet.done(ok=1000)
    assert "error_rate" not in fleet.told()
    fleet.done(ok=1004, failed=5)
    assert "error_rate" not in fleet.told()  # nine products say nothing
    fleet.done(ok=1010, changed=5, sold_out=5, off_sale=5, gone=5, failed=6, blocked=4)
    told = fleet.told()
    assert (told["error_rate"], told["block_rate"]) == (6 / 40, 4 / 40)
    fleet.done(after_s=400, ok=1060, failed=6, blocked=4)
    fleet.told()
    fleet.done(ok=1080, failed=6, blocked=4)
    assert fleet.told()["error_rate"] == 0


def test_a_worker_that_went_away_keeps_what_it_has_done() -> None:
    """Its products do not count backwards."""
    fleet = Fleet()
    fleet.done(ok=0)
    fleet.told()
    fleet.done(ok=20, failed=20)
    fleet.told()
    fleet.now_s += 5
    fleet.shown = replace(fleet.shown, workers=())
    assert fleet.told()["error_rate"] == 0.5


def test_a_queue_is_stuck_from_when_nothing_moves_any_more() -> None:
    """Not while something is finished, nor while its platform is paused."""
    fleet = Fleet()
    fleet.waiting(3)
    assert fleet.told()["queue_stuck_s"] == 0
    fleet.now_s += 400
    assert fleet.told()["queue_stuck_s"] == 400
    fleet.waiting(3, paused_s=60)
    assert fleet.told()["queue_stuck_s"] == 0
    fleet.waiting(3)
    assert fleet.told()["queue_stuck_s"] == 0
    fleet.done(ok=0)
    fleet.told()
    fleet.done(ok=1)
    assert fleet.told()["queue_stuck_s"] == 0


def test_stranded_batches_are_told_by_platform() -> None:
    """Of each that is configured, so that the alert can end, and of one that is not any more; unless nobody can say."""
    fleet = Fleet()
    fleet.waiting(3)
    assert "stranded_batches" not in fleet.told()
    fleet.shown = replace(fleet.shown, stranded=())
    assert fleet.told()["stranded_batches"] == 0
    gone = [Stranded("run-1", "gone", 2, Cause.FORGOTTEN), Stranded("run-2", "gone", 3, Cause.FORGOTTEN)]
    fleet.shown = replace(fleet.shown, stranded=(*gone, Stranded("run-3", "musinsa", 1, Cause.LOST)))
    found = [each for each in fleet.readings.readings() if each.metric == "stranded_batches"]
    assert {each.scope: each.value for each in found} == {"musinsa": 1, "gone": 5}


def test_runs_whose_enqueueing_broke_off_are_told_by_platform() -> None:
    """They are no stranded batches; the alert can end."""
    fleet = Fleet()
    fleet.waiting(3)
    assert "broken_off_runs" not in fleet.told()
    broken = [Stranded(f"run-{number}", "gone", 0, Cause.BROKEN_OFF, 7) for number in (1, 2)]
    fleet.shown = replace(fleet.shown, stranded=(*broken, Stranded("run-3", "musinsa", 4, Cause.LOST)))
    found = [(each.metric, each.scope, each.value) for each in fleet.readings.readings()]
    told = [each for each in found if each[0] in ("stranded_batches", "broken_off_runs")]
    assert sorted(told) == [
        ("broken_off_runs", "gone", 2),
        ("broken_off_runs", "musinsa", 0),
        ("stranded_batches", "musinsa", 4),
    ]


def test_an_hours_measurements_are_read_now_and_then_only() -> None:
    """They are many; kills and growth are those of ten minutes."""
    fleet = Fleet()
    fleet.points = [Point("w1", blocks=1000.0 * n, oom_kills=n // 100, at_s=10.0 * n) for n in range(121)]
    told = fleet.told()
    assert told["python_objects_growth"] == pytest.approx(60_000)
    assert told["oom_kills"] == 1
    assert told["cpu_percent"] == 33.0
    fleet.now_s += 5
    fleet.told()
    assert fleet.looks == 1
    fleet.now_s += 30
    fleet.told()
    assert fleet.looks == 2
