"""A hundred and fifty leases that end in every way, on a real Chromium: afterwards nothing of them is left."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from pagemill.browser.firewall import Firewall
from pagemill.browser.lease import Lease
from pagemill.browser.opener import ContextHandle, PageHandle
from pagemill.browser.slot import Slot
from pagemill.errors import DeadlineExceeded, VisitFailed, VisitRefused
from pagemill.extraction.strategy import load_strategy
from pagemill.extraction.visit import Visit
from pagemill.model import Product
from pagemill.telemetry import events
from tests.browser.pool.real_pool import RealPool, idle, local_platform, open_pages, real_pool, settled, until
from tests.browser.pool.watched_server import Reply, WatchedServer, html, moved

pytestmark = pytest.mark.browser

PLATFORM = local_platform(
    page=4,
    context=9,
    extract={"strategy": "api_capture", "match": "/api/*", "fields": {"name": "data.name"}},
)
ENDINGS = ("good", "good", "good", "unanswered", "refused", "failed", "marked", "late", "cancelled", "cancelled")
LANES = 2
_OURS = (Lease, Slot, ContextHandle, PageHandle, Firewall)


def stock(server: WatchedServer) -> None:
    """A page that asks for its facts, one that gets none, and one that leads away."""
    asks = "<iframe srcdoc='<p>x'></iframe><script>fetch('/api/{}').catch(() => {{}})</script>"
    server.replies["/good"] = html(asks.format("1"))
    server.replies["/unanswered"] = html(asks.format("none"))
    server.replies["/refused"] = moved(server.elsewhere())
    server.replies["/api/1"] = Reply(b'{"data": {"name": "Shirt"}}', "application/json")


class Lanes:
    """Visits as lanes make them."""

    def __init__(self, real: RealPool, server: WatchedServer) -> None:
        self._real = real
        self._server = server
        self._strategy = load_strategy(PLATFORM)
        self._chance = random.Random(11)
        self.came_to: Counter[str] = Counter()

    async def work(self, leases: int) -> None:
        """So many visits on all lanes together; endings come in turn, cancellations at random moments."""
        endings = [ENDINGS[number % len(ENDINGS)] for number in range(leases)]

        async def lane() -> None:
            while endings:
                await self._end(endings.pop())

        await asyncio.gather(*(lane() for _ in range(LANES)))

    async def _end(self, ending: str) -> None:
        visit = asyncio.create_task(self._visit(ending))
        if ending == "cancelled":
            await asyncio.sleep(self._chance.random() * 0.2)
            visit.cancel()
        [outcome] = await asyncio.gather(visit, return_exceptions=True)
        self.came_to[outcome if isinstance(outcome, str) else type(outcome).__name__] += 1

    async def _visit(self, ending: str) -> str:
        path = ending if ending in ("unanswered", "refused") else "good"
        timeout_s = 0.5 if path == "unanswered" else 10.0
        async with self._real.pool.lease(PLATFORM) as lease:
            url = self._server.shop(f"/{path}")
            try:
                reading = await self._strategy.read(
                    lease.page, Visit(url, Product("1", url), timeout_s, news=lease.news)
                )
            except VisitFailed as error:
                if lease.refusal is not None:
                    raise VisitRefused(lease.refusal) from error
                raise
            if ending == "failed":
                raise VisitFailed("as wished")
            if ending == "late":
                raise DeadlineExceeded("visit", timeout_s)
            if ending == "marked":
                lease.mark_bad("failed")
            return "ready" if reading.ready else "not ready"


@dataclass(frozen=True)
class Account:
    """What the process holds of its browsers at one moment, with no page open."""

    objects: Counter[str]
    """In the registry of the driver's connection."""
    listeners: int
    """On all of those together."""
    calls: int
    """That the driver has not answered."""
    connections: int
    """To drivers, those that ended included."""
    tasks: int
    ours: dict[str, int]
    descriptors: int


async def account(real: RealPool) -> Account:
    """Counts, when every page is closed and garbage collected."""
    assert await settled(real.pool)
    real.pool.rotate_idle()
    assert await settled(real.pool)
    assert await until(lambda: not real.remains(but_the_last=True)), real.remains(but_the_last=True)
    del real.launcher.browsers[:-1], real.launcher.drivers[:-1]  # the recorder would keep their objects
    gc.collect()
    gc.collect()
    browser: Any = real.browser.native.browser
    connection = browser._impl_obj._connection
    objects = list(connection._objects.values())
    everything = gc.get_objects()
    return Account(
        objects=Counter(type(each).__name__ for each in objects),
        listeners=sum(each.listener_count(name) for each in objects for name in list(each._events)),
        calls=len(connection._callbacks),
        connections=sum(isinstance(each, type(connection)) for each in everything),
        tasks=len(asyncio.all_tasks()),
        ours={kind.__name__: sum(type(each) is kind for each in everything) for kind in _OURS},
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
    )


async def comes_back_to(before: Account, real: RealPool) -> Account:
    """The account at last: what was closed has its last events still to bring, and sockets to hang up."""
    async with asyncio.timeout(30):
        for _ in range(20):
            if (now := await account(real)) == before:
                break
            await asyncio.sleep(0.1)
    return now


def page_listeners(real: RealPool) -> set[int]:
    """How many listeners the idle pages have, each with its context; and no firewall has an answer under way."""
    found = set()
    for slot in idle(real.pool):
        if slot.page is not None:
            page, firewall = slot.page.handle.page._impl_obj, slot.page.handle.firewall
            assert not firewall._answers
            found.add(sum(each.listener_count(name) for each in (page, page._parent) for name in list(each._events)))
    return found


async def open_contexts(real: RealPool) -> int:
    """How many contexts Chromium has, asked past Playwright's own account."""
    session = await real.browser.native.browser.new_browser_cdp_session()
    try:
        return len((await session.send("Target.getBrowserContexts"))["browserContextIds"])
    finally:
        await session.detach()


async def test_after_150_leases_of_every_ending_nothing_is_kept(
    executable: Path, temporary: Path, server: WatchedServer
) -> None:
    """No object, listener, unanswered call, task, target or descriptor, while pages, contexts and browsers rotate."""
    stock(server)
    with capture_logs() as lines:
        async with real_pool(executable, temporary, LANES, browser_max_uses=40, driver_max_uses=90) as real:
            lanes = Lanes(real, server)
            async with real.pool.lease(PLATFORM):
                pass
            on_a_fresh_page = page_listeners(real)
            assert len(on_a_fresh_page) == 1
            before = await account(real)
            for leases in (30, 120):
                await lanes.work(leases)
                assert real.pool.stats().leased == 0
                assert await settled(real.pool)
                assert page_listeners(real) <= on_a_fresh_page
                assert await comes_back_to(before, real) == before
                assert await open_pages(real.browser) == 0
                assert await open_contexts(real) == 0
            stats = real.pool.stats()
    assert lanes.came_to["ready"] >= 45
    assert lanes.came_to.keys() >= {"not ready", "VisitRefused", "VisitFailed", "DeadlineExceeded", "CancelledError"}
    assert stats.rotations["page"] >= 30
    assert min(stats.rotations.values()) >= 1, stats.rotations
    assert not [line for line in lines if line["event"] == events.UNEXPECTED]
