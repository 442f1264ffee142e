"""When a lane may visit again: the waits of one worker's lanes, on a clock that stands still."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pagemill.config.platform import Platform
from pagemill.errors import TurnDenied
from pagemill.pacing.fleet_pace import PaceReply
from pagemill.pacing.turns import Turns
from pagemill.pacing.visit_answer import VisitAnswer, Welcome
from tests.unit.engine.skipping_loop import run_skipping
from tests.unit.pacing.stand_in_pace import StandInPace, go


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


async def wait(turns: Turns, platform: Platform, lane: int, stop: asyncio.Event) -> None:
    """Waits for a turn, and makes nothing of it."""
    async with turns.turn(platform, lane, stop):
        pass


async def visit(turns: Turns, platform: Platform, lane: int = 0, answer: VisitAnswer | None = None) -> None:
    """A visit that takes no time."""
    async with turns.turn(platform, lane, asyncio.Event()) as turn:
        await turn.begin()
        turn.answer = answer


async def comes_at_once(turns: Turns, platform: Platform, lane: int = 0) -> bool:
    """Whether that lane's turn comes without any time passing."""
    waiting = asyncio.create_task(wait(turns, platform, lane, asyncio.Event()))
    for _ in range(10):
        await asyncio.sleep(0)
    came = waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return came


async def test_the_first_visit_of_a_lane_need_not_wait() -> None:
    """There is nothing to keep a distance from."""
    turns = Turns(StandInPace(), now_s=StillClock(), draw=Draws())
    assert await comes_at_once(turns, shop())


async def test_the_next_visit_waits_for_what_was_drawn() -> None:
    """The wait is drawn from the platform's span when a visit ends, and counted from there."""
    clock, draws = StillClock(), Draws(3500)
    turns = Turns(StandInPace(), now_s=clock, draw=draws)
    await visit(turns, shop(), 0)
    assert draws.asked == [(3000, 4000)]
    clock.time_s += 3.499
    assert not await comes_at_once(turns, shop())
    clock.time_s += 0.002
    assert await comes_at_once(turns, shop())


@pytest.mark.parametrize("soon_s", [0.1, 0.4])
def test_a_turn_is_announced_before_it_comes(soon_s: float) -> None:
    """As long before as the lane wants, so that a page can be opened meanwhile; a lane that need not wait announces
    nothing."""
    times_s: list[float] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        turns = Turns(StandInPace(), now_s=loop.time, draw=Draws(3500))
        for _ in range(2):
            async with turns.turn(shop(), 0, asyncio.Event(), lambda: times_s.append(loop.time()), soon_s) as turn:
                times_s.append(loop.time())
                await turn.begin()

    run_skipping(scene())
    first_s, announced_s, second_s = times_s
    assert announced_s - first_s == pytest.approx(3.5 - soon_s, abs=0.05)
    assert second_s - announced_s == pytest.approx(soon_s, abs=0.05)


async def test_every_visit_draws_anew() -> None:
    """Visits in step would be told from those of people."""
    clock, draws = StillClock(), Draws(3000, 4000)
    turns = Turns(StandInPace(), now_s=clock, draw=draws)
    for wait_s in (3, 4):
        await visit(turns, shop(), 0)
        clock.time_s += wait_s - 0.001
        assert not await comes_at_once(turns, shop())
        clock.time_s += 0.002
        assert await comes_at_once(turns, shop())
    assert len(draws.asked) == 2


async def test_lanes_and_platforms_wait_each_for_themselves() -> None:
    """One lane's visit delays neither its neighbour's next one nor another shop."""
    clock = StillClock()
    turns = Turns(StandInPace(), now_s=clock, draw=Draws())
    await visit(turns, shop(), 0)
    clock.time_s += 1
    assert not await comes_at_once(turns, shop(), lane=0)
    assert await comes_at_once(turns, shop(), lane=1)
    assert await comes_at_once(turns, shop("other"), lane=0)


def begun(lanes: int, rounds: int, *, pause_s: float = 0, **rate_limit: Any) -> list[float]:
    """When that many lanes begin their visits, all asking at the same moment: so often, and again after a pause."""
    times_s: list[float] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        turns = Turns(StandInPace(), now_s=loop.time, draw=Draws())
        platform = shop(**rate_limit)

        async def work(lane: int) -> None:
            for _ in range(rounds):
                async with turns.turn(platform, lane, asyncio.Event()) as turn:
                    await turn.begin()
                    times_s.append(round(loop.time() - begin_s, 2))

        for number in range(2 if pause_s else 1):
            await asyncio.sleep(number * pause_s)
            await asyncio.gather(*(work(lane) for lane in range(lanes)))

    run_skipping(scene())
    return times_s


def test_lanes_begin_one_after_another() -> None:
    """Spread over their wait, and so they stay: the shop sees no volley, be it the first one or one in each round."""
    assert begun(4, 2) == pytest.approx([0, 0.75, 1.5, 2.25, 3, 3.75, 4.5, 5.25], abs=0.03)


def test_lanes_that_have_rested_begin_one_after_another_again() -> None:
    """Others keep the times that they have."""
    soon, late = (begun(4, 1, pause_s=pause_s)[4:] for pause_s in (1.0, 60.0))
    assert soon == pytest.approx([3.25, 3.75, 4.5, 5.25], abs=0.03)
    assert [at - late[0] for at in late] == pytest.approx([0, 0.75, 1.5, 2.25], abs=0.03)


def test_lanes_that_do_not_wait_begin_together() -> None:
    """There is nothing to spread them over."""
    assert begun(4, 1, wait_time_ms=0) == pytest.approx([0] * 4, abs=0.03)
    assert begun(4, 1, enabled=False) == pytest.approx([0] * 4, abs=0.03)


def test_more_lanes_than_are_configured_wait_no_longer_than_a_wait() -> None:
    """Whatever was begun and given up meanwhile."""
    assert max(begun(9, 1)) == pytest.approx(3, abs=0.03)


async def test_whether_a_lane_may_visit_at_once_is_known_without_asking() -> None:
    """It is if one of them has no wait of its own, and it is not another lane's turn to begin first."""
    clock, platform = StillClock(), shop()
    turns = Turns(StandInPace(), now_s=clock, draw=Draws())
    assert turns.may_come(platform, 2)
    assert not turns.may_come(platform, 0)
    await visit(turns, platform)
    assert not turns.may_come(platform, 2)
    clock.time_s += 2.9
    assert not turns.may_come(platform, 1)
    clock.time_s += 0.1
    assert turns.may_come(platform, 1)


async def test_a_lane_that_made_no_visit_keeps_its_time() -> None:
    """Asking again does not send it to the end of the row."""
    turns = Turns(StandInPace(), now_s=StillClock(), draw=Draws())
    for _ in range(9):
        assert await comes_at_once(turns, shop())


async def test_a_wait_outlives_its_batch() -> None:
    """It is kept by lane number: the next batch's first visit keeps the distance to the last one's last."""
    clock = StillClock()
    turns = Turns(StandInPace(), now_s=clock, draw=Draws())
    await visit(turns, shop(), 2)
    another_batchs_stop = asyncio.Event()
    waiting = asyncio.create_task(wait(turns, shop(), 2, another_batchs_stop))
    await asyncio.sleep(0)
    assert not waiting.done()
    another_batchs_stop.set()
    with pytest.raises(TurnDenied):
        await waiting
    clock.time_s += 4
    assert await comes_at_once(turns, shop(), lane=2)


async def test_a_real_wait_ends_by_itself() -> None:
    """On the real clock, with a wait of a few milliseconds."""
    turns = Turns(StandInPace())
    quick = shop(wait_time_ms="20-30")
    await visit(turns, quick, 0)
    begun_s = asyncio.get_running_loop().time()
    await wait(turns, quick, 0, asyncio.Event())
    assert 0.015 < asyncio.get_running_loop().time() - begun_s < 1


async def test_a_platform_without_a_limit_does_not_wait() -> None:
    """`enabled: false`: nothing is drawn; the fleet is asked all the same: the shop may have asked for quiet."""
    draws, pace = Draws(), StandInPace()
    turns = Turns(pace, now_s=StillClock(), draw=draws)
    free = shop(enabled=False, max_per_minute=1)
    for _ in range(3):
        await asyncio.wait_for(visit(turns, free), 1)
    assert draws.asked == []
    assert len(pace.asked) == 3


@pytest.mark.parametrize("pace", [{}, {"enabled": False}, {"max_per_minute": 60}])
async def test_after_a_stop_no_turn_comes(pace: dict[str, Any]) -> None:
    """Not even one that is due."""
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(TurnDenied):
        await wait(Turns(StandInPace()), shop(**pace), 0, stop)


async def test_a_stop_ends_a_wait_at_once() -> None:
    """A worker that is told to drain does not sit the wait out."""
    turns, stop = Turns(StandInPace()), asyncio.Event()
    await visit(turns, shop(), 0)
    waiting = asyncio.create_task(wait(turns, shop(), 0, stop))
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(TurnDenied):
        await asyncio.wait_for(waiting, 1)


async def test_the_fleet_is_asked_after_the_lanes_own_wait() -> None:
    """Once for each turn: a place that is taken long before it is used would be lost to others."""
    clock, pace = StillClock(), StandInPace()
    turns = Turns(pace, now_s=clock, draw=Draws())
    await visit(turns, shop())
    assert not await comes_at_once(turns, shop())
    assert pace.asked == [("shop", True, False)]
    clock.time_s += 5
    assert await comes_at_once(turns, shop())
    assert len(pace.asked) == 2


async def test_a_place_that_is_away_is_waited_for_and_looked_at_again() -> None:
    """A pause may have come in between; the place itself is not taken twice."""
    pace = StandInPace(go(0.02), go())
    begun_s = asyncio.get_running_loop().time()
    await wait(Turns(pace), shop(), 0, asyncio.Event())
    assert 0.015 < asyncio.get_running_loop().time() - begun_s < 1
    assert pace.asked == [("shop", True, False), ("shop", False, False)]


async def test_a_place_is_lost_to_a_pause_that_came_in_between() -> None:
    """After the pause another one is taken."""
    pace = StandInPace(go(0.01), PaceReply("paused", 0.02, 1.0, clean=True), go())
    await wait(Turns(pace), shop(), 0, asyncio.Event())
    assert [place for _name, place, _probing in pace.asked] == [True, False, True]


async def test_a_place_is_lost_while_the_fleet_cannot_be_asked() -> None:
    """Redis was away after the place had been given: visits that were held up would come all at once."""
    clock = StillClock()

    class Slow(StandInPace):
        async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
            if len(self.asked) == 1:
                clock.time_s += 20
            return await super().ask(platform, place=place, probing=probing)

    pace = Slow(go(0.01), go(), go())
    await wait(Turns(pace, now_s=clock), shop(max_per_minute=60), 0, asyncio.Event())
    assert [place for _name, place, _probing in pace.asked] == [True, False, True]


async def test_a_platform_that_is_left_alone_for_long_denies_its_turns() -> None:
    """Its batch is better off on the queue."""
    for word in ("paused", "open"):
        with pytest.raises(TurnDenied, match="left alone for 120 s"):
            await wait(Turns(StandInPace(PaceReply(word, 120.0, 1.0, clean=False))), shop(), 0, asyncio.Event())


async def test_waits_are_stretched_while_the_shop_is_in_trouble() -> None:
    """By what the fleet said last."""
    clock = StillClock()
    turns = Turns(StandInPace(go(slow=2.0)), now_s=clock, draw=Draws(3000))
    assert await comes_at_once(turns, shop())
    await visit(turns, shop(), 0)
    clock.time_s += 5.9
    assert not await comes_at_once(turns, shop())
    clock.time_s += 0.2
    assert await comes_at_once(turns, shop())


GOOD, BLOCKED = VisitAnswer(Welcome.GOOD, 200), VisitAnswer(Welcome.BLOCKED, 429)


@pytest.mark.parametrize(
    ("reply", "answer", "reports"),
    [
        (go(), GOOD, []),
        (go(), BLOCKED, [(BLOCKED, False)]),
        (go(clean=False), GOOD, [(GOOD, False)]),
        (PaceReply("probe", 0.0, 1.0, clean=False), GOOD, [(GOOD, True)]),
    ],
)
async def test_what_the_fleet_must_know_is_reported(
    reply: PaceReply, answer: VisitAnswer, reports: list[tuple[VisitAnswer, bool]]
) -> None:
    """A good answer is news only while something is amiss."""
    pace = StandInPace(reply)
    await visit(Turns(pace), shop(), answer=answer)
    assert pace.reports == reports


async def test_a_probe_stays_the_probe_until_it_is_answered() -> None:
    """It may take several attempts; nobody else may visit meanwhile."""
    pace = StandInPace(PaceReply("probe", 0.0, 1.0, clean=False), go(clean=False))
    turns = Turns(pace)
    free = shop(enabled=False)
    await visit(turns, free)
    await visit(turns, free, answer=GOOD)
    await visit(turns, free)
    assert [probing for _name, _place, probing in pace.asked] == [False, True, False]
    assert pace.reports == [(GOOD, True)]


@pytest.mark.parametrize(("late_s", "asked"), [(0.9, 1), (1.1, 2)])
async def test_a_place_that_was_missed_is_given_up(late_s: float, asked: int) -> None:
    """Getting a page can take long; a visit long after its place would be too close to the next ones."""
    clock, pace = StillClock(), StandInPace()
    turns = Turns(pace, now_s=clock)
    limited = shop(max_per_minute=60)
    async with turns.turn(limited, 0, asyncio.Event()) as turn:
        clock.time_s += late_s
        await turn.begin()
    assert len(pace.asked) == asked


async def test_a_stop_does_not_wait_for_a_fleet_that_cannot_be_asked() -> None:
    """While Redis is away a lane would wait for ever; a drain must end it, and the asking with it."""
    pace, stop = StandInPace(None), asyncio.Event()
    waiting = asyncio.create_task(wait(Turns(pace), shop(), 0, stop))
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(pace.asked) == 1
    stop.set()
    with pytest.raises(TurnDenied):
        await asyncio.wait_for(waiting, 1)
    await asyncio.sleep(0)
    assert pace.abandoned == 1


async def test_a_cancelled_lane_abandons_its_asking() -> None:
    """Cancellation passes through and leaves no task behind."""
    pace = StandInPace(None)
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(wait(Turns(pace), shop(), 0, asyncio.Event()))
    for _ in range(10):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert pace.abandoned == 1
    assert asyncio.all_tasks() == before


async def test_a_pace_that_fails_is_not_hidden() -> None:
    """An error of the fleet's pace reaches the lane."""

    class Broken(StandInPace):
        async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await wait(Turns(Broken()), shop(), 0, asyncio.Event())


@pytest.mark.parametrize(
    ("word", "answer", "told"),
    [
        ("go", VisitAnswer(Welcome.CHALLENGED, 403), None),
        ("go", VisitAnswer(Welcome.CHALLENGED, 429), VisitAnswer(Welcome.CHALLENGED, 429)),
        ("go", VisitAnswer(Welcome.CHALLENGED, 503, "5"), VisitAnswer(Welcome.CHALLENGED, 503, "5")),
        ("probe", VisitAnswer(Welcome.CHALLENGED, 403), VisitAnswer(Welcome.BLOCKED, 403)),
    ],
)
async def test_a_challenge_is_told_where_it_means_something(
    word: str, answer: VisitAnswer, told: VisitAnswer | None
) -> None:
    """Where the shop asks for quiet, and for the visit that tries whether the breaker may close."""
    pace = StandInPace(PaceReply(word, 0.0, 1.0, clean=False))
    async with Turns(pace, now_s=StillClock()).turn(shop(), 0, asyncio.Event()) as turn:
        assert turn.is_probe is (word == "probe")
        turn.answer = answer
    assert pace.reports == ([] if told is None else [(told, word == "probe")])


@pytest.mark.parametrize("ending", [RuntimeError("a mistake"), asyncio.CancelledError()])
async def test_a_visit_that_ends_badly_is_waited_after_and_tells_nothing(ending: BaseException) -> None:
    """The shop has seen it all the same; and the lane's next visit stays the probe."""
    draws, pace = Draws(), StandInPace(PaceReply("probe", 0.0, 1.0, clean=False))
    turns = Turns(pace, now_s=StillClock(), draw=draws)
    with pytest.raises(type(ending)):
        async with turns.turn(shop(), 0, asyncio.Event()) as turn:
            await turn.begin()
            turn.answer = BLOCKED
            raise ending
    assert len(draws.asked) == 1
    assert not await comes_at_once(turns, shop())
    assert pace.reports == []
    assert turns.turn(shop(), 0, asyncio.Event()).is_probe


async def test_a_turn_without_a_visit_costs_no_wait() -> None:
    """The shop has seen nothing of it."""
    draws = Draws()
    turns = Turns(StandInPace(), now_s=StillClock(), draw=draws)
    await wait(turns, shop(), 0, asyncio.Event())
    assert await comes_at_once(turns, shop())
    assert draws.asked == []


async def test_waits_that_end_are_told_however_they_end() -> None:
    """The lane's own wait and the fleet's, together."""
    clock, told = StillClock(), list[tuple[str, float]]()

    class Slow(StandInPace):
        async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
            clock.time_s += 1.5
            return await super().ask(platform, place=place, probing=probing)

    turns = Turns(
        Slow(go(), PaceReply("open", 120.0, 1.0, clean=False)), now_s=clock, on_wait=lambda *one: told.append(one)
    )
    free = shop(enabled=False)
    await visit(turns, free)
    with pytest.raises(TurnDenied):
        await visit(turns, free)
    assert told == [("shop", 1.5), ("shop", 1.5)]


def late_turns(clock: StillClock, *replies: PaceReply) -> tuple[Turns, list[float]]:
    """Turns of a fleet that takes 0.1 s to answer, and how late they were."""
    told: list[float] = []

    class Slow(StandInPace):
        async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
            clock.time_s += 0.1
            return await super().ask(platform, place=place, probing=probing)

    return Turns(Slow(*replies), now_s=clock, draw=Draws(), on_late=lambda _platform, late_s: told.append(late_s)), told


async def test_a_turn_is_late_by_what_comes_between_its_time_and_the_visit() -> None:
    """The asking, and the page; not the lane's own wait, nor a time in which it had nothing to visit."""
    clock = StillClock()
    turns, told = late_turns(clock)
    for gap_s in (0.0, 3.0, 60.0):
        clock.time_s += gap_s
        async with turns.turn(shop(), 0, asyncio.Event()) as turn:
            clock.time_s += 0.25
            await turn.begin()
    assert told == pytest.approx([0.35] * 3)


async def test_a_wait_that_is_over_is_late_from_then_on() -> None:
    """A loop that was busy elsewhere does not come round in time."""
    clock = StillClock()
    turns, told = late_turns(clock)
    await visit(turns, shop(wait_time_ms="20"))
    waiting = asyncio.create_task(visit(turns, shop(wait_time_ms="20")))
    await asyncio.sleep(0)
    clock.time_s += 0.5
    await waiting
    assert told == pytest.approx([0.1, 0.5 - 0.02 + 0.1])


def test_what_the_fleet_says_to_wait_is_not_late() -> None:
    """Its answer is, once the place has come."""
    told: list[float] = []

    class Slow(StandInPace):
        async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
            await asyncio.sleep(0.1)
            return await super().ask(platform, place=place, probing=probing)

    async def scene() -> None:
        pace = Slow(PaceReply("later", 2.0, 1.0, clean=True), go(1.5), go())
        turns = Turns(
            pace, now_s=asyncio.get_running_loop().time, on_late=lambda _platform, late_s: told.append(late_s)
        )
        await visit(turns, shop())

    run_skipping(scene())
    assert told == pytest.approx([0.1], abs=0.05)


async def test_a_place_that_was_missed_makes_the_turn_no_less_late() -> None:
    """Though another one is taken."""
    clock = StillClock()
    turns, told = late_turns(clock)
    async with turns.turn(shop(max_per_minute=60), 0, asyncio.Event()) as turn:
        clock.time_s += 5
        await turn.begin()
    assert told == pytest.approx([5.2])


def seated(fleet: int = 1) -> Platform:
    """A platform without waits that bears so many visits at one time."""
    platform = shop(enabled=False)
    concurrency = platform.workflow.concurrency.model_copy(update={"fleet": fleet})
    return platform.model_copy(update={"workflow": platform.workflow.model_copy(update={"concurrency": concurrency})})


async def test_a_turn_has_a_seat_from_its_coming_to_its_end() -> None:
    """It is kept when the visit begins, and another one is each visit's."""
    pace = StandInPace()
    turns = Turns(pace, now_s=StillClock())
    for _ in range(2):
        await visit(turns, seated())
    assert pace.seats == ["ask 0", "keep 0", "leave 0", "ask 1", "keep 1", "leave 1"]


async def test_a_seat_that_was_lost_is_taken_anew_before_the_visit() -> None:
    """The page was long in coming, or Redis was away."""
    pace = StandInPace()
    pace.lost = 2
    await visit(Turns(pace, now_s=StillClock()), seated())
    assert pace.seats == ["ask 0", "keep 0", "ask 0", "keep 0", "ask 0", "keep 0", "leave 0"]


@pytest.mark.parametrize("ending", [RuntimeError("a mistake"), asyncio.CancelledError()])
async def test_a_visit_that_ends_badly_gives_its_seat_back(ending: BaseException) -> None:
    """As any other."""
    pace = StandInPace()
    with pytest.raises(type(ending)):
        async with Turns(pace).turn(seated(), 0, asyncio.Event()):
            raise ending
    assert pace.seats == ["ask 0", "leave 0"]


async def test_one_lane_of_a_worker_asks_for_a_seat_at_a_time() -> None:
    """The others stand behind it in their order, and cost nothing; a seat that is given back is asked for at once."""
    full = PaceReply("full", 600.0, 1.0, clean=True)
    pace = StandInPace(go(), full)
    turns, release = Turns(pace), asyncio.Event()

    async def stay(lane: int) -> None:
        async with turns.turn(seated(), lane, asyncio.Event()):
            await release.wait()

    lanes = [asyncio.create_task(stay(lane)) for lane in range(4)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert pace.seats == ["ask 0", "ask 1"]
    pace.turns = [go()]
    release.set()
    await asyncio.wait_for(asyncio.gather(*lanes), 1)
    asked = [each for each in pace.seats if each.startswith("ask")]
    assert asked == ["ask 0", "ask 1", "ask 1", "ask 2", "ask 3"]


@pytest.mark.parametrize("waits", [True, False])
async def test_a_turn_that_waited_for_a_seat_is_not_late(waits: bool) -> None:
    """That is what the setting is for; asking is, where a seat is free."""
    clock = StillClock()
    turns, told = late_turns(clock, *([PaceReply("full", 0.01, 1.0, clean=True)] * waits), go())
    await visit(turns, seated())
    assert told == pytest.approx([0.0 if waits else 0.1])


async def test_a_stop_before_the_fleet_was_asked_leaves_nothing_to_give_back() -> None:
    """No command is spent on it."""
    pace, stop = StandInPace(), asyncio.Event()
    stop.set()
    with pytest.raises(TurnDenied):
        await wait(Turns(pace), seated(), 0, stop)
    await asyncio.sleep(0)
    assert pace.seats == []
