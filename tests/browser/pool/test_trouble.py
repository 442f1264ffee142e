"""Pages that hang or crash, browsers and drivers that die or stop: the pool goes on and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from playwright.async_api import Error as PlaywrightError

from pagemill.errors import DeadlineExceeded, PageLost
from pagemill.telemetry import events
from tests.browser.pool.real_pool import (
    VICTIMS,
    RealPool,
    accounted_pages,
    crash,
    idle,
    lives,
    local_platform,
    open_pages,
    real_pool,
    settled,
    until,
    visit,
    visit_at_last,
)
from tests.browser.pool.watched_server import WatchedServer, script

pytestmark = pytest.mark.browser

_RECOVERED_S = 15.0
"""Three openings of 2 s that fail, a launch, and what a loaded machine adds."""


@pytest_asyncio.fixture
async def real(executable: Path, temporary: Path, opener_kind: str) -> AsyncIterator[RealPool]:
    """A pool of two pages that is checked for remains when the test has ended."""
    async with real_pool(executable, temporary, 2, kind=opener_kind) as real:
        yield real


async def _hang(real: RealPool, server: WatchedServer) -> None:
    """Leases a page, sends it into an endless loop, and leaves it the way a lane does."""
    server.replies["/hang"] = script("setTimeout(() => { while (true) {} }, 50)")
    async with real.pool.lease(local_platform(10, 50)) as lease:
        await lease.page.goto(server.shop("/hang"), wait_until="commit", timeout=3000)
        await asyncio.sleep(0.1)
        raise DeadlineExceeded("reading the page", 0.1)


async def test_a_page_in_an_endless_loop_is_replaced(real: RealPool, server: WatchedServer) -> None:
    """It costs its lane nothing but the page: the next lease works at once, and no renderer is left spinning."""
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            await _hang(real, server)
        assert await visit_at_last(real.pool, local_platform(10, 50), server.shop("/usable"), 5) == "usable"
    assert await settled(real.pool)
    assert await open_pages(real.browser) == accounted_pages(real.pool)
    assert await until(lambda: not real.remains(but_the_last=True))


async def test_endless_loops_at_the_same_time_do_not_stop_the_pool(real: RealPool, server: WatchedServer) -> None:
    """Every lane hangs at once, and every lane goes on."""
    done = await asyncio.gather(*(_hang(real, server) for _ in range(4)), return_exceptions=True)
    assert all(isinstance(error, DeadlineExceeded) for error in done)
    texts = [visit_at_last(real.pool, local_platform(10, 50), server.shop("/usable"), _RECOVERED_S) for _ in range(2)]
    assert await asyncio.gather(*texts) == ["usable", "usable"]


async def test_a_crashed_renderer_is_replaced(real: RealPool, server: WatchedServer) -> None:
    """The visit ends with an error in time, and the next one works on the same browser."""
    for _ in range(2):
        with pytest.raises(PageLost):
            async with real.pool.lease(local_platform(10, 50)) as lease:
                await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=3000)
                await crash(lease.page)
                raise PageLost("crashed")
        assert await visit(real.pool, local_platform(10, 50), server.shop("/usable")) == "usable"
    assert await settled(real.pool)
    assert len(real.launcher.browsers) == 1
    assert await open_pages(real.browser) == accounted_pages(real.pool)


async def test_a_crash_of_an_idle_page_costs_one_visit(real: RealPool, server: WatchedServer) -> None:
    """Nobody looks at a page between its leases: the next visit fails quickly, the one after it works."""
    platform = local_platform(10, 50)
    await visit(real.pool, platform, server.shop("/usable"))
    (slot,) = idle(real.pool)
    await crash(slot.page.handle.page)
    assert await visit_at_last(real.pool, platform, server.shop("/usable"), 5) == "usable"
    assert len(real.launcher.browsers) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize(("opener_kind", "victim"), VICTIMS)
@pytest.mark.parametrize("moment", ["idle", "leased"])
async def test_a_lost_browser_or_driver_is_replaced(
    real: RealPool, server: WatchedServer, victim: str, moment: str, number: signal.Signals
) -> None:
    """A new browser serves within the deadlines; of the old one no process and no profile is left."""
    platform = local_platform(10, 50)
    await visit(real.pool, platform, server.shop("/usable"))
    pid = real.browser.pid if victim == "browser" else real.driver.pid
    assert lives(pid)
    if moment == "idle":
        os.kill(pid, number)
    else:
        with pytest.raises((PlaywrightError, TimeoutError)):
            async with real.pool.lease(platform) as lease, asyncio.timeout(1):
                os.kill(pid, number)
                await lease.page.evaluate("new Promise(() => {})")
    with structlog.testing.capture_logs() as lines:
        assert await visit_at_last(real.pool, platform, server.shop("/usable"), 30) == "usable"
        assert len(real.launcher.browsers) == 2
        assert await until(lambda: not real.remains(but_the_last=True), 10), real.remains(but_the_last=True)
    assert not lives(pid)
    assert not [line for line in lines if line["event"] == events.UNEXPECTED]


@pytest.mark.parametrize("opener_kind", ["playwright"])
async def test_a_killed_driver_does_not_outlive_its_browser(real: RealPool, server: WatchedServer) -> None:
    """After several losses of either kind exactly one driver and one browser run."""
    platform = local_platform(10, 50)
    for victim in ("driver", "browser", "driver"):
        await visit_at_last(real.pool, platform, server.shop("/usable"), _RECOVERED_S)
        os.kill(real.browser.pid if victim == "browser" else real.driver.pid, signal.SIGKILL)
    await visit_at_last(real.pool, platform, server.shop("/usable"), _RECOVERED_S)
    assert await until(lambda: not real.remains(but_the_last=True), 10)


@pytest.mark.parametrize(("opener_kind", "victim"), VICTIMS)
async def test_a_loss_is_noticed_while_nobody_asks(real: RealPool, server: WatchedServer, victim: str) -> None:
    """So that the next lease already gets a page of the next browser, and does not fail first."""
    platform = local_platform(10, 50)
    await visit(real.pool, platform, server.shop("/usable"))
    os.kill(real.browser.pid if victim == "browser" else real.driver.pid, signal.SIGKILL)
    assert await until(lambda: not real.pool.stats().idle, 3)
    assert await visit(real.pool, platform, server.shop("/usable")) == "usable"


async def test_leases_that_are_out_when_the_browser_dies_just_end(real: RealPool, server: WatchedServer) -> None:
    """Two lanes hold pages of it; both get errors of their own and both go on with the new browser."""
    platform = local_platform(10, 50)

    async def lane() -> str:
        with pytest.raises(PlaywrightError):
            async with real.pool.lease(platform) as lease:
                holding.release()
                await lease.page.evaluate("new Promise(() => {})")
        return await visit_at_last(real.pool, platform, server.shop("/usable"), _RECOVERED_S)

    holding = asyncio.Semaphore(0)
    lanes = asyncio.gather(lane(), lane())
    await holding.acquire()
    await holding.acquire()
    os.kill(real.browser.pid, signal.SIGKILL)
    assert list(await lanes) == ["usable", "usable"]
    assert len(real.launcher.browsers) == 2
    assert await settled(real.pool)
    assert real.pool.stats().rotations["browser"] == 1
