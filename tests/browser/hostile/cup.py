"""A product in every form that is read, the platforms that read it, and answers of any length."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html
from tests.browser.hostile.lanes import Lanes, Result, Worked

EXPECTED = {"name": "Blue cup", "price": 12900}
MOST_PYTHON_MB = 300
"""What the worker's own process may take, whatever a page does."""
_MB = 1_000_000
_FILL = b"x" * _MB
HUGE_MB = 600
HTML = ("content-type", "text/html; charset=utf-8")
JSON = ("content-type", "application/json")

HEADING = (
    "<!doctype html><meta charset=utf-8><title>Blue cup</title>"
    "<h1 title='Blue cup'>Blue cup</h1><p class=price>12,900</p>"
)
PAGE = f"""{HEADING}
<script id=state type=application/json>{{"name": "Blue cup", "price": 12900}}</script>
<script>var state = {{name: "Blue cup", price: 12900}}; fetch("/api/good")</script>
<script type=application/ld+json>{{"@type": "Product", "name": "Blue cup", "offers": {{"price": 12900}}}}</script>"""
BEGINNING = b'{"name": "Blue cup", "price": 12900, "more": "'
END = b'"}'

_PATHS = {"name": "name", "price": {"path": "price", "type": "number"}}
_ELEMENTS = {"name": "h1", "price": {"selector": ".price", "type": "number"}}
SOURCES: dict[str, dict[str, Any]] = {
    "dom": {"strategy": "dom", "fields": _ELEMENTS},
    "structured": {"strategy": "structured"},
    "jsonld": {
        "strategy": "jsonld",
        "fields": {"name": "name", "price": {"path": "offers.price", "type": "number"}},
    },
    "state": {"strategy": "state", "script": "#state", "fields": _PATHS},
    "variable": {"strategy": "state", "variable": "state", "fields": _PATHS},
    "document": {"strategy": "state", "document": True, "fields": _PATHS},
    "api_capture": {"strategy": "api_capture", "match": "**/api/*", "within_ms": 1500, "fields": _PATHS},
    "http": {"strategy": "http", "url": "/api/{id}", "fields": _PATHS},
    "fetch of the API": {
        "strategy": "in_page_fetch",
        "fetch": {"url": "/api/{id}", "sample_every": 1000, "fields": _PATHS},
        "fields": _ELEMENTS,
    },
    "fetch of the document": {
        "strategy": "in_page_fetch",
        "fetch": {"sample_every": 1000},
        "fields": _ELEMENTS,
    },
}


def platform(
    shop: LocalShop, *sources: str | dict[str, Any], attempts: int = 2, timeout_s: float = 5, **more: Any
) -> dict[str, Any]:
    """A platform of the shop, tried again without a pause, that reads those sources."""
    read = [SOURCES[source] if isinstance(source, str) else source for source in sources]
    return {
        "platform": "shop",
        "hosts": ["127.0.0.1"],
        "product": {"visit": f"{shop.base}/p/{{id}}"},
        "navigation": {"timeout_ms": round(1000 * timeout_s)},
        "workflow": {"rate_limit": {"enabled": False}, "concurrency": {"default": 1}},
        "retry": {"attempts": attempts, "backoff_ms": 0},
        "rotation": {"page": 20, "context": 50},
        "extract": {"sources": read},
        **more,
    }


def product(shop: LocalShop, name: str) -> tuple[str, str, dict[str, Any]]:
    """One that the catalogue holds for the blue cup."""
    return name, shop.url(f"/p/{name}"), EXPECTED


async def visited(lanes: Lanes, shop: LocalShop, rules: dict[str, Any], warm: int = 0) -> tuple[Result, Worked]:
    """What becomes of the hostile product `bad`, and that the next one on its lane is right.

    Args:
        lanes: where.
        shop: has the hostile replies already.
        rules: the platform.
        warm: how many good ones come before it.
    """
    is_document = rules["extract"]["sources"][0].get("document", False)
    good = answer({"name": "Blue cup", "price": 12900})
    shop.replies |= {"/p/good": good if is_document else html(PAGE), "/api/good": good}
    products = [*(product(shop, "good") for _ in range(warm)), product(shop, "bad"), product(shop, "good")]
    worked = await lanes.work((rules, products))
    *_, bad, last = worked.batches[0]
    print(f"{worked.peak_mb:.0f} MB, {worked.lag_s:.1f} s, {bad.verdict}: {bad.reason[:100]}")
    assert last.verdict == "ok", last.reason
    assert worked.peak_mb < MOST_PYTHON_MB
    assert bad.verdict == "failed" or (bad.verdict, bad.facts["name"], bad.facts["price"]) == ("ok", "Blue cup", 12900)
    assert bad.reason or bad.verdict == "ok"
    return bad, worked


@dataclass(frozen=True)
class Pieces:
    """Pieces of an answer that are made when they are sent, each time anew."""

    make: Callable[[], Iterable[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.make())


def flood(begin: bytes, end: bytes, kind: tuple[str, str], how: str = "length", size_mb: int = HUGE_MB) -> Reply:
    """An answer of so many MB between its beginning and its end.

    `how` it is sent: with its `length`, `chunked`, with a length that it has not (`lying`), as `gzip` of a few bytes
    (`packed`), as gzip of that (`packed twice`), or `endless`.
    """
    if how == "endless":
        pieces = Pieces(lambda: itertools.chain([begin], itertools.repeat(_FILL)))
        return Reply(pieces, headers=(kind,), has_length=False)
    if how in ("chunked", "lying"):
        headers = (kind, ("transfer-encoding", "chunked"), *([("content-length", "99")] if how == "lying" else []))
        return Reply(Pieces(lambda: _chunked(_parts(begin, end, size_mb))), headers=headers, has_length=False)
    if how.startswith("packed"):
        times = 2 if how == "packed twice" else 1
        packing = ("content-encoding", ", ".join(["gzip"] * times))
        return Reply((_packed(begin, end, size_mb, times),), headers=(kind, packing))
    length = ("content-length", str(len(begin) + size_mb * _MB + len(end)))
    return Reply(Pieces(lambda: _parts(begin, end, size_mb)), headers=(kind, length), has_length=False)


def _parts(begin: bytes, end: bytes, size_mb: int) -> Iterator[bytes]:
    yield begin
    yield from itertools.repeat(_FILL, size_mb)
    yield end


def _chunked(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


@functools.cache
def _packed(begin: bytes, end: bytes, size_mb: int, times: int) -> bytes:
    parts: Iterable[bytes] = _parts(begin, end, size_mb)
    for _ in range(times):
        packer = zlib.compressobj(1, wbits=31)
        body = b"".join([*(packer.compress(part) for part in parts), packer.flush()])
        parts = [body]
    return body
