"""When a lane may visit again: the waits of one worker's lanes, on a clock that stands still."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pagemill.config.platform import Platform
from pagemill.pacing.turns import Turns


class StillClock:
    """Monotonic seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def __call__(self) -> float:
        return self.time_s


class Draws:
    """Takes the numbers that are due, and keeps what was asked for."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.asked: list[tuple[int, int]] = []

    def __call__(self, low: int, high: int) -> int:
        self.asked.append((low, high))
        return self.numbers.pop(0) if self.numbers else low


class Fleet:
    """A fleet limit that says how far away the next place is; `None` for one that cannot say."""

    def __init__(self, away_s: float | None = 0.0) -> None:
        self.away_s = away_s
        self.asked: list[str] = []
        self.abandoned = 0

    async def reserve(self, platform: Platform) -> float:
        self.asked.append(platform.platform)
        try:
            while self.away_s is None:
                await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.abandoned += 1
            raise
        return self.away_s


def shop(name: str = "shop", **rate_limit: Any) -> Platform:
    """A platform with that pace."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"rate_limit": {"wait_time_ms": "3000-4000", **rate_limit}},
            "extract": {"fields": {"name": "h1"}},
        }
    )


async def comes_at_once(turns: Turns, platform: Platform, lane: int = 0) -> bool:
    """Whether that lane's turn comes without any time passing."""
    waiting = asyncio.create_task(turns.wait(platform, lane, asyncio.Event()))
    for _ in range(10):
        await asyncio.sleep(0)
    came = waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return came


async def test_the_first_visit_of_a_lane_need_not_wait() -> None:
    """There is nothing to keep a distance from."""
    turns = Turns(Fleet(), now_s=StillClock(), draw=Draws())
    assert await comes_at_once(turns, shop())


async def test_the_next_visit_waits_for_what_was_drawn() -> None:
    """The wait is drawn from the platform's span when a visit ends, and counted from there."""
    clock, draws = StillClock(), Draws(3500)
    turns = Turns(Fleet(), now_s=clock, draw=draws)
    turns.visited(shop(), 0)
    assert draws.asked == [(3000, 4000)]
    clock.time_s += 3.499
    assert not await comes_at_once(turns, shop())
    clock.time_s += 0.002
    assert await comes_at_once(turns, shop())


async def test_every_visit_draws_anew() -> None:
    """Visits in step would be told from those of people."""
    clock, draws = StillClock(), Draws(3000, 4000)
    turns = Turns(Fleet(), now_s=clock, draw=draws)
    for wait_s in (3, 4):
        turns.visited(shop(), 0)
        clock.time_s += wait_s - 0.001
        assert not await comes_at_once(turns, shop())
        clock.time_s += 0.002
        assert await comes_at_once(turns, shop())
    assert len(draws.asked) == 2


async def test_lanes_and_platforms_wait_each_for_themselves() -> None:
    """One lane's visit delays neither its neighbour nor another shop."""
    turns = Turns(Fleet(), now_s=StillClock(), draw=Draws())
    turns.visited(shop(), 0)
    assert not await comes_at_once(turns, shop(), lane=0)
    assert await comes_at_once(turns, shop(), lane=1)
    assert await comes_at_once(turns, shop("other"), lane=0)


async def test_a_wait_outlives_its_batch() -> None:
    """It is kept by lane number: the next batch's first visit keeps the distance to the last one's last."""
    clock = StillClock()
    turns = Turns(Fleet(), now_s=clock, draw=Draws())
    turns.visited(shop(), 2)
    another_batchs_stop = asyncio.Event()
    waiting = asyncio.create_task(turns.wait(shop(), 2, another_batchs_stop))
    await asyncio.sleep(0)
    assert not waiting.done()
    another_batchs_stop.set()
    assert await waiting is False
    clock.time_s += 4
    assert await turns.wait(shop(), 2, asyncio.Event()) is True


async def test_a_real_wait_ends_by_itself() -> None:
    """On the real clock, with a wait of a few milliseconds."""
    turns = Turns(Fleet())
    quick = shop(wait_time_ms="20-30")
    turns.visited(quick, 0)
    begun_s = asyncio.get_running_loop().time()
    assert await turns.wait(quick, 0, asyncio.Event()) is True
    assert 0.015 < asyncio.get_running_loop().time() - begun_s < 1


async def test_a_platform_without_a_limit_does_not_wait() -> None:
    """`enabled: false`: nothing is drawn and the fleet is not asked, whatever else is written."""
    draws, fleet = Draws(), Fleet()
    turns = Turns(fleet, now_s=StillClock(), draw=draws)
    free = shop(enabled=False, max_per_minute=1)
    for _ in range(3):
        assert await comes_at_once(turns, free)
        turns.visited(free, 0)
    assert draws.asked == []
    assert fleet.asked == []


@pytest.mark.parametrize("pace", [{}, {"enabled": False}, {"max_per_minute": 60}])
async def test_after_a_stop_no_turn_comes(pace: dict[str, Any]) -> None:
    """Not even one that is due, and no place of the fleet's is used up for it."""
    fleet, stop = Fleet(), asyncio.Event()
    stop.set()
    assert await Turns(fleet).wait(shop(**pace), 0, stop) is False
    assert fleet.asked == []


async def test_a_stop_ends_a_wait_at_once() -> None:
    """A worker that is told to drain does not sit the wait out."""
    turns, stop = Turns(Fleet()), asyncio.Event()
    turns.visited(shop(), 0)
    waiting = asyncio.create_task(turns.wait(shop(), 0, stop))
    await asyncio.sleep(0)
    stop.set()
    assert await asyncio.wait_for(waiting, 1) is False


async def test_the_fleet_is_asked_where_it_has_a_limit() -> None:
    """Only there, once for each turn, and after the lane's own wait."""
    clock, fleet = StillClock(), Fleet()
    turns = Turns(fleet, now_s=clock, draw=Draws())
    limited = shop(max_per_minute=60)
    assert await comes_at_once(turns, shop())
    assert fleet.asked == []
    assert await comes_at_once(turns, limited)
    turns.visited(limited, 0)
    assert not await comes_at_once(turns, limited)
    assert fleet.asked == ["shop"]
    clock.time_s += 5
    assert await comes_at_once(turns, limited)
    assert fleet.asked == ["shop", "shop"]


async def test_a_fleets_place_that_is_away_is_waited_for() -> None:
    """The lane comes when its place does, and a stop ends that wait too."""
    turns = Turns(Fleet(away_s=0.02))
    begun_s = asyncio.get_running_loop().time()
    assert await turns.wait(shop(max_per_minute=60), 0, asyncio.Event()) is True
    assert 0.015 < asyncio.get_running_loop().time() - begun_s < 1

    stop = asyncio.Event()
    waiting = asyncio.create_task(Turns(Fleet(away_s=3600)).wait(shop(max_per_minute=60), 0, stop))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    stop.set()
    assert await asyncio.wait_for(waiting, 1) is False


async def test_a_stop_does_not_wait_for_a_fleet_limit_that_cannot_be_asked() -> None:
    """While Redis is away a lane would wait for ever; a drain must end it, and the asking with it."""
    fleet, stop = Fleet(away_s=None), asyncio.Event()
    waiting = asyncio.create_task(Turns(fleet).wait(shop(max_per_minute=60), 0, stop))
    for _ in range(10):
        await asyncio.sleep(0)
    assert fleet.asked == ["shop"]
    stop.set()
    assert await asyncio.wait_for(waiting, 1) is False
    await asyncio.sleep(0)
    assert fleet.abandoned == 1


async def test_a_cancelled_lane_abandons_its_reservation() -> None:
    """Cancellation passes through and leaves no task behind."""
    fleet = Fleet(away_s=None)
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(Turns(fleet).wait(shop(max_per_minute=60), 0, asyncio.Event()))
    for _ in range(10):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert fleet.abandoned == 1
    assert asyncio.all_tasks() == before


async def test_a_limit_that_fails_is_not_hidden() -> None:
    """An error of the fleet limit reaches the lane."""

    class Broken:
        async def reserve(self, platform: Platform) -> float:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await Turns(Broken()).wait(shop(max_per_minute=60), 0, asyncio.Event())
