"""The pool's account of places, pages and browsers, under every kind of interruption, without a browser."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from pagemill.browser.clock import Clock
from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable, PageLost
from tests.unit.browser.opener import CountingOpener

NOTHING = {"driver": 0, "browser": 0, "context": 0, "page": 0}


class QuickClock(Clock):
    """Time that moves only when it is told to; sleeping takes one turn of the loop, and calls come by `advance`."""

    def __init__(self) -> None:
        self.time_s = 1000.0
        self.slept_s: list[float] = []
        self.timers: list[Alarm] = []

    def now_s(self) -> float:
        return self.time_s

    def random(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.time_s += seconds
        await asyncio.sleep(0)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        self.timers.append(Alarm(self.time_s + seconds, call))
        return self.timers[-1].cancel

    def advance(self, seconds: float) -> None:
        """Moves the time on, and makes the calls that are due on the way."""
        until_s = self.time_s + seconds
        while self._next_at_s() <= until_s:
            self.advance_to_next()
        self.time_s = until_s

    def advance_to_next(self) -> None:
        """Moves the time on to the next call, if there is one, and makes it."""
        if self._next_at_s() < math.inf:
            first = min((timer for timer in self.timers if timer.is_set), key=lambda timer: timer.at_s)
            self.timers = [timer for timer in self.timers if timer.is_set and timer is not first]
            self.time_s = max(self.time_s, first.at_s)
            first.call()

    def _next_at_s(self) -> float:
        return min((timer.at_s for timer in self.timers if timer.is_set), default=math.inf)


@dataclass
class Alarm:
    """A call that is to come, at that time."""

    at_s: float
    call: Callable[[], None]
    is_set: bool = True

    def cancel(self) -> None:
        self.is_set = False


def shop(name: str = "shop", page: int = 10, context: int = 50, wait_time_ms: int = 2000) -> Platform:
    """A platform with these rotations, whose lanes wait so long between visits."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"rate_limit": {"wait_time_ms": wait_time_ms}},
            "rotation": {"page": page, "context": context},
            "extract": {"fields": {"name": "h1"}},
        }
    )


@asynccontextmanager
async def opened(
    opener: CountingOpener,
    size: int = 4,
    clock: QuickClock | None = None,
    page_max_mb: float = math.inf,
    **settings: object,
) -> AsyncIterator[BrowserPool]:
    """An open pool; afterwards nothing may be left open, whatever the test did."""
    clock = clock or QuickClock()
    pool = BrowserPool(opener, PoolSettings.model_validate(settings), size, clock=clock, page_max_mb=page_max_mb)
    await pool.open()
    try:
        yield pool
    finally:
        async with asyncio.timeout(10):  # a place that was lost would never come back
            await pool.drain()
        await pool.close()
    assert opener.open == NOTHING


async def use(pool: BrowserPool, platform: Platform, times: int) -> None:
    """A lane that does nothing."""
    for _ in range(times):
        async with pool.lease(platform):
            await asyncio.sleep(0)


async def test_pages_and_contexts_rotate_by_their_uses() -> None:
    """One lane, 100 items: a page every 10, a context every 50, and the context's rotation includes the page's."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        await use(pool, shop(), 100)
        await asyncio.sleep(0.01)
        assert pool.stats().rotations == {"page": 8, "context": 2, "browser": 0, "driver": 0}


async def test_never_more_leases_than_the_pool_is_large() -> None:
    """Ten lanes share three places; standby pages come on top, one for each at most."""
    opener = CountingOpener(delay=3)
    at_once = most = 0
    async with opened(opener, size=3) as pool:

        async def lane() -> None:
            nonlocal at_once, most
            for _ in range(20):
                async with pool.lease(shop(page=2)):
                    at_once += 1
                    most = max(most, at_once)
                    await asyncio.sleep(0)
                    at_once -= 1

        await asyncio.gather(*(lane() for _ in range(10)))
        assert most == 3
        assert pool.stats().leases == 200
        assert pool.stats().waits > 0


@pytest.mark.parametrize("seed", range(30))
async def test_cancellation_at_any_await_loses_no_place_and_no_page(seed: int) -> None:
    """Lanes are cancelled at random moments, waiting ones too; afterwards every place can still be leased."""
    chance = random.Random(seed)
    opener = CountingOpener(delay=chance.randint(0, 4))
    async with opened(opener, size=3) as pool:
        platform = shop(page=chance.randint(1, 4), context=chance.randint(1, 8))
        for _ in range(25):
            lanes = [asyncio.create_task(use(pool, platform, 5)) for _ in range(5)]
            for _ in range(chance.randint(0, 30)):
                await asyncio.sleep(0)
            for lane in lanes:
                if chance.random() < 0.7:
                    lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
        assert pool.stats().leased == 0
        async with pool.lease(platform), pool.lease(platform), pool.lease(platform):
            assert pool.stats().leased == 3


@pytest.mark.parametrize("seed", range(30))
async def test_random_failures_leave_nothing_open(seed: int) -> None:
    """Openings fail, browsers go away, leases end in errors, all at random: the account still balances."""
    chance = random.Random(1000 + seed)
    opener = CountingOpener(delay=chance.randint(0, 3))
    async with opened(opener, size=3, browser_max_uses=7, driver_max_uses=20) as pool:

        async def lane() -> None:
            for _ in range(30):
                try:
                    async with pool.lease(shop(page=3, context=5)):
                        await asyncio.sleep(0)
                        if chance.random() < 0.1:
                            raise PageLost("crashed")
                        if chance.random() < 0.05:
                            opener.fail[chance.choice(["page", "context"])] = 1
                        if chance.random() < 0.05:
                            opener.on_lost[-1]()
                except (PageLost, BrowserUnavailable):
                    pass

        await asyncio.gather(*(lane() for _ in range(4)))
        assert pool.stats().leased == 0


async def test_an_error_retires_the_page_and_not_the_context() -> None:
    """A bad page costs one page."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        await use(pool, shop(), 3)
        with pytest.raises(PageLost):
            async with pool.lease(shop()):
                raise PageLost("crashed")
        await use(pool, shop(), 3)
        assert pool.stats().rotations == {"page": 1, "context": 0, "browser": 0, "driver": 0}
        assert opener.opened["context"] == 1


async def test_a_page_marked_bad_is_not_used_again() -> None:
    """`mark_bad` rotates without an exception."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        async with pool.lease(shop()) as lease:
            first = lease.page
            lease.mark_bad("failed")
        async with pool.lease(shop()) as lease:
            assert lease.page is not first


async def test_errors_in_a_row_rotate_ever_more() -> None:
    """Three bad pages in a row cost the context; as many for each lane cost the browser and its driver."""
    opener = CountingOpener()
    async with opened(opener, size=1, max_errors=3) as pool:
        for _ in range(3):
            with pytest.raises(PageLost):
                async with pool.lease(shop()):
                    raise PageLost("crashed")
        await use(pool, shop(), 1)
        assert opener.opened == {"driver": 2, "browser": 2, "context": 2, "page": 4}


async def test_a_lost_browser_is_replaced_and_its_leases_just_end() -> None:
    """The lane that holds a page of it gets an error of its own; the next lease has a new browser."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        async with pool.lease(shop()):
            opener.on_lost[-1]()
        await use(pool, shop(), 2)
        assert opener.opened["browser"] == 2
        assert opener.opened["driver"] == 1


async def test_a_lost_driver_takes_its_browser_with_it_at_once() -> None:
    """Nothing of it is leased again, the pages that stood ready included."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        await use(pool, shop(), 2)
        opener.on_driver_lost[-1]()
        assert pool.stats().idle == 0
        await use(pool, shop(), 2)
        assert opener.opened["browser"] == opener.opened["driver"] == 2
        assert pool.stats().rotations["driver"] == 1
        opener.on_driver_lost[0]()  # an old one changes nothing
        await use(pool, shop(), 2)
        assert opener.opened["driver"] == 2


async def test_relaunching_backs_off_and_forgets_after_a_good_use() -> None:
    """Browsers that die at once are not relaunched in a storm."""
    opener, clock = CountingOpener(), QuickClock()
    async with opened(opener, size=1, clock=clock, relaunch_backoff_s=0.5, relaunch_backoff_max_s=2) as pool:
        for _ in range(5):
            opener.on_lost[-1]()
            await pool.open()
        assert clock.slept_s == [0.5, 1.0, 2, 2, 2]
        await use(pool, shop(), 1)
        opener.on_lost[-1]()
        await pool.open()
        assert clock.slept_s[-1] == 0.5


async def test_a_browser_that_never_starts_is_an_error_that_says_so() -> None:
    """Five tries, then BrowserUnavailable for whoever waits."""
    opener = CountingOpener()
    opener.fail["browser"] = 100
    pool = BrowserPool(opener, PoolSettings(), 1, clock=QuickClock())
    with pytest.raises(BrowserUnavailable, match="cannot open a browser"):
        await pool.open()
    assert opener.fail["browser"] == 95
    await pool.close()
    assert opener.open == NOTHING


async def test_browser_and_driver_rotate_while_lanes_go_on() -> None:
    """The successor is launched first; nobody waits for it."""
    opener = CountingOpener()
    async with opened(opener, size=2, browser_max_uses=20, driver_max_uses=50) as pool:
        await asyncio.gather(*(use(pool, shop(), 100) for _ in range(2)))
        await asyncio.sleep(0.01)
        rotations = pool.stats().rotations
        assert 5 <= rotations["browser"] <= 10
        assert 2 <= rotations["driver"] <= 4
        assert opener.open["browser"] == 1
        assert opener.open["driver"] == 1


async def test_age_rotates_too() -> None:
    """A page that is old enough goes, however little it was used."""
    opener, clock = CountingOpener(), QuickClock()
    async with opened(opener, size=1, clock=clock, page_max_age_s=60) as pool:
        await use(pool, shop(), 1)
        clock.time_s += 61
        await use(pool, shop(), 1)
        await asyncio.sleep(0.01)
        assert pool.stats().rotations["page"] == 1


@pytest.mark.parametrize(("every", "expected"), [(5, [1, 1, 1, 2]), (0, [])])
async def test_a_page_that_stays_collects_its_garbage_now_and_then(every: int, expected: list[int]) -> None:
    """After every so many uses, unless it is replaced at that moment; 0 leaves it to Chromium."""
    opener = CountingOpener()
    async with opened(opener, size=1, page_gc_uses=every) as pool:
        await use(pool, shop(page=20), 25)
        await asyncio.sleep(0.01)
        assert opener.collections == expected


async def test_platforms_share_places_but_never_pages() -> None:
    """A second platform's lease closes an idle page of the first when the pool is full; one context stays."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        async with pool.lease(shop("one")), pool.lease(shop("one")):
            pass
        async with pool.lease(shop("two")), pool.lease(shop("two")):
            pass
        for _ in range(20):
            await asyncio.sleep(0)
        assert (opener.open["page"], opener.open["context"]) == (2, 3)
        assert opener.opened["context"] == 4


async def test_a_smaller_pool_gives_up_pages_as_they_come_back() -> None:
    """Leases that are out are not touched."""
    opener = CountingOpener()
    async with opened(opener, size=4) as pool:
        async with pool.lease(shop()), pool.lease(shop()), pool.lease(shop()):
            pool.resize(1)
            assert pool.stats().leased == 3
        for _ in range(20):
            await asyncio.sleep(0)
        assert pool.stats().idle == 1
        assert opener.open["page"] == 1


async def test_a_page_that_does_not_close_costs_its_context_then_its_browser() -> None:
    """Escalation: page, context, browser. Lanes go on with a new browser."""
    opener = CountingOpener()
    opener.stuck_closes = {"page", "context"}
    async with opened(opener, size=1) as pool:
        async with pool.lease(shop()) as lease:
            lease.mark_bad("failed")
        for _ in range(20):
            await asyncio.sleep(0)
        await use(pool, shop(), 1)
        assert opener.opened["browser"] == 2


async def test_waiters_of_a_closed_pool_are_told() -> None:
    """Nobody waits for ever for a page that will not come."""
    pool = BrowserPool(CountingOpener(), PoolSettings(), 1, clock=QuickClock())
    async with pool.lease(shop()):
        waiter = asyncio.create_task(use(pool, shop(), 1))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(pool.close())
        with pytest.raises(BrowserUnavailable, match="closed"):
            await waiter
    await closing
