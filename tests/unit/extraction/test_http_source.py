"""Requests without a page: what is sent, where they may lead, and what becomes of what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from pagemill.config.platform import Platform
from pagemill.errors import DeadlineExceeded, VisitFailed, VisitRefused
from pagemill.extraction.http import MAX_BODY_BYTES, HttpAnswer, HttpSource
from pagemill.extraction.source_told import SourcesTold
from pagemill.extraction.visit import Visit
from pagemill.model import Product

ROW = "https://www.shop.com/p/7-컵?x=1"
Handler = Callable[[httpx.Request], Any]


def source_of(handler: Handler, **keys: Any) -> tuple[HttpSource, Visit]:
    """A source whose requests a function answers, and a visit of its product."""
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["www.shop.com", "api.shop.com"],
            "product": {"id": r"/p/(?P<id>\d+)(?:-(?P<slug>\w+))?"},
            "navigation": {"user_agent": "Agent/1", "locale": "ko-KR"},
            "extract": {
                "strategy": "http",
                "url": "https://api.shop.com/v1/{id}",
                "fields": {"name": "name", "price": {"path": "price", "type": "number"}},
                **keys,
            },
        }
    )
    source = HttpSource(platform.extract.sources[0], 0, platform)
    client = source._open()
    client._transport = httpx.MockTransport(_sent(handler))
    client._mounts = {}
    names = platform.names_of("row", ROW)
    assert names is not None
    return source, Visit(ROW, Product("row", ROW), 5.0, names=names)


def _sent(handler: Handler) -> Handler:
    """The same answers as a network brings them: nobody has read them yet."""

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = handler(request)
        response = await answer if asyncio.iscoroutine(answer) else answer
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content))

    return handle


async def asked(handler: Handler, **keys: Any) -> HttpAnswer:
    """What comes of one request."""
    source, visit = source_of(handler, **keys)
    return await source.ask(visit)


def gives(*answers: httpx.Response) -> tuple[Handler, list[httpx.Request]]:
    """A function that gives these answers, and what it was asked."""
    requests: list[httpx.Request] = []
    waiting = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return waiting.pop(0)

    return handle, requests


async def test_a_plain_source_makes_a_get_as_a_browser_would() -> None:
    """With the platform's agent and language, and no cookie from one product to the next."""
    answer = httpx.Response(200, json={"name": "컵"}, headers={"set-cookie": "a=1"})
    handle, requests = gives(answer, httpx.Response(200, json={}))
    source, visit = source_of(handle)
    assert (await source.ask(visit)).document == {"name": "컵"}
    await source.ask(visit)
    for request in requests:
        assert (request.method, str(request.url)) == ("GET", "https://api.shop.com/v1/7")
        assert (request.headers["user-agent"], request.headers["accept-language"]) == ("Agent/1", "ko-KR")
        assert "cookie" not in request.headers


async def test_without_an_address_the_products_own_is_asked() -> None:
    """As it stands; one that begins with `?` or `/` goes by it."""
    handle, requests = gives(*(httpx.Response(200, json={}) for _ in range(3)))
    for url in (None, "?ajax={id}", "/api/{slug}.json"):
        await asked(handle, url=url)
    assert [request.url.raw_path.decode() for request in requests] == [
        "/p/7-%EC%BB%B5?x=1",
        "/p/7-%EC%BB%B5?ajax=7",
        "/api/%EC%BB%B5.json",
    ]


async def test_bodies_are_filled_in() -> None:
    """As JSON, as a form, and as JSON within a form; a body makes a POST."""
    handle, requests = gives(*(httpx.Response(200, json={}) for _ in range(3)))
    query = "query($id: ID!) { product(id: $id) { name } }"
    await asked(handle, json={"query": query, "variables": {"id": "{id}", "n": 1}})
    await asked(handle, url="/q", form={"no": "{id}", "data": '{"slug": "{slug}"}'})
    await asked(handle, url="/q", method="PUT", json={"id": "{id}"})
    assert [request.method for request in requests] == ["POST", "POST", "PUT"]
    assert json.loads(requests[0].content) == {"query": query, "variables": {"id": "7", "n": 1}}
    assert parse_qs(requests[1].content.decode()) == {"no": ["7"], "data": ['{"slug": "컵"}']}


async def test_headers_are_filled_in_as_they_can_be_carried() -> None:
    """A Korean name in an address is percent-encoded, and the agent may be another one."""
    handle, requests = gives(httpx.Response(200, json={}))
    await asked(handle, headers={"Referer": "https://www.shop.com/p/{id}?s={slug}", "User-Agent": "Other/2"})
    assert requests[0].headers["referer"] == "https://www.shop.com/p/7?s=%EC%BB%B5"
    assert requests[0].headers["user-agent"] == "Other/2"


async def test_redirects_are_followed_within_the_hosts() -> None:
    """The answer says where it came from in the end; a POST becomes a GET where the shop says `see other`."""
    steps = [
        httpx.Response(307, headers={"location": "/v2/7"}),
        httpx.Response(303, headers={"location": "https://www.shop.com/v3/7"}),
        httpx.Response(200, json={"name": "x"}),
    ]
    handle, requests = gives(*steps)
    answer = await asked(handle, json={"id": "{id}"})
    assert (answer.asked, answer.url) == ("https://api.shop.com/v1/7", "https://www.shop.com/v3/7")
    assert [(request.method, bool(request.content)) for request in requests] == [
        ("POST", True),
        ("POST", True),
        ("GET", False),
    ]


@pytest.mark.parametrize("away", ["https://evil.com/7", "http://169.254.169.254/", "file:///etc/passwd"])
async def test_a_redirect_away_is_refused(away: str) -> None:
    """Nothing is asked there."""
    handle, requests = gives(httpx.Response(302, headers={"location": away}))
    with pytest.raises(VisitRefused, match="led away"):
        await asked(handle)
    assert len(requests) == 1


async def test_redirects_without_end_come_to_one() -> None:
    """Six requests are enough."""
    with pytest.raises(VisitFailed, match="more than 5 redirects"):
        await asked(lambda _request: httpx.Response(302, headers={"location": "/v1/7"}))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (httpx.ConnectError("refused"), "ConnectError: refused"),
        (httpx.ReadTimeout(""), "timeout: ReadTimeout"),
        (httpx.RemoteProtocolError("odd"), "RemoteProtocolError: odd"),
    ],
)
async def test_a_network_that_fails_is_told(error: Exception, message: str) -> None:
    """In the one line that a reason has."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(VisitFailed) as caught:
        await asked(fail)
    assert str(caught.value) == message


@pytest.mark.parametrize(("within_ms", "timeout_s"), [(100, 5.0), (60_000, 0.1)])
async def test_an_answer_that_does_not_come_costs_its_own_time_at_most(within_ms: int, timeout_s: float) -> None:
    """The source's limit, or the visit's where that is shorter."""

    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    source, visit = source_of(hang, within_ms=within_ms)
    with pytest.raises(DeadlineExceeded, match=r"0\.1 s"):
        await source.ask(Visit(visit.url, visit.product, timeout_s, names=visit.names))


@pytest.mark.parametrize(
    ("answer", "document", "problem"),
    [
        (httpx.Response(200, text="<html><b>Are you  human?"), None, 'no JSON: "<html><b>Are you human?"'),
        (httpx.Response(200, text=""), None, 'no JSON: ""'),
        (httpx.Response(404, json={"code": "GONE"}), {"code": "GONE"}, "HTTP 404"),
        (httpx.Response(503, text="<html>"), None, "HTTP 503"),
        (httpx.Response(200, content=b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'), None, "longer than 4000000 bytes"),
        (httpx.Response(200, content=')]}\',\n{"a": 1}'), {"a": 1}, ""),
        (httpx.Response(200, content='/**/jQuery1_2({"a": 1});\n'), {"a": 1}, ""),
        (httpx.Response(200, content='alert("a")'), None, "no JSON"),
        (
            httpx.Response(
                200,
                content='{"a": "컵"}'.encode("euc-kr"),
                headers={"content-type": "application/json; charset=euc-kr"},
            ),
            {"a": "컵"},
            "",
        ),
        (
            httpx.Response(
                200, content='{"a": "컵"}'.encode(), headers={"content-type": "application/json; charset=iso-8859-1"}
            ),
            {"a": "컵"},
            "",
        ),
        (httpx.Response(200, content=b"\xff\xfe\xfd", headers={"content-type": "x/y; charset=what"}), None, "no JSON"),
        (httpx.Response(429, json={}, headers={"retry-after": "9" * 500}), {}, "HTTP 429"),
    ],
)
async def test_what_comes_is_json_or_told(answer: httpx.Response, document: Any, problem: str) -> None:
    """Of an error as well; in the encoding that it is in."""
    handle, _ = gives(answer)
    came = await asked(handle)
    assert (came.status, came.document) == (answer.status_code, document)
    assert problem in came.problem
    assert len(came.retry_after) <= 100


async def test_an_error_says_its_word_and_no_facts() -> None:
    """Facts of an error's answer are somebody else's."""
    source, _ = source_of(lambda _request: httpx.Response(200))
    told = SourcesTold()
    body = {"name": "Sorry", "price": 5, "meta": {"code": "GONE"}}
    source.tell(HttpAnswer(404, ROW, ROW, body, problem="HTTP 404"), told, ("meta.code",))
    assert (told.errors, told.troubles, told.first("name")) == ([("meta.code", "GONE")], ["http: HTTP 404"], None)
    source.tell(HttpAnswer(200, ROW, ROW, body), told, ())
    assert told.facts(Platform.model_validate(EXTRACT).extract)[0] == {"name": "Sorry", "price": 5}


EXTRACT = {
    "platform": "shop",
    "hosts": ["www.shop.com"],
    "extract": {
        "strategy": "http",
        "url": "/{id}",
        "fields": {"name": "name", "price": {"path": "price", "type": "number"}},
    },
}


async def test_closing_closes_the_connections() -> None:
    """And the next request opens new ones."""
    source, _ = source_of(lambda _request: httpx.Response(200))
    client = source._open()
    source.close()
    source.close()
    await asyncio.gather(*source._closing)
    assert client.is_closed
    assert source._open() is not client
    source.close()
    await asyncio.gather(*source._closing)
