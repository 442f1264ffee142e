"""A name that is listed does not list where it leads: a page goes to a private address only where that is listed too.

Chromium knows the names by a switch, pagemill by the lookup that it is given here; `tests/e2e` has both ask the
machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.name_lookup import NameLookup
from tests.browser.pool.real_pool import RealPool, local_platform, real_pool, where
from tests.browser.pool.watched_server import WatchedServer, html, moved, script

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

KNOWN = {"shop.test": ("127.0.0.1",), "a.cdn.test": ("203.0.113.7", "127.0.0.1")}
REFUSED = "host {} resolves to the private address 127.0.0.1: list it in hosts to allow it"


async def _known(host: str) -> tuple[str, ...]:
    if host not in KNOWN:
        raise OSError(f"{host} is not known")
    return KNOWN[host]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def named(
    executable: Path, opener_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealPool]:
    """A pool whose Chromium finds every name at 127.0.0.1."""
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("named")
        patch.setenv("TMPDIR", str(temporary))
        rules = ["--host-resolver-rules=MAP *.test 127.0.0.1"]
        lookup = NameLookup(_known)
        async with real_pool(executable, temporary, kind=opener_kind, extra_args=rules, lookup=lookup) as real:
            yield real


@pytest_asyncio.fixture(loop_scope="module")
async def shop(named: RealPool) -> AsyncIterator[WatchedServer]:
    """The server, on the loop of the pool."""
    async with WatchedServer.open() as server:
        server.replies["/"] = html("<h1>shop</h1>")
        yield server


async def _visit(named: RealPool, url: str, hosts: Sequence[str]) -> str | None:
    """The refusal of a visit, `None` where the page is shown."""
    async with named.pool.lease(local_platform(hosts=list(hosts), name=f"at-{len(hosts)}")) as lease:
        try:
            await lease.page.goto(url, wait_until="commit", timeout=5000)
        except PlaywrightError:
            assert await where(lease) == "about:blank"
            return lease.refusal
        assert await where(lease) == url
        return None


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("shop.test", ["shop.test"]),
        ("a.cdn.test", ["*.cdn.test"]),
        ("shop.test", ["shop.test", "127.0.0.1:1"]),
        ("shop.test", ["shop.test", "10.0.0.0/8", "::1"]),
    ],
)
async def test_a_name_that_leads_to_a_private_address_is_refused(
    named: RealPool, shop: WatchedServer, host: str, hosts: list[str]
) -> None:
    """Nothing is sent there, and the refusal says what to do; one private address among several will do."""
    assert await _visit(named, shop.at(host), hosts) == REFUSED.format(host)
    assert shop.contacts == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.0/8", "localhost"])
async def test_an_address_that_is_listed_may_be_led_to(named: RealPool, shop: WatchedServer, address: str) -> None:
    """By itself, by its network, or as `localhost`."""
    assert await _visit(named, shop.at("shop.test"), ["shop.test", address]) is None
    assert shop.hosts() == {"shop.test"}


async def test_a_name_that_only_chromium_knows_is_left_to_it(named: RealPool, shop: WatchedServer) -> None:
    """Whoever tells Chromium by a switch where names lead knows what it does."""
    assert await _visit(named, shop.at("other.test"), ["other.test"]) is None


@pytest.mark.parametrize("way", ["redirect", "script"])
async def test_a_page_cannot_lead_itself_there(named: RealPool, shop: WatchedServer, way: str) -> None:
    """The shop's own redirect to another of its listed names, and its script's."""
    there = shop.at("shop.test", "/there")
    shop.replies["/"] = moved(there) if way == "redirect" else script(f"location = '{there}'")
    platform = local_platform(hosts=["other.test", "shop.test"], name="led")
    async with named.pool.lease(platform) as lease:
        if way == "redirect":
            with pytest.raises(PlaywrightError):
                await lease.page.goto(shop.at("other.test"), wait_until="commit", timeout=5000)
        else:
            await lease.page.goto(shop.at("other.test"), wait_until="commit", timeout=5000)
            await lease.page.evaluate("new Promise((done) => setTimeout(done, 200))")
        assert lease.refusal == REFUSED.format("shop.test")
    assert shop.contacts == [("other.test", "/")]
