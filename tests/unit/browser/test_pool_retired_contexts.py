"""A context that must not be used again, and leases that want one that nothing was visited in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pagemill.errors import PageLost
from tests.unit.browser.opener import CountingOpener
from tests.unit.browser.test_pool import opened, shop, use


async def settle() -> None:
    """Lets what is being opened and closed come to its end."""
    for _ in range(30):
        await asyncio.sleep(0)


async def test_a_retired_context_is_closed_and_says_why() -> None:
    """The next lease stands in another one, and the rotation has the reason."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        async with pool.lease(shop()) as lease:
            context = lease.page.context
            lease.retire_context("blocked")
        await settle()
        async with pool.lease(shop()) as lease:
            assert lease.page.context is not context
        assert pool.stats().reasons == {"context blocked": 1}
        assert opener.open["context"] == 1


async def test_a_context_is_retired_though_its_lease_ends_in_an_error() -> None:
    """The error's page goes with it, and counts as one rotation."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        await use(pool, shop(), 1)
        with pytest.raises(PageLost):
            async with pool.lease(shop()) as lease:
                lease.retire_context("PageLost")
                raise PageLost("crashed")
        await settle()
        assert pool.stats().rotations == {"page": 0, "context": 1, "browser": 0, "driver": 0}


async def test_a_page_that_stood_by_in_a_retired_context_goes_with_it() -> None:
    """It was opened for the context's next use, which will not come."""
    opener = CountingOpener(delay=3)
    async with opened(opener, size=1) as pool:
        async with pool.lease(shop(page=1)) as lease:  # its last use: the next page is being opened meanwhile
            context = lease.page.context
            await settle()
            lease.retire_context("blocked")
        async with pool.lease(shop(page=1)) as lease:
            assert lease.page.context is not context


async def test_lanes_beside_a_retired_context_are_not_touched() -> None:
    """Each leases a context of its own with its page: theirs go on, at work and afterwards."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        async with pool.lease(shop()) as beside:
            kept: Any = beside.page.context
            async with pool.lease(shop()) as lease:
                lease.retire_context("blocked")
            await settle()
            assert not kept.closed
        await settle()
        async with pool.lease(shop()) as one, pool.lease(shop()) as other:
            contexts = {id(one.page.context), id(other.page.context)}
        assert id(kept) in contexts
        assert pool.stats().reasons == {"context blocked": 1}


async def test_a_fresh_lease_takes_the_context_that_came_in_a_retired_ones_place() -> None:
    """No used one is closed for it: trying again costs one context, not two."""
    opener = CountingOpener()
    async with opened(opener, size=2) as pool:
        async with pool.lease(shop()), pool.lease(shop()) as lease:
            lease.retire_context("blocked")
        for _ in range(2):
            async with pool.lease(shop(), fresh=True) as lease:
                assert lease.is_first
                lease.retire_context("blocked")
        await settle()
        assert opener.opened["context"] == 4  # the first two, and one for each that was wanted
        assert pool.stats().reasons.keys() == {"context blocked"}


async def test_a_fresh_lease_makes_a_context_where_none_stands_ready() -> None:
    """In the place of a used one."""
    opener = CountingOpener()
    async with opened(opener, size=1) as pool:
        await use(pool, shop(), 1)
        async with pool.lease(shop(), fresh=True) as lease:
            assert lease.is_first
        async with pool.lease(shop()) as lease:
            assert not lease.is_first
        await settle()
        assert pool.stats().reasons == {"context fresh": 1}
