"""Answers that are no longer than they may be, and cost many times that: no lane stands still for them."""

from __future__ import annotations

import pytest

from tests.browser.extraction.local_shop import LocalShop, Reply, html
from tests.browser.hostile.cup import HTML, JSON, PAGE, platform, visited
from tests.browser.hostile.lanes import Lanes

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_MOST_LAG_S = 3.0
"""For which the other lanes may stand still."""
_MORE = b'{"name": "Blue cup", "price": 12900, "more": '
_JSON = {
    "100,000 levels": _MORE + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a million lists": _MORE + b"[" + b"[]," * 1_300_000 + b"[]]}",
    "a million objects": _MORE + b"[" + b"{}," * 1_300_000 + b"{}]}",
    "a million numbers": _MORE + b"[" + b"999," * 990_000 + b"0]}",
    "a number of a million digits": _MORE + b"1" * 1_000_000 + b"}",
    "a price of a million words": b'{"name": "Blue cup", "price": "' + b"1 " * 900_000 + b'"}',
    "a name of a million words": b'{"price": 12900, "name": "' + b"cup " * 450_000 + b'"}',
    "a script of a million objects": b"b = {c: 1};" * 175_000,
    "a script of objects without anything": b"b = {};" * 250_000,
    "a script in quotes that do not end": b'b = {"' + b'\\"' * 900_000,
    "a script of texts": b'JSON.parse("' * 150_000,
}
"""Each is shorter than may be read of a page or an answer."""


@pytest.mark.parametrize("what", _JSON)
@pytest.mark.parametrize("source", ["http", "api_capture", "state", "structured"])
async def test_json(what: str, source: str, quick_lanes: Lanes, local_shop: LocalShop) -> None:
    """Its text is not long, but what it is of is: no lane stands still for that."""
    body = _JSON[what]
    if source == "structured":
        body = body[:1_990_000].replace(b"{", b'{"@type": "Product", ', 1)
        document = b'<script type="application/ld+json">' + body + b"</script>"
    else:
        document = b'<script id=state type="application/json">' + body + b"</script><script>fetch('/api/bad')</script>"
    local_shop.replies |= {"/p/bad": Reply((document,), headers=(HTML,)), "/api/bad": Reply((body,), headers=(JSON,))}
    _, worked = await visited(quick_lanes, local_shop, platform(local_shop, source, attempts=1))
    assert worked.lag_s < _MOST_LAG_S


async def test_fifty_answers_at_once(quick_lanes: Lanes, local_shop: LocalShop) -> None:
    """Each is looked through, and none is kept that can not count."""
    local_shop.replies |= {
        "/p/bad": html("<script>for (let i = 0; i < 100; i++) fetch('/api/bad?' + i)</script>"),
        "/api/bad": Reply((b'{"name": "Blue cup", "l": [' + b"{}," * 90_000 + b"0]}",), headers=(JSON,)),
    }
    bad, worked = await visited(quick_lanes, local_shop, platform(local_shop, "api_capture", attempts=1))
    assert bad.verdict == "failed"
    assert worked.lag_s < _MOST_LAG_S


_HEADERS = {
    "one of 1 MB": (("x-large", "x" * 1_000_000),),
    "a cookie of 1 MB": (("set-cookie", "a=" + "x" * 1_000_000),),
    "100,000": tuple((f"x-{i}", "1") for i in range(100_000)),
    "10,000 cookies": tuple(("set-cookie", f"c{i}={i}") for i in range(10_000)),
}


@pytest.mark.parametrize("what", _HEADERS)
@pytest.mark.parametrize("source", ["dom", "http"])
async def test_headers(what: str, source: str, lanes: Lanes, local_shop: LocalShop) -> None:
    """Chromium and httpx both refuse more than they take."""
    headers = _HEADERS[what]
    local_shop.replies |= {
        "/p/bad": html(PAGE, headers=(HTML, *headers)),
        "/api/bad": Reply((b'{"name": "Blue cup", "price": 12900}',), headers=(JSON, *headers)),
    }
    await visited(lanes, local_shop, platform(local_shop, source, attempts=1))


@pytest.mark.parametrize("source", ["dom", "http"])
@pytest.mark.parametrize("way", ["header", "script"])
async def test_redirects_without_end(way: str, source: str, lanes: Lanes, local_shop: LocalShop) -> None:
    """Each leads to the next."""
    if way == "header":
        there = Reply(status=302, headers=(("location", "/p/bad?" + "x" * 5000),))
    else:
        there = html("<script>location = '/p/bad?' + Math.random()</script>")
    local_shop.replies |= {"/p/bad": there, "/api/bad": there}
    bad, _ = await visited(lanes, local_shop, platform(local_shop, source, attempts=1, timeout_s=3))
    assert bad.verdict == "failed"
