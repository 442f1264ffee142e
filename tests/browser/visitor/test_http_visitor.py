"""Requests without a page come from the same visitor: headers, cookies, password, and proxies by turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import Credentials, ProxyAddress, VisitorSecrets
from pagemill.config.visitor.storage_state import StorageState
from pagemill.errors import ProxyFailed
from pagemill.extraction.http import HttpAnswer, HttpSource
from pagemill.extraction.visit import Visit
from pagemill.model import Product
from tests.browser.visitor.seeing_shop import PASSWORD, USER, SeeingShop
from tests.browser.visitor.signing_proxy import SigningProxy

pytestmark = pytest.mark.asyncio

GONE = ProxyAddress.parse("http://127.0.0.1:1")


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[SeeingShop]:
    """A shop that sees."""
    async with SeeingShop.open() as shop:
        yield shop


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[SigningProxy]:
    """A proxy that wants a password."""
    async with SigningProxy.open("one", "hunter2") as proxy:
        yield proxy


async def ask(
    shop: SeeingShop,
    visitor: dict[str, Any],
    secrets: VisitorSecrets,
    path: str = "/api",
    *,
    times: int = 1,
    proxies: Proxies | None = None,
) -> HttpAnswer:
    """What the last of so many requests of one source comes to."""
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["127.0.0.1"],
            "rotation": {"page": 1, "context": 2},
            "visitor": visitor,
            "extract": {"strategy": "http", "url": f"{path}?id={{id}}", "fields": {"name": "name"}},
        }
    )
    source = HttpSource(platform.extract.sources[0], 0, platform)
    turns = proxies or Proxies(secrets.proxies)
    names = platform.names_of("p", shop.at("/p"))
    assert names is not None
    visit = Visit(shop.at("/p"), Product("p", shop.at("/p")), 10.0, names=names, proxies=turns, secrets=secrets)
    try:
        for _ in range(times - 1):
            await source.ask(visit)
        return await source.ask(visit)
    finally:
        source.close()
        await asyncio.gather(*source._closing)


async def test_a_request_is_the_visitors(shop: SeeingShop) -> None:
    """User agent, language, extra headers, cookies of the file and of YAML, and the password."""
    cookies = [
        {"name": "session", "value": "s1", "domain": "127.0.0.1"},
        {"name": "secret", "value": "s2", "domain": "127.0.0.1", "secure": True},
        {"name": "old", "value": "s3", "domain": "127.0.0.1", "expires": 1},
        {"name": "part", "value": "s6", "domain": "127.0.0.1", "partitionKey": "https://shop.test"},
        {"name": "other", "value": "s4", "domain": ".shop.test"},
        {"name": "deep", "value": "s5", "domain": "127.0.0.1", "path": "/lock"},
        {"name": "adult", "value": "0", "domain": "127.0.0.1"},
    ]
    state = StorageState.model_validate(json.loads(json.dumps({"cookies": cookies})))
    secrets = VisitorSecrets({}, {"SHOP": Credentials(USER, PASSWORD)}, {"shop": state})
    visitor = {
        "device": "Pixel 7",
        "locale": "ko-KR",
        "headers": {"Referer": "https://search.example/", "X-Shop": "yes"},
        "cookies": {"adult": "1"},
        "credentials": "SHOP",
    }
    answer = await ask(shop, visitor, secrets, "/locked")
    assert answer.status == 200
    request = shop.last("/locked")
    assert "Pixel 7" in request.headers["user-agent"]
    assert request.headers["accept-language"] == "ko-KR"
    assert (request.headers["referer"], request.headers["x-shop"]) == ("https://search.example/", "yes")
    assert request.cookies == {"session": "s1", "adult": "1"}


async def test_requests_go_through_one_proxy_as_long_as_a_context_would(shop: SeeingShop, proxy: SigningProxy) -> None:
    """Then through the next one."""
    async with SigningProxy.open("two", "hunter2") as two:
        secrets = VisitorSecrets({"ONE": proxy.address, "TWO": two.address})
        await ask(shop, {"proxies": ["ONE", "TWO"]}, secrets, times=6)
    assert [request.headers["via"][4:] for request in shop.requests] == ["one", "one", "two", "two", "one", "one"]


FAULTS = {"one that is gone": False, "one that refuses": True}


@pytest.mark.parametrize("refuses", FAULTS.values(), ids=FAULTS)
async def test_a_request_takes_another_proxy_when_one_fails(
    shop: SeeingShop, proxy: SigningProxy, refuses: bool
) -> None:
    """At once; the one that failed rests."""
    async with SigningProxy.open("two", "hunter2") as two:
        bad = ProxyAddress.parse(two.url.replace("hunter2", "wrong")) if refuses else GONE
        secrets = VisitorSecrets({"BAD": bad, "ONE": proxy.address})
        proxies = Proxies(secrets.proxies)
        answer = await ask(shop, {"proxies": ["BAD", "ONE"]}, secrets, times=3, proxies=proxies)
    assert answer.status == 200
    assert [request.headers["via"] for request in shop.requests] == ["1.1 one"] * 3
    assert {state.name: state.failures for state in proxies.states()} == {"BAD": 1, "ONE": 0}


async def test_a_request_that_no_proxy_lets_through_says_so(shop: SeeingShop) -> None:
    """By the names of the proxies, with what is wrong with each."""
    with pytest.raises(
        ProxyFailed, match=r"^no proxy works: A \(cannot be reached\), B \(cannot be reached\)$"
    ) as told:
        await ask(shop, {"proxies": ["A", "B"]}, VisitorSecrets({"A": GONE, "B": GONE}))
    assert not told.value.others
    assert shop.requests == []


async def test_a_socks_proxy_is_understood(shop: SeeingShop) -> None:
    """One that is gone is told as such, and not as a library that is missing."""
    secrets = VisitorSecrets({"S": ProxyAddress.parse("socks5://127.0.0.1:1")})
    with pytest.raises(ProxyFailed, match="cannot be reached"):
        await ask(shop, {"proxies": ["S"]}, secrets)
