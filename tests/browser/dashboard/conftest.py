"""A fleet in a real Redis, the control API in front of it, and a page of a real Chromium that looks at both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from playwright.async_api import Browser, Page, async_playwright, expect

from pagemill.results.store import ResultStore
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.fleet_world import FleetWorld
from tests.redis.conftest import redis_client, redis_server

__all__ = ["redis_client", "redis_server"]

_EXPECTED = ("401 (Unauthorized)",)
"""Chromium reports every answer of this kind; asking who one is, is how the page finds out."""


@dataclass
class Looker:
    """A page, and everything that it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def unexpected(self, *expected: str) -> list[str]:
        """What should not have been there, violations of the content policy among it."""
        known = (*_EXPECTED, *expected)
        return [each for each in self.complaints if not any(word in each for word in known)]


@pytest.fixture
def world(redis_client: redis.Redis) -> FleetWorld:
    """Two workers at work and a silent one, with their past."""
    world = FleetWorld(redis_client)
    world.build()
    return world


@pytest.fixture
def api(redis_server: str, world: FleetWorld, tmp_path: Path) -> Iterator[ApiServer]:
    """The control API, which asks for tokens."""
    with ApiServer(redis_server, tmp_path) as server:
        yield server


@pytest.fixture
def store(api: ApiServer) -> Iterator[ResultStore]:
    """The API's own results."""
    with ResultStore(api.database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def looking_chromium(executable: Path) -> AsyncIterator[Browser]:
    """One browser for all who look."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def looker(looking_chromium: Browser) -> AsyncIterator[Looker]:
    """An empty page of 1280 by 800, in a context of its own."""
    expect.set_options(timeout=15_000)  # Chromium, server and test share the machine's cores
    async with await looking_chromium.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = await context.new_page()
        found = Looker(page)
        page.on("console", lambda message: found.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        yield found
        await page.unroute_all(behavior="ignoreErrors")
