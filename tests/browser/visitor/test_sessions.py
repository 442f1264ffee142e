"""Whether one visit finds what another left: with `session: clear` nothing, with `keep` all of its context."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.pool.real_pool import RealPool, local_platform, real_pool
from tests.browser.visitor.seeing_shop import SeeingShop

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

LEAVE = """async () => {
  document.cookie = "currency=USD";
  localStorage.currency = sessionStorage.currency = window.name = "USD";
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open("shop");
    opening.onupgradeneeded = () => opening.result.createObjectStore("things");
    opening.onsuccess = () => { opening.result.close(); resolve(); };
    opening.onerror = reject;
  });
  await (await caches.open("shop")).put("/kept", new Response("USD"));
  await (await fetch("/cached.js")).text();
}"""
FIND = """async () => ({
  cookie: document.cookie, name: window.name,
  local: localStorage.currency ?? "", session: sessionStorage.currency ?? "",
  databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
  text: await (await fetch("/cached.js")).text(),
})"""
NOTHING = {"cookie": "adult=1", "local": "", "session": "", "name": "", "databases": 0, "caches": 0}


@pytest.fixture(params=["cdp", "playwright"])
def opener_kind(request: pytest.FixtureRequest) -> str:
    """Who opens pages: both must forget alike."""
    return str(request.param)


@pytest_asyncio.fixture
async def real(executable: Path, opener_kind: str, temporary: Path) -> AsyncIterator[RealPool]:
    """A pool of one page."""
    async with real_pool(executable, temporary, kind=opener_kind) as real:
        yield real


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[SeeingShop]:
    """A shop whose page does nothing by itself."""
    async with SeeingShop.open() as shop:
        shop.page = "<h1>seen</h1>"
        yield shop


async def run(real: RealPool, shop: SeeingShop, session: str, script: str, *, light: bool = False) -> Any:
    """What the script finds in one visit; contexts last long."""
    visitor = {"session": session, "cookies": {"adult": "1"}}
    async with real.pool.lease(local_platform(50, 50, visitor=visitor)) as lease, asyncio.timeout(20):
        if light:
            lease.mark_light()
        await lease.page.goto(shop.at("/item"), wait_until="commit", timeout=10_000)
        return await lease.page.evaluate(script)


@pytest.mark.parametrize("light", [False, True], ids=["a visit", "an answer fetched within the page"])
async def test_nothing_of_one_visit_is_there_in_the_next(real: RealPool, shop: SeeingShop, light: bool) -> None:
    """Cookies, storages, databases, caches and the name of the window; the visitor's own cookies are back."""
    for _ in range(2):
        await run(real, shop, "clear", LEAVE, light=light)
        found = await run(real, shop, "clear", FIND, light=light)
        assert {name: found[name] for name in NOTHING} == NOTHING
    scripts = [request for request in shop.requests if request.path == "/cached.js"]
    assert len(scripts) == 4, "an answer of the last visit's cache tells visits apart"


async def test_products_of_a_context_share_what_they_leave(real: RealPool, shop: SeeingShop) -> None:
    """Unless it is said otherwise."""
    await run(real, shop, "keep", LEAVE)
    found = await run(real, shop, "keep", FIND)
    assert found["cookie"] == "adult=1; currency=USD"
    assert (found["local"], found["databases"], found["caches"]) == ("USD", 1, 1)
