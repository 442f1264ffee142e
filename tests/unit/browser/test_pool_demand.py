"""Pages follow the demand: at the pace of real shops, without pauses, and when nobody comes. Without a browser."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.browser.idle_pages import PAUSE_S
from pagemill.browser.opener import ContextHandle, PageHandle
from pagemill.config.platform import Platform
from pagemill.telemetry import events
from tests.unit.browser.opener import CountingOpener
from tests.unit.browser.test_pool import QuickClock, opened, shop, use

LANES = 4


class Simulated:
    """Lanes whose pauses take no time."""

    def __init__(self) -> None:
        self.clock = QuickClock()

    async def pause(self, seconds: float) -> None:
        """Lets so much of the simulated time pass."""
        over = asyncio.get_running_loop().create_future()
        self.clock.call_later(seconds, lambda: over.set_result(None))
        await over

    async def run(self, *lanes: Coroutine[Any, Any, None]) -> None:
        """Until all of them have ended."""
        tasks = [asyncio.ensure_future(lane) for lane in lanes]
        try:
            await turns()
            while not all(task.done() for task in tasks):
                assert any(timer.is_set for timer in self.clock.timers), "everybody waits, and nothing is to come"
                self.clock.advance_to_next()
                await turns()
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks)


async def turns() -> None:
    """Lets everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def told(lines: list[Any], event: str) -> Counter[tuple[str, int]]:
    """Reason and uses of each rotation of that kind."""
    return Counter((line["reason"], line["uses"]) for line in lines if line["event"] == event)


async def six_shops_at_a_polite_pace(places: int, **settings: int) -> tuple[CountingOpener, list[Any], list[int]]:
    """Four lanes each, 3 to 4 s between visits that are over in half a second; the opener, what was logged, and how
    many pages were open at the begin of each visit."""
    chance, time, opener, pages = random.Random(5), Simulated(), CountingOpener(), []
    shops = [shop(f"shop-{number}") for number in range(6)]
    async with opened(opener, size=places, clock=time.clock, **settings) as pool:

        async def lane(platform: Platform) -> None:
            for _ in range(60):
                wait_s = 3 + chance.random()
                await time.pause(wait_s - 0.1)
                pool.prepare(platform)
                await time.pause(0.1)
                async with pool.lease(platform):
                    pages.append(opener.open["page"])
                    await time.pause(0.2 + 0.3 * chance.random())

        with capture_logs() as lines, ExitStack() as served:
            for each in shops:
                served.enter_context(pool.serving(each))
            await time.run(*(lane(each) for each in shops for _ in range(LANES)))
        assert pool.stats().leases == 6 * LANES * 60
        assert pool.stats().idle <= places
    return opener, lines, pages


@pytest.mark.parametrize(("places", "contexts"), [(6, 60), (8, 70), (12, 70)])
async def test_pages_that_may_stay_are_worn_out(places: int, contexts: int) -> None:
    """Whoever has a page at work waits for it rather than close another shop's. So nearly every page comes to its ten
    uses, and its context to its fifty."""
    opener, lines, _pages = await six_shops_at_a_polite_pace(places, idle_pages=places)
    assert told(lines, events.PAGE_ROTATION).keys() == {("uses", 10)}
    assert {uses for reason, uses in told(lines, events.CONTEXT_ROTATION) if reason == "uses"} == {50}
    assert opener.opened["context"] <= contexts  # 29 are the fewest
    assert opener.opened["page"] <= 144 + contexts


async def test_few_pages_are_open_and_contexts_last() -> None:
    """By default. A page goes when it makes a pause, so about as many are open as are at work; the shop's context, with
    its cookies, comes to its fifty uses over one page after the other."""
    opener, lines, pages = await six_shops_at_a_polite_pace(12)
    assert sum(pages) / len(pages) < 6
    assert Counter(dict(told(lines, events.CONTEXT_ROTATION)))["uses", 50] >= 6
    assert opener.opened["page"] <= 6 * LANES * 60


async def test_a_page_that_nobody_needs_is_closed() -> None:
    """After `idle_s`, with its context, and it says so; one that is needed stays open."""
    opener, clock = CountingOpener(), QuickClock()
    async with opened(opener, size=4, clock=clock, idle_s=20) as pool:
        with capture_logs() as lines:
            await asyncio.gather(*(use(pool, shop(), 1) for _ in range(3)))
            for _ in range(5):
                clock.advance(5)
                await use(pool, shop(), 1)
            await turns()
        assert opener.open["page"] == opener.open["context"] == 1
        assert told(lines, events.CONTEXT_ROTATION) == {("idle", 1): 2}
        clock.advance(21)
        await turns()
        assert opener.open["context"] == 0
        assert pool.stats().reasons == {"context idle": 3}
        await use(pool, shop(), 1)


async def test_a_shop_that_comes_finds_room() -> None:
    """The second page of a shop goes for it, not the only one of another that was used before."""
    opener = CountingOpener()
    one, two, three = shop("one"), shop("two"), shop("three")
    async with opened(opener, size=3) as pool:
        await use(pool, one, 1)
        with pool.serving(one), pool.serving(two):
            async with pool.lease(two), pool.lease(two):
                pass
            with pool.serving(three):
                await use(pool, three, 1)
                await use(pool, one, 1)
                await use(pool, two, 1)
                await turns()
        assert opener.opened["page"] == 4
        assert opener.open["page"] == 3
        assert pool.stats().reasons == {"context idle": 1}


async def test_two_shops_in_turn_keep_their_pages() -> None:
    """Where there is a place for each: counts go on over the other's visits."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        for _ in range(20):
            await use(pool, shop("one"), 1)
            await use(pool, shop("two"), 1)
        await turns()
        assert opener.opened == {"driver": 1, "browser": 1, "context": 2, "page": 6}
        assert pool.stats().rotations == {"page": 4, "context": 0, "browser": 0, "driver": 0}


@pytest.mark.parametrize(
    ("pause_s", "during", "after"), [(0.05, [1, 1, 2, 1, 1, 2], [1] * 6), (1.0, [1] * 6, [1, 1, 0, 1, 1, 0])]
)
async def test_a_successor_stands_by_only_where_there_is_no_pause(
    pause_s: float, during: list[int], after: list[int]
) -> None:
    """With pauses it is opened when it is needed, and no page is open beside the one at work."""
    opener, clock = CountingOpener(), QuickClock()
    seen, left = [], []
    async with opened(opener, size=2, clock=clock, idle_pages=2) as pool:
        for _ in range(6):
            async with pool.lease(shop(page=3)):
                await turns()
                seen.append(opener.open["page"])
            await turns()
            left.append(opener.open["page"])
            clock.advance(pause_s)
    assert (seen, left) == (during, after)


async def test_a_page_that_stays_open_in_pauses_is_replaced_when_it_is_worn() -> None:
    """Its next visit comes without notice. No page is open beside the one at work."""
    opener, clock, platform = CountingOpener(), QuickClock(), shop(page=3, wait_time_ms=0)
    async with opened(opener, size=2, clock=clock) as pool:
        for uses in range(1, 7):
            async with pool.lease(platform):
                await turns()
                assert opener.open["page"] == 1
            await turns()
            assert (opener.open["page"], opener.opened["page"]) == (1, 1 + uses // 3)
            clock.advance(1.0)


async def test_where_visits_wait_the_successor_stands_by() -> None:
    """Also behind a page that has never been leased before: it is wanted the moment it is free."""
    opener, clock, platform = CountingOpener(), QuickClock(), shop(page=1, context=1)
    seen: list[int] = []

    async def visit() -> None:
        async with pool.lease(platform):
            await turns()
            seen.append(opener.open["page"])
            clock.advance(1)

    async with opened(opener, size=1, clock=clock) as pool:
        await asyncio.gather(*(visit() for _ in range(3)))
    assert seen == [2, 2, 2]


async def test_no_successor_is_opened_while_another_page_is_idle() -> None:
    """At a polite pace that one does; what is left is the context, in which the next page comes when it is needed."""
    opener, clock, platform = CountingOpener(), QuickClock(), shop(page=3)
    async with opened(opener, size=2, clock=clock, idle_pages=2) as pool:
        async with pool.lease(platform), pool.lease(platform):
            pass
        for _ in range(2):  # the second and the third use of one of them
            clock.advance(1)
            await use(pool, platform, 1)
        await turns()
        assert (opener.opened["page"], opener.open["page"], opener.open["context"]) == (2, 1, 2)
        assert pool.stats().idle == 1
        async with pool.lease(platform), pool.lease(platform):
            assert (opener.opened["page"], opener.opened["context"]) == (3, 2)


async def test_a_page_that_makes_a_pause_is_kept_for_a_visit_that_comes() -> None:
    """It would be closed a moment before, and another one opened when it is too late."""
    opener, clock, platform = CountingOpener(), QuickClock(), shop()
    async with opened(opener, size=2, clock=clock) as pool:
        await use(pool, platform, 1)
        clock.advance(PAUSE_S / 2)
        pool.prepare(platform)
        clock.advance(10 * PAUSE_S)
        await turns()
        assert opener.open["page"] == 1
        await use(pool, platform, 1)
        clock.advance(10 * PAUSE_S)
        await turns()
        assert (opener.opened["page"], opener.open["page"]) == (1, 0)


class SlowOpener(CountingOpener):
    """Each page takes the next of these times."""

    def __init__(self, clock: QuickClock, times_s: list[float]) -> None:
        super().__init__()
        self.clock = clock
        self.times_s = times_s

    async def open_page(self, context: ContextHandle, platform: Platform) -> PageHandle:
        self.clock.time_s += self.times_s.pop(0)
        return await super().open_page(context, platform)


@pytest.mark.parametrize(
    ("times_s", "wanted_s"),
    [
        ([], 0.1),
        ([0.02] * 5, 0.1),
        ([0.25] * 100, 0.25),
        ([0.15] * 97 + [0.35] * 3, 0.35),
        ([0.15] * 99 + [0.35], 0.15),  # an accident
        ([0.3] * 100 + [0.15] * 100, 0.15),  # the machine is quick again
        ([9.0] * 5, 0.4),
    ],
)
async def test_a_visit_is_to_be_announced_as_long_before_as_opening_takes(
    times_s: list[float], wanted_s: float
) -> None:
    """So that the page is open in time on a slow machine too, and not long before on a quick one."""
    clock = QuickClock()
    opener = SlowOpener(clock, [*times_s])
    async with opened(opener, size=1, clock=clock) as pool:
        await use(pool, shop(page=1), len(times_s))
        await turns()
        assert pool.opening_s == pytest.approx(wanted_s)


async def test_an_opening_that_failed_tells_no_time() -> None:
    """It may have lasted until its deadline."""
    clock = QuickClock()
    opener = SlowOpener(clock, [3.0, 0.2])
    opener.fail["page"] = 1
    async with opened(opener, size=1, clock=clock) as pool:
        await use(pool, shop(), 1)
        assert pool.opening_s == pytest.approx(0.2)
