"""What the guard can do with a pool: sizes, pressure, a browser that stays silent. Without a browser."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from pagemill.browser.pool import BrowserPool
from pagemill.config.settings import PoolSettings
from pagemill.telemetry import events
from tests.unit.browser.opener import CountingOpener
from tests.unit.browser.test_pool import QuickClock, opened, shop, use


async def settled(pool: BrowserPool) -> None:
    """Until nothing is being closed."""
    while pool.stats().closing:
        await asyncio.sleep(0)


async def test_a_page_that_grew_too_big_is_replaced_for_its_size() -> None:
    """The page goes after its visit; one that is not too big stays."""
    opener = CountingOpener()
    async with opened(opener, size=1, page_max_mb=100) as pool:
        await use(pool, shop(), 1)
        opener.heaps_mb = {1: 120.0}
        assert await pool.measure_pages() == [120.0]
        with capture_logs() as lines:
            await use(pool, shop(), 3)
            await settled(pool)
        rotations = [(line["event"], line["reason"]) for line in lines if "Rotation" in line["event"]]
        assert rotations == [(events.PAGE_ROTATION, "size")]


async def test_the_second_big_page_takes_its_context_with_it() -> None:
    """When a fresh page in the same context grows as well, more than the page is to blame."""
    opener = CountingOpener()
    async with opened(opener, size=1, page_max_mb=100) as pool:
        with capture_logs() as lines:
            for number in (1, 2):
                await use(pool, shop(), 1)
                opener.heaps_mb = {number: 150.0}
                await pool.measure_pages()
                await use(pool, shop(), 1)
                await settled(pool)
        rotations = [(line["event"], line["reason"]) for line in lines if "Rotation" in line["event"]]
        assert rotations == [(events.PAGE_ROTATION, "size"), (events.CONTEXT_ROTATION, "size")]


async def test_a_page_that_does_not_answer_is_left_out_of_the_heaps() -> None:
    """No answer is no size, and no reason to replace anything."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        await use(pool, shop(), 1)
        assert await pool.measure_pages() == []


async def test_a_browser_or_driver_that_grew_too_big_is_replaced_with_its_successor_ready() -> None:
    """Each is told its own size; the driver takes its browser with it."""
    opener = CountingOpener()
    async with opened(opener, size=1, browser_max_mb=300, driver_max_mb=150) as pool:
        pool.note_sizes({0: 120})  # the stand-in's driver and group are both 0
        await use(pool, shop(), 5)
        assert pool.stats().launches == 1
        pool.note_sizes({0: 200})
        with capture_logs() as lines:
            await use(pool, shop(), 5)
            await settled(pool)
        assert (events.DRIVER_ROTATION, "size") in [(line["event"], line.get("reason")) for line in lines]
        freed = next(line["freed_mb"] for line in lines if line["event"] == events.DRIVER_ROTATION)
        assert freed == 200
        assert opener.opened["driver"] == 2


async def test_idle_pages_go_under_pressure_and_come_back_when_they_are_needed() -> None:
    """Nothing is opened in their place before somebody asks."""
    opener = CountingOpener()
    async with opened(opener, size=3) as pool:
        await asyncio.gather(*(use(pool, shop(), 2) for _ in range(3)))
        assert opener.open["page"] == 3
        pool.rotate_idle()
        await settled(pool)
        assert (opener.open["page"], opener.open["context"]) == (0, 0)
        await use(pool, shop(), 1)
        assert opener.open["page"] == 1
        assert pool.stats().rotations["context"] == 3


async def test_contexts_at_work_are_replaced_when_their_visit_has_ended() -> None:
    """Pressure never interrupts a visit."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        async with pool.lease(shop()) as lease:
            before = lease.page
            pool.rotate_contexts()
            assert lease.page is before
        await settled(pool)
        assert pool.stats().rotations["context"] == 1
        await use(pool, shop(), 1)


async def test_under_pressure_the_old_browser_ends_before_the_new_one_starts() -> None:
    """Two browsers at once are what a full container cannot hold."""
    opener = CountingOpener()
    async with opened(opener, size=2, browser_max_uses=6) as pool:
        pool.save_memory(on=True)
        most = 0
        for _ in range(20):
            await use(pool, shop(), 1)
            await settled(pool)
            most = max(most, opener.open["browser"])
        assert most == 1
        assert opener.opened["browser"] == 4


async def test_saving_memory_opens_no_successors() -> None:
    """A page that is due goes first and its successor comes when it is asked for; contexts stay."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        pool.save_memory(on=True)
        for _ in range(40):
            await use(pool, shop(page=2, context=100), 1)
            await settled(pool)
        assert opener.most_pages == 1
        assert opener.opened["context"] == 1
        assert pool.stats().rotations["page"] == 20


async def test_retiring_the_browser_replaces_the_driver_too() -> None:
    """A lease that is running ends on the old one."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        async with pool.lease(shop()):
            pool.retire_browser()
            pool.retire_browser()
            assert opener.open["browser"] == 1
        await settled(pool)
        assert opener.open["browser"] == 0
        await use(pool, shop(), 1)
        assert (opener.opened["browser"], opener.opened["driver"]) == (2, 2)


async def test_a_silent_browser_is_killed_at_the_second_silence() -> None:
    """One slow answer is forgiven; the pool then works on with a fresh browser and driver."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        opener.silent = True
        await pool.check_pulse()
        opener.silent = False
        await pool.check_pulse()
        opener.silent = True
        await pool.check_pulse()
        assert opener.killed == []
        with capture_logs() as lines:
            await pool.check_pulse()
        opener.silent = False
        assert len(opener.killed) == 1
        assert [line["event"] for line in lines if line["event"] == events.UNRESPONSIVE] == [events.UNRESPONSIVE]
        await use(pool, shop(), 1)
        assert opener.opened["driver"] == 2


async def test_a_pool_without_a_browser_has_no_pulse_to_check() -> None:
    """Between two browsers nothing is asked and nothing killed."""
    opener = CountingOpener()
    pool = BrowserPool(opener, PoolSettings(), 1, clock=QuickClock())
    await pool.check_pulse()
    pool.note_sizes({1: 2.0})
    pool.retire_browser()
    await pool.close()
    assert opener.killed == []


async def test_without_a_driver_only_browsers_are_rotated() -> None:
    """What is not there has no age, no size and no uses."""
    opener = CountingOpener()
    opener.has_driver = False
    async with opened(opener, size=1, driver_max_uses=3, driver_max_mb=50, browser_max_uses=1000) as pool:
        pool.note_sizes({0: 120})
        await use(pool, shop(), 10)
        pool.retire_browser()
        await settled(pool)
        await use(pool, shop(), 1)
        assert pool.stats().launches == 2
        assert pool.stats().rotations["driver"] == 0
