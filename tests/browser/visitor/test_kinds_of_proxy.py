"""Proxies that are spoken to over TLS, and SOCKS5 proxies: pages, what is fetched in them, requests without a page."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import ProxyAddress, VisitorSecrets
from pagemill.errors import ProxyFailed, VisitFailed
from pagemill.extraction.http import HttpAnswer, HttpSource
from pagemill.extraction.navigate import navigate
from pagemill.extraction.strategy import load_strategy
from pagemill.extraction.visit import Visit
from pagemill.model import PageReading, Product
from tests.browser.loopback import LoopbackServer, Serve
from tests.browser.pool.real_pool import WHEN_LOADED, RealPool, local_platform, real_pool
from tests.browser.visitor.certificates import key_mark, server_tls
from tests.browser.visitor.seeing_shop import SeeingShop
from tests.browser.visitor.signing_proxy import SigningProxy
from tests.browser.visitor.socks_proxy import SocksProxy

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HOST = "shop.invalid"
"""Only the proxies know it: whoever asks past them finds nobody."""
KINDS = ["TLS", "SOCKS"]


@dataclass(frozen=True)
class Way:
    """A proxy of each kind, and some that do not work."""

    tls: ssl.SSLContext
    keys: Path
    over_tls: SigningProxy
    socks: SocksProxy
    secrets: VisitorSecrets

    def passed(self, kind: str) -> set[str]:
        """The hosts that the proxy of a kind has led to."""
        targets = self.over_tls.passed if kind == "TLS" else self.socks.passed
        return {target.split("://")[-1].split("/")[0].rpartition(":")[0] for target in targets}


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """The port of a server."""
    server = LoopbackServer(serve)
    yield await server.start()
    await server.close()


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As an HTTP proxy does that is spoken to over TLS."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 X\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes what comes."""
    while await reader.read(65536):
        pass
    writer.close()


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """At once."""
    writer.transport.abort()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    """Everything on the module's loop."""
    keys = tmp_path_factory.mktemp("keys")
    tls = server_tls(keys, HOST)
    async with contextlib.AsyncExitStack() as parts:
        over_tls = await parts.enter_async_context(SigningProxy.open("one", "hunter2", tls))
        socks = await parts.enter_async_context(SocksProxy.open())
        signing = await parts.enter_async_context(SocksProxy.open())
        signing.wants_password = True
        over_tls.names[HOST] = socks.names[HOST] = "127.0.0.1"
        addresses = {
            "TLS": over_tls.url,
            "SOCKS": str(socks.address.server),
            "WRONG": over_tls.url.replace("hunter2", "hunter3"),
            "PLAIN": f"https://127.0.0.1:{await parts.enter_async_context(listening(refuse))}",
            "SILENT": f"https://127.0.0.1:{await parts.enter_async_context(listening(say_nothing))}",
            "SIGNING": signing.address.server,
            "GONE_TLS": "https://127.0.0.1:1",
            "GONE_SOCKS": "socks5://127.0.0.1:1",
        }
        proxies = {name: ProxyAddress.parse(address) for name, address in addresses.items()}
        yield Way(tls, keys, over_tls, socks, VisitorSecrets(proxies))


@pytest.fixture
def way(standing: Way) -> Way:
    """That has led nobody anywhere yet."""
    standing.over_tls.passed.clear()
    standing.socks.passed.clear()
    return standing


@pytest_asyncio.fixture(loop_scope="module")
async def shop() -> AsyncIterator[SeeingShop]:
    """A shop that sees."""
    async with SeeingShop.open() as shop:
        yield shop


@pytest.fixture(scope="module", params=["cdp", "playwright"])
def opener_kind(request: pytest.FixtureRequest) -> str:
    """Who opens pages: both must keep to their proxies."""
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def real(
    executable: Path, opener_kind: str, tmp_path_factory: pytest.TempPathFactory, standing: Way
) -> AsyncIterator[RealPool]:
    """A pool whose browser takes the certificate of the proxy for a good one."""
    trusts = (f"--ignore-certificate-errors-spki-list={key_mark(standing.keys, 'server')}",)
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("proxied")
        patch.setenv("TMPDIR", str(temporary))
        async with real_pool(
            executable, temporary, kind=opener_kind, secrets=standing.secrets, extra_args=trusts, open_timeout_s=10
        ) as real:
            yield real


def platform_of(name: str, **more: Any) -> Platform:
    """The shop, visited through one proxy, in contexts of its own."""
    platform = f"{name}-{'-'.join(more)}".lower()
    return local_platform(50, 50, platform, visitor={"proxies": [name]}, **more).model_copy(update={"hosts": (HOST,)})


async def go(real: RealPool, shop: SeeingShop, name: str, seconds: float = 10) -> None:
    """One visit."""
    async with real.pool.lease(platform_of(name)) as lease, asyncio.timeout(20):
        await navigate(lease.page, shop.at("/item", HOST), seconds)
        await lease.page.evaluate(WHEN_LOADED)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_request_of_a_page_goes_through(real: RealPool, way: Way, shop: SeeingShop, kind: str) -> None:
    """Its own host's, whose name is the proxy's to find, and those to loopback."""
    await go(real, shop, kind)
    assert {"/item", "/script.js", "/tracker.js"} <= {request.path for request in shop.requests}
    assert way.passed(kind) == {HOST, "localhost"}
    assert kind == "SOCKS" or all("via" in request.headers for request in shop.requests)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_fetched_in_a_page_goes_through(real: RealPool, shop: SeeingShop, kind: str) -> None:
    """Instead of the fourth visit of a document."""
    platform = platform_of(kind, extract={"strategy": "in_page_fetch", "fields": {"name": "h1"}})
    reader, url = load_strategy(platform), shop.at("/item", HOST)
    readings: list[PageReading] = []
    for _ in range(4):
        async with real.pool.lease(platform) as lease:
            product = Product("1", url, {"name": "seen"})
            readings.append(await reader.read(lease.page, Visit(url, product, 10, news=lease.news, world=lease.world)))
    assert [(reading.facts["name"], reading.light) for reading in readings] == [("seen", False)] * 3 + [("seen", True)]


FAULTS = {
    "WRONG": "refuses user and password",
    "PLAIN": "takes no TLS connection: is it http://?",
    "SILENT": "takes no TLS connection: is it http://?",
    "SIGNING": "opens no connection",
    "GONE_TLS": "cannot be reached",
    "GONE_SOCKS": "cannot be reached",
}


@pytest.mark.parametrize(("name", "reason"), FAULTS.items())
async def test_a_page_says_what_is_wrong_with_a_proxy(real: RealPool, shop: SeeingShop, name: str, reason: str) -> None:
    """And the proxy rests."""
    with pytest.raises(ProxyFailed, match=rf"^no proxy works: {name} \({re.escape(reason)}\)$"):
        await go(real, shop, name, 2 if name == "SILENT" else 10)
    assert shop.requests == []


async def test_a_page_trusts_no_proxy_with_a_certificate_of_its_own(
    executable: Path, opener_kind: str, temporary: Path, way: Way, shop: SeeingShop
) -> None:
    """Which nobody has told Chromium of."""
    pool = real_pool(executable, temporary, kind=opener_kind, secrets=way.secrets, open_timeout_s=10)
    async with pool as real:
        with pytest.raises(ProxyFailed, match=r"^no proxy works: TLS \(has a certificate that is not valid\)$"):
            await go(real, shop, "TLS")


async def ask(shop: SeeingShop, way: Way, *names: str) -> HttpAnswer:
    """What a request without a page comes to."""
    extract = {"strategy": "http", "url": "/api?id={id}", "within_ms": 3000, "fields": {"name": "name"}}
    platform = platform_of("TLS", extract=extract)
    platform = platform.model_copy(update={"visitor": platform.visitor.model_copy(update={"proxies": names})})
    source = HttpSource(platform.extract.sources[0], 0, platform)
    url = shop.at("/p", HOST)
    names_of = platform.names_of("p", url)
    assert names_of is not None
    turns = Proxies(way.secrets.proxies)
    visit = Visit(url, Product("p", url), 10.0, names=names_of, proxies=turns, secrets=way.secrets)
    try:
        return await source.ask(visit)
    finally:
        source.close()
        await asyncio.gather(*source._closing)


@pytest.fixture
def trusting(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that knows the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(way.keys / "authority.pem"))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_request_without_a_page_goes_through(way: Way, kind: str, scheme: str) -> None:
    """To a shop whose certificate the machine trusts, as it does that of the proxy."""
    async with SeeingShop.open(way.tls if scheme == "https" else None) as shop:
        answer = await ask(shop, way, kind)
    assert (answer.status, answer.document, [request.path for request in shop.requests]) == (200, 0, ["/api"])
    assert way.passed(kind) == {HOST}


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(("name", "reason"), FAULTS.items())
async def test_a_request_says_what_is_wrong_with_a_proxy(way: Way, shop: SeeingShop, name: str, reason: str) -> None:
    """In the words that a page has for it."""
    with pytest.raises(ProxyFailed, match=rf"^no proxy works: {name} \({re.escape(reason)}\)$"):
        await ask(shop, way, name)
    assert shop.requests == []


async def test_a_request_trusts_no_proxy_with_a_certificate_of_its_own(way: Way, shop: SeeingShop) -> None:
    """Another one is taken."""
    with pytest.raises(ProxyFailed, match=r"^no proxy works: TLS \(has a certificate that is not valid\)$"):
        await ask(shop, way, "TLS")
    assert (await ask(shop, way, "TLS", "SOCKS")).status == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_a_shop_that_breaks_off_the_handshake_is_no_fault_of_a_proxy(
    way: Way, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor is one whose certificate nobody knows."""
    if kind == "TLS":
        monkeypatch.setenv("SSL_CERT_FILE", str(way.keys / "authority.pem"))
    async with listening(hang_up) as port:
        with pytest.raises(VisitFailed):
            await ask(SeeingShop(port, "https"), way, kind)
    async with SeeingShop.open(server_tls(tmp_path, HOST)) as shop:
        with pytest.raises(VisitFailed):
            await ask(shop, way, kind)
