"""Who gets a place of the pool, and when: order, pauses, drains, platforms beside each other. Without a browser."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, ExitStack

import pytest

from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.errors import BrowserUnavailable, TurnDenied
from tests.unit.browser.opener import CountingOpener
from tests.unit.browser.test_pool import opened, shop, use


async def turns(count: int = 30) -> None:
    """Lets everything go on that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_places_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    """Whoever gives a place back and asks again at once stands behind those who wait."""
    order: list[int] = []
    async with opened(CountingOpener(), size=1) as pool:

        async def lane(number: int) -> None:
            for _ in range(3):
                async with pool.lease(shop()):
                    order.append(number)
                    await asyncio.sleep(0)

        await asyncio.gather(*(lane(number) for number in range(3)))
    assert order == [0, 1, 2] * 3


async def test_with_no_places_nobody_begins_until_there_are_some() -> None:
    """Visits at work go on; the pause takes nothing from those who wait."""
    async with opened(CountingOpener(), size=2) as pool:
        async with pool.lease(shop()):
            pool.resize(0)
            waiting = [asyncio.create_task(use(pool, shop(), 2)) for _ in range(3)]
            await turns()
            assert (pool.stats().leased, pool.stats().waiting) == (1, 3)
        await turns()
        assert (pool.stats().leased, pool.stats().waiting) == (0, 3)
        pool.resize(1)
        await asyncio.gather(*waiting)
        assert pool.stats().waiting == 0


@pytest.mark.parametrize("size", [0, 1])
async def test_whoever_waits_leaves_at_once_when_it_must_stop(size: int) -> None:
    """Behind a pool that is full as behind one that is paused; the others' order stays."""
    async with opened(CountingOpener(), size=1) as pool, AsyncExitStack() as stack:
        if size:
            await stack.enter_async_context(pool.lease(shop()))
        pool.resize(size)
        stop = asyncio.Event()

        async def stoppable() -> None:
            async with pool.lease(shop(), stop=stop):
                raise AssertionError("no place was free")

        leaving = asyncio.create_task(stoppable())
        staying = asyncio.create_task(use(pool, shop(), 1))
        await turns()
        stop.set()
        with pytest.raises(TurnDenied):
            await leaving
        assert pool.stats().waiting == 1
        pool.resize(2)
        await staying


async def test_a_shop_whose_visits_hang_leaves_the_others_a_place_each() -> None:
    """And gets the rest."""
    async with opened(CountingOpener(), size=4) as pool, AsyncExitStack() as stack:
        shops = [shop(name) for name in ("hanging", "two", "three")]
        with ExitStack() as served:
            for each in shops:
                served.enter_context(pool.serving(each))
            lanes = [asyncio.create_task(stack.enter_async_context(pool.lease(shops[0]))) for _ in range(4)]
            await turns()
            assert pool.stats().leased_by == {"hanging": 2}
            await asyncio.gather(use(pool, shops[1], 20), use(pool, shops[2], 20))
            assert pool.stats().leased_by == {"hanging": 2}
        await asyncio.gather(*lanes)  # nobody else is served any more
        assert pool.stats().leased_by == {"hanging": 4}


async def test_a_place_given_to_a_visit_that_is_cancelled_goes_to_the_next() -> None:
    """In the very moment in which it was to begin."""
    async with opened(CountingOpener(), size=1) as pool:
        async with pool.lease(shop()):
            first = asyncio.create_task(use(pool, shop(), 1))
            second = asyncio.create_task(use(pool, shop(), 1))
            await turns()
        first.cancel()  # its place is its own already, and it has not run yet
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        assert pool.stats().leased == 0


@pytest.mark.parametrize("seed", range(25))
async def test_no_place_is_lost_whatever_happens(seed: int) -> None:
    """Visits of several shops are cancelled, stopped and refused at random moments, while the guard resizes and
    browsers go away; afterwards every place can be leased, and no page is left over."""
    chance = random.Random(seed)
    opener = CountingOpener(delay=chance.randint(0, 4))
    shops = [shop(name, page=chance.randint(1, 4), context=chance.randint(1, 8)) for name in ("one", "two", "three")]
    async with opened(opener, size=3, browser_max_uses=chance.randint(5, 50)) as pool:
        for _ in range(12):
            stop = asyncio.Event()
            lanes = [asyncio.create_task(batch(pool, each, stop)) for each in shops for _ in range(2)]
            for _ in range(chance.randint(0, 30)):
                await asyncio.sleep(0)
                if chance.random() < 0.1:
                    pool.resize(chance.randint(0, 4))
                if chance.random() < 0.03:
                    opener.on_lost[-1]()
                if chance.random() < 0.03:
                    opener.fail[chance.choice(["page", "context"])] = 1
            for lane in lanes:
                if chance.random() < 0.5:
                    lane.cancel()
            if chance.random() < 0.3:
                stop.set()
            pool.resize(chance.randint(1, 4))
            async with asyncio.timeout(10):  # a place that was lost would be waited for in vain
                ends = await asyncio.gather(*lanes, return_exceptions=True)
            kinds = TurnDenied | BrowserUnavailable | asyncio.CancelledError | None
            assert all(isinstance(end, kinds) for end in ends), ends
        opener.fail.clear()
        pool.resize(3)
        stats = pool.stats()
        assert (stats.leased, stats.waiting, stats.leased_by) == (0, 0, {})
        async with pool.lease(shops[0]), pool.lease(shops[1]), pool.lease(shops[2]):
            assert pool.stats().leased == 3


async def batch(pool: BrowserPool, platform: Platform, stop: asyncio.Event) -> None:
    """What a runner does with one lane."""
    with pool.serving(platform):
        for _ in range(5):
            async with pool.lease(platform, stop=stop):
                await asyncio.sleep(0)
