"""Pages follow the demand, on a real Chromium: how many are open, and how long each is used."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from pagemill.browser.idle_pages import PAUSE_S
from pagemill.config.platform import Platform
from pagemill.telemetry import events
from tests.browser.pool.real_pool import accounted_pages, local_platform, open_pages, real_pool, settled, until, visit
from tests.browser.pool.watched_server import WatchedServer

pytestmark = pytest.mark.browser

SHOPS = 6
VISITS = 6


async def test_pages_that_may_stay_are_worn_out(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """Six shops with two lanes each, half a second between their visits, and a place for each shop: each keeps its
    context, uses every page as often as it may, and no page is open beside those six."""
    chance = random.Random(3)
    shops = [local_platform(3, 50, name=f"shop-{number}") for number in range(SHOPS)]
    async with real_pool(executable, temporary, SHOPS, kind=opener_kind, idle_pages=SHOPS) as real:

        async def lane(platform: Platform) -> None:
            for _ in range(VISITS):
                await asyncio.sleep(0.4 + 0.2 * chance.random())
                assert await visit(real.pool, platform, server.shop("/usable")) == "usable"

        with structlog.testing.capture_logs() as lines, ExitStack() as served:
            for each in shops:
                served.enter_context(real.pool.serving(each))
            await asyncio.gather(*(lane(each) for each in shops for _ in range(2)))
            assert await settled(real.pool)
        rotations = [line for line in lines if line["event"].endswith("Rotation")]
        told = Counter((line["event"], line["reason"], line["uses"]) for line in rotations)
        assert told == {(events.PAGE_ROTATION, "uses", 3): SHOPS * 2 * VISITS // 3}
        assert await open_pages(real.browser) == accounted_pages(real.pool) <= SHOPS


async def test_few_pages_are_open_between_visits_and_contexts_stay(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """Whoever comes back finds its cookies, on a page that was opened when its visit was announced."""
    shops = [local_platform(10, 50, name=f"shop-{number}") for number in range(SHOPS)]
    async with real_pool(executable, temporary, SHOPS, kind=opener_kind, idle_pages=1) as real:
        for each in shops:
            async with real.pool.lease(each) as lease:
                await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=3000)
                await lease.page.evaluate("name => { document.cookie = `shop=${name}` }", each.platform)
        await asyncio.sleep(2 * PAUSE_S)
        assert await settled(real.pool)
        assert await open_pages(real.browser) == real.pool.stats().idle == 1
        for each in shops:
            real.pool.prepare(each)
            assert await settled(real.pool)
            opened = await open_pages(real.browser)
            async with real.pool.lease(each) as lease:
                assert await open_pages(real.browser) <= opened  # another shop may go meanwhile
                await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=3000)
                assert await lease.page.evaluate("() => document.cookie") == f"shop={each.platform}"
        assert real.pool.stats().rotations == {"page": 0, "context": 0, "browser": 0, "driver": 0}


async def test_pages_that_nobody_needs_are_closed(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """With nobody asking; the next visit finds another one."""
    platform = local_platform(10, 50)
    async with real_pool(executable, temporary, 2, kind=opener_kind, idle_s=0.5, idle_pages=2) as real:
        await asyncio.gather(*(visit(real.pool, platform, server.shop("/usable")) for _ in range(2)))
        assert await open_pages(real.browser) == 2
        assert await until(lambda: real.pool.stats().reasons == {"context idle": 2})
        assert await settled(real.pool)
        assert await open_pages(real.browser) == 0
        assert await visit(real.pool, platform, server.shop("/usable")) == "usable"
        assert len(real.launcher.browsers) == 1


async def test_no_page_stands_by_at_a_polite_pace(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """During the last use there is the page at work and no other; its successor is opened when it is needed."""
    platform = local_platform(page=2, context=50)
    async with real_pool(executable, temporary, kind=opener_kind, idle_pages=1) as real:
        for left in (1, 0, 1, 0):
            async with real.pool.lease(platform) as lease:
                await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=3000)
                await asyncio.sleep(0.2)
                assert await open_pages(real.browser) == 1
            assert await settled(real.pool)
            assert await open_pages(real.browser) == left
            await asyncio.sleep(0.3)
        assert real.pool.stats().rotations["page"] == 2
