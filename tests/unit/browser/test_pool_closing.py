"""Closing a pool while somebody still waits for a page: nothing may be launched behind the closing's back."""

from __future__ import annotations

import asyncio

import pytest

from pagemill.browser.pool import BrowserPool
from pagemill.config.settings import PoolSettings
from pagemill.errors import BrowserUnavailable
from tests.unit.browser.opener import CountingOpener
from tests.unit.browser.test_pool import NOTHING, QuickClock, shop, use


@pytest.mark.parametrize("turns", range(1, 60, 3))
async def test_whoever_waits_for_a_page_is_told_and_nothing_is_left_open(turns: int) -> None:
    """At whatever point of a launch, an opening or a use the closing comes."""
    opener = CountingOpener(delay=8)
    pool = BrowserPool(opener, PoolSettings(), 2, clock=QuickClock())
    lanes = [asyncio.create_task(use(pool, shop(), 3)) for _ in range(3)]
    for _ in range(turns):
        await asyncio.sleep(0)
    await pool.close()
    ends = await asyncio.gather(*lanes, return_exceptions=True)
    await pool.close()
    assert {type(end) for end in ends} <= {BrowserUnavailable, type(None)}
    assert opener.open == NOTHING
    assert opener.opened["browser"] == 1
    with pytest.raises(BrowserUnavailable, match="closed"):
        await use(pool, shop(), 1)


async def test_a_lost_browser_is_not_replaced_once_the_pool_is_closed() -> None:
    """Whoever waited for its successor learns that there is none."""
    opener = CountingOpener(delay=3)
    opener.fail["browser"] = 3
    pool = BrowserPool(opener, PoolSettings(), 1, clock=QuickClock())
    lane = asyncio.create_task(use(pool, shop(), 1))
    while opener.fail["browser"] == 3:
        await asyncio.sleep(0)
    await pool.close()
    with pytest.raises(BrowserUnavailable):
        await lane
    await pool.close()
    assert opener.open == NOTHING
    assert opener.opened["browser"] == 0
