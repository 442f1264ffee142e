"""Visits through real proxies that want passwords: sticky to a context, changed with it, and no product lost by one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import ProxyAddress, VisitorSecrets
from pagemill.engine.job_state import JobState
from pagemill.engine.lane import Lane, Stations
from pagemill.errors import ProxyFailed, VisitFailed
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.navigate import navigate
from pagemill.extraction.strategy import load_strategy
from pagemill.model import Batch, ItemResult, Product, Verdict
from pagemill.pacing.turns import Turns
from tests.browser.pool.real_pool import RealPool, local_platform, real_pool
from tests.browser.visitor.seeing_shop import SeeingShop
from tests.browser.visitor.signing_proxy import SigningProxy
from tests.unit.pacing.stand_in_pace import StandInPace

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

COUNT = 200
ASK_OVER_UDP = """async (port) => {
  const found = [], way = new RTCPeerConnection({iceServers: [{urls: `stun:127.0.0.1:${port}`}]});
  way.onicecandidate = (event) => { if (event.candidate?.candidate) found.push(event.candidate.candidate); };
  way.createDataChannel("x");
  const gathered = new Promise((resolve) => {
    way.onicegatheringstatechange = () => { if (way.iceGatheringState === "complete") resolve(); };
  });
  await way.setLocalDescription(await way.createOffer());
  await Promise.race([gathered, new Promise((resolve) => setTimeout(resolve, 3000))]);
  way.close();
  return found;
}"""
SECRET = "hunter2-one", "hunter2-two"


@pytest.fixture(params=["cdp", "playwright"])
def opener_kind(request: pytest.FixtureRequest) -> str:
    """Who opens pages: both must keep to their proxies."""
    return str(request.param)


@dataclass
class World:
    """A shop, two proxies and a pool."""

    shop: SeeingShop
    one: SigningProxy
    two: SigningProxy
    real: RealPool
    results: list[ItemResult] = field(default_factory=list)

    async def visit(self, platform: Platform, path: str = "/item") -> str:
        """Which proxy a visit came by."""
        async with self.real.pool.lease(platform) as lease:
            await navigate(lease.page, self.shop.at(path), 10)
        return self.shop.last(path).headers["via"].removeprefix("1.1 ")

    async def run(self, platform: Platform, products: list[Product], lanes: int) -> list[ItemResult]:
        """All of them, judged by the real lanes."""
        batch = Batch("run", "b1", platform.platform, tuple(products))
        state = JobState(batch, platform, deque(products), asyncio.Event(), lanes)
        stations = Stations(
            pool=self.real.pool,
            turns=Turns(StandInPace()),
            artifacts=ArtifactStore(Path("/nowhere"), 1, 1, enabled=False),
            strategies={platform.platform: load_strategy(platform)},
            deliver=self.results.append,
            worker="w1",
            proxies=self.real.pool.proxies,
        )
        await asyncio.gather(*(Lane(number, state, stations).run() for number in range(lanes)))
        return self.results


@pytest_asyncio.fixture
async def world(executable: Path, opener_kind: str, temporary: Path) -> AsyncIterator[World]:
    """Everything on the test's loop."""
    async with contextlib.AsyncExitStack() as parts:
        shop = await parts.enter_async_context(SeeingShop.open())
        one = await parts.enter_async_context(SigningProxy.open("one", SECRET[0]))
        two = await parts.enter_async_context(SigningProxy.open("two", SECRET[1]))
        secrets = VisitorSecrets(
            proxies={"ONE": one.address, "TWO": two.address, "GONE": ProxyAddress.parse("http://127.0.0.1:1")}
        )
        pool = real_pool(executable, temporary, 2, kind=opener_kind, secrets=secrets, open_timeout_s=10)
        yield World(shop, one, two, await parts.enter_async_context(pool))


def shop_of(world: World, *names: str, context: int = 2, **more: Any) -> Platform:
    """A platform whose visitor has these proxies."""
    visitor = {"proxies": list(names), **more.pop("visitor", {})}
    more = {"workflow": {"rate_limit": {"enabled": False}}, "retry": {"attempts": 2, "backoff_ms": 0}, **more}
    return local_platform(1, context, visitor=visitor, **more)


async def test_a_context_keeps_its_proxy_and_the_next_has_the_next(world: World) -> None:
    """Loopback included, and with every request of the page; the password is asked for once in a context."""
    platform = shop_of(world, "ONE", "TWO")
    came_by = [await world.visit(platform) for _ in range(6)]
    assert came_by == ["one", "one", "two", "two", "one", "one"]
    assert all("via" in request.headers for request in world.shop.requests)
    assert world.one.denied <= 2
    assert {state.name: state.failures for state in world.real.pool.stats().proxies} == {"ONE": 0, "TWO": 0}


async def test_webrtc_does_not_go_past_the_proxy(world: World) -> None:
    """A page that asks a server over UDP for its own address reaches nobody."""
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.bind(("127.0.0.1", 0))
    heard.setblocking(False)
    async with world.real.pool.lease(shop_of(world, "ONE")) as lease:
        await navigate(lease.page, world.shop.at("/item"), 10)
        found = await lease.page.evaluate(ASK_OVER_UDP, heard.getsockname()[1])
    assert found == []
    with pytest.raises(BlockingIOError):
        heard.recv(2000)
    heard.close()


async def test_no_address_and_no_password_is_on_a_command_line(world: World) -> None:
    """Of any process of the browser, or of the driver."""
    await world.visit(shop_of(world, "ONE"))
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.name.isdecimal()]
    chromium = [line for line in lines if str(world.real.temporary).encode() in line]
    assert chromium
    assert not [line for line in lines if b"hunter2" in line or f"127.0.0.1:{world.one.port}".encode() in line]


FAULTS = {
    "one that is gone": ("GONE", "cannot be reached"),
    "one that refuses": ("ONE", "refuses user and password"),
}


@pytest.mark.parametrize(("name", "reason"), FAULTS.values(), ids=FAULTS)
async def test_a_proxy_that_fails_rests_and_another_one_is_taken(world: World, name: str, reason: str) -> None:
    """The visit fails by the proxy's name and goes on by another; the one at fault is left alone."""
    world.one.password = "changed"
    platform = shop_of(world, name, "TWO")
    with pytest.raises(ProxyFailed, match=f"^proxy {name} {reason}$") as caught:
        await world.visit(platform)
    assert caught.value.others
    assert [await world.visit(platform) for _ in range(4)] == ["two"] * 4
    (state,) = [state for state in world.real.pool.stats().proxies if state.name == name]
    assert (state.failures, state.reason) == (1, reason)
    assert state.resting_s > 0


async def test_when_no_proxy_works_the_reason_names_them_all(world: World) -> None:
    """The product is judged as failed, for that reason, and the next one works as soon as a proxy does."""
    await world.two.die()
    platform = shop_of(world, "GONE", "TWO", extract={"ready": "h1", "fields": {"name": "h1"}})
    product = Product("p1", world.shop.at("/item"), {"name": "seen"})
    (result,) = await world.run(platform, [product], 1)
    assert result.verdict is Verdict.FAILED
    assert result.reason == "no proxy works: GONE (cannot be reached), TWO (cannot be reached)"
    await world.two.start()
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(ProxyFailed):
                assert await world.visit(platform) == "two"
                break


async def test_a_broken_shop_is_no_fault_of_its_proxy(world: World) -> None:
    """A shop that hangs up keeps its proxies."""
    platform = shop_of(world, "ONE", "TWO")
    hangs_up = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = hangs_up.sockets[0].getsockname()[1]
    with pytest.raises(VisitFailed):
        async with world.real.pool.lease(platform) as lease:
            await navigate(lease.page, f"http://127.0.0.1:{port}/", 10)
    hangs_up.close()
    assert not [state for state in world.real.pool.stats().proxies if state.failures]


async def test_no_product_is_lost_when_a_proxy_dies_in_mid_run(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them are right; the shop sees each context on one proxy, and no log line an address or a password."""
    platform = shop_of(world, "ONE", "TWO", context=5, extract={"ready": "h1", "fields": {"name": "h1"}})
    products = [Product(f"p{n}", world.shop.at(f"/item/{n}"), {"name": "seen"}) for n in range(COUNT)]

    async def kill_one() -> None:
        while len(world.results) < COUNT // 3:
            await asyncio.sleep(0.02)
        await world.one.die()

    killing = asyncio.create_task(kill_one())
    results = await world.run(platform, products, 2)
    await killing
    assert {result.product_id: result.verdict for result in results} == {p.id: Verdict.OK for p in products}
    assert len(results) == COUNT
    documents = [request for request in world.shop.requests if request.path.startswith("/item/")]
    assert {request.headers["via"] for request in documents} == {"1.1 one", "1.1 two"}
    assert {state.name for state in world.real.pool.stats().proxies if state.failures} == {"ONE"}
    told = "".join(capsys.readouterr())
    assert "Proxy Rests" in told
    assert "hunter2" not in told
    assert str(world.one.port) not in told.replace(str(world.shop.port), "")
