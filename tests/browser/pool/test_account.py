"""What the pool believes to have open is what Chromium has open; afterwards nothing is."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
import structlog

from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.guard.probe import private_mb_by_process
from pagemill.telemetry import events
from tests.browser.pool.real_pool import (
    TROUBLE,
    VICTIMS,
    accounted_pages,
    group_members,
    lives,
    local_platform,
    open_pages,
    real_pool,
    settled,
    until,
    visit,
)
from tests.browser.pool.watched_server import WatchedServer, html, script

pytestmark = pytest.mark.browser


async def _lane(pool: BrowserPool, platform: Platform, url: str) -> None:
    """Visits for ever."""
    while True:
        await visit(pool, platform, url)


async def test_cancellation_at_random_moments_leaves_no_page(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """Forty times all lanes are cancelled somewhere in the middle: the pool's account and Chromium's agree."""
    chance = random.Random(7)
    async with real_pool(executable, temporary, 3, kind=opener_kind) as real:
        for round_number in range(40):
            # Without a limit no page goes for making a pause: none is closed between the two accounts.
            no_limit = {"rate_limit": {"enabled": False}}
            platform = local_platform(chance.randint(1, 3), chance.randint(1, 5), workflow=no_limit)
            lanes = [asyncio.create_task(_lane(real.pool, platform, server.shop("/usable"))) for _ in range(4)]
            await asyncio.sleep(chance.random() * 0.15)
            for lane in lanes:
                lane.cancel()
            ended = await asyncio.gather(*lanes, return_exceptions=True)
            assert all(isinstance(error, asyncio.CancelledError) for error in ended), ended
            assert await settled(real.pool)
            assert await open_pages(real.browser) == accounted_pages(real.pool), f"round {round_number}"
        assert real.pool.stats().leased == 0
        assert len(real.launcher.browsers) == 1


async def test_the_next_page_stands_by_during_the_last_use(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """One page at first, two during the last use, one again after the rotation; and the second is the successor."""
    platform = local_platform(page=3, context=50)
    async with real_pool(executable, temporary, kind=opener_kind, idle_pages=1) as real:
        seen = []
        for _ in range(6):
            async with real.pool.lease(platform) as lease:
                await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=3000)
                await asyncio.sleep(0.2)
                seen.append(await open_pages(real.browser))
            assert await settled(real.pool)
        assert seen == [1, 1, 2, 1, 1, 2]
        assert await open_pages(real.browser) == 1
        assert real.pool.stats().rotations == {"page": 2, "context": 0, "browser": 0, "driver": 0}


async def test_rotations_say_what_they_freed(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """A closed page's renderer goes, and its log line tells how many megabytes went with it, or a neighbour's does."""
    server.replies["/large"] = script(
        "window.kept = []; for (let i = 0; i < 30; i++) kept.push(Array(131072).fill(i + .5))"
    )
    async with real_pool(executable, temporary, measure=private_mb_by_process, kind=opener_kind) as real:
        with structlog.testing.capture_logs() as lines:
            for _ in range(4):
                await visit(real.pool, local_platform(page=1, context=50), server.shop("/large"))
                assert await settled(real.pool)
    rotations = [line for line in lines if line["event"] == events.PAGE_ROTATION]
    assert len(rotations) == 4
    assert sum(line["freed_mb"] for line in rotations) > 4 * 30, rotations
    assert {(line["reason"], line["uses"]) for line in rotations} == {("uses", 1)}


async def test_browser_and_driver_rotate_behind_the_lanes(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """No visit fails, and of those that were replaced neither process nor profile is left while the pool works."""
    platform = local_platform(page=4, context=8)
    async with real_pool(executable, temporary, 2, browser_max_uses=15, driver_max_uses=30, kind=opener_kind) as real:

        async def lane() -> None:
            for _ in range(30):
                assert await visit(real.pool, platform, server.shop("/usable")) == "usable"

        await asyncio.gather(lane(), lane())
        assert await settled(real.pool)
        assert len(real.launcher.browsers) >= 3
        assert len(real.launcher.drivers) >= (2 if opener_kind == "playwright" else 1)
        assert not real.remains(but_the_last=True)
        assert await open_pages(real.browser) == accounted_pages(real.pool)


async def test_nothing_is_left_after_close(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """No process of the browser's group, no driver, no profile; and not much time is taken."""
    async with real_pool(executable, temporary, 3, kind=opener_kind) as real:
        platform = local_platform(2, 4)
        await asyncio.gather(*(visit(real.pool, platform, server.shop("/usable")) for _ in range(3)))
        processes = group_members(real.browser.group)
        assert len(processes) >= 4  # the browser, a zygote, a renderer, a service
        assert real.browser.profile is not None and real.browser.profile.is_relative_to(temporary)
        assert real.remains()
        async with asyncio.timeout(5):
            await real.pool.close()
        assert await until(lambda: not any(map(lives, processes)))
        assert not real.remains()
        assert not list(temporary.iterdir())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize(("opener_kind", "victim"), VICTIMS)
async def test_nothing_is_left_after_closing_what_does_not_answer(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer, victim: str, number: signal.Signals
) -> None:
    """Close takes the sum of its deadlines at the most, and kills what is left."""
    async with real_pool(executable, temporary, 2, kind=opener_kind) as real:
        await visit(real.pool, local_platform(2, 4), server.shop("/usable"))
        os.kill(real.browser.pid if victim == "browser" else real.driver.pid, number)
        async with asyncio.timeout(10):
            await real.pool.close()
        assert await until(lambda: not real.remains()), real.remains()
        assert not list(temporary.glob("*profile*"))


async def test_closing_twice_and_while_launching_is_fine(executable: Path, temporary: Path, opener_kind: str) -> None:
    """A launch that is under way is waited for and its browser closed."""
    async with real_pool(executable, temporary, kind=opener_kind) as real:
        os.kill(real.browser.pid, signal.SIGKILL)
        opening = asyncio.create_task(real.pool.open())
        await asyncio.sleep(0.1)
        await asyncio.gather(real.pool.close(), real.pool.close())
        await asyncio.gather(opening, return_exceptions=True)
        assert opening.exception() is None or isinstance(opening.exception(), TROUBLE)


async def test_playwright_keeps_no_objects_of_old_pages(
    executable: Path, temporary: Path, server: WatchedServer
) -> None:
    """Two hundred leases with rotation leave Playwright's own registry as large as the first twenty did."""
    server.replies["/usable"] = html("<iframe srcdoc='<p>x'></iframe><script>fetch('/usable')</script>usable")
    platform = local_platform(page=5, context=20)
    async with real_pool(executable, temporary, 4) as real:
        implementation: Any = real.browser.native.browser
        registry = getattr(getattr(implementation._impl_obj, "_connection", None), "_objects", None)
        if registry is None:
            pytest.skip("this Playwright keeps its objects elsewhere")

        async def lane(leases: int) -> None:
            for _ in range(leases):
                await visit(real.pool, platform, server.shop("/usable"))

        async def objects_after(leases: int) -> int:
            await asyncio.gather(*(lane(leases // 4) for _ in range(4)))
            assert await settled(real.pool)
            gc.collect()
            return len(registry)

        first = await objects_after(20)
        assert first > 10
        assert await objects_after(200) <= first + 10
