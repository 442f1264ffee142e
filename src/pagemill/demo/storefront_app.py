"""The practice shop as an ASGI application: from a request to an answer.

Owns the paths. Plain ASGI is used, because a shop for measurements must use little CPU itself. Its only state is one
bounded `HitCounter` per application; everything else is computed from the request.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from pagemill.demo import page_faults, wire_faults
from pagemill.demo.assets import PHOTO_COUNT, make_assets
from pagemill.demo.faults import FAULTS, PAGE_FAULTS, Fault
from pagemill.demo.front import FIRST_FRONT, PRACTICE, Front, FrontDoor
from pagemill.demo.hits import HitCounter
from pagemill.demo.pages import WEIGHTS, PageOptions, Pages, denied_page, gone_page, plain_page
from pagemill.demo.replies import HTML, JSON, TEXT, Reply, Request
from pagemill.demo.shops.street import Street
from pagemill.demo.truth import ProductState, Truth, truth_of

MAX_ID_LENGTH = 200
MAX_LEAK_KB = 10_000
BLOCKED_RETRY_AFTER_S = 1
_CACHED = b"public, max-age=86400, immutable"
_NOT_FOUND = Reply(404, HTML, plain_page("Page not found"))
_PAGE_KINDS = frozenset(fault.kind for fault in PAGE_FAULTS)
_REFUSALS = {
    ProductState.GONE_404: Reply(404, HTML, plain_page("Page not found")),
    ProductState.GONE_410: Reply(410, HTML, plain_page("Page removed")),
    ProductState.GONE_TEXT: Reply(200, HTML, gone_page()),
    ProductState.BLOCKED_403: Reply(403, HTML, plain_page("Forbidden")),
    ProductState.BLOCKED_429: Reply(
        429, HTML, plain_page("Too many requests"), ((b"retry-after", str(BLOCKED_RETRY_AFTER_S).encode()),)
    ),
    ProductState.BLOCKED_TEXT: Reply(200, HTML, denied_page()),
}


def create_storefront(*, shops: bool = False, front: Front = FIRST_FRONT) -> ASGIApp:
    """A shop with its own counts. With `shops`, it includes the six shops of `shops.addresses`.

    `front` is the design and build that all of them start with.
    """
    hits, door = HitCounter(), FrontDoor(front)
    shop = _Shop(hits, door)
    return Street(shop, hits, door) if shops else shop


class _Shop:
    def __init__(self, hits: HitCounter, door: FrontDoor) -> None:
        assets = make_assets()
        self._pages = Pages(assets)
        self._hits = hits
        self._door = door
        self._files = {
            f"/static/{name}": Reply(200, content_type, body, cache_control=_CACHED)
            for name, (content_type, body) in assets.files.items()
        }
        self._photos = tuple(Reply(200, b"image/png", body, cache_control=_CACHED) for body in assets.photos)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                path = self._door.asked_path(PRACTICE, scope["path"])
                await self._answer(_read(scope, path), receive, send)
            case "lifespan":
                await _live(receive, send)
            case "websocket":
                await send({"type": "websocket.close"})

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        path = request.path
        if path == "/_reset" and request.method == "POST":
            self._hits.reset()
            await Reply(200, JSON, b"{}").send(send)
        elif path == "/_front" and request.method == "POST":
            self._door.front = Front(
                request.query.get("redesign") == "true", _number(request.query.get("build", ""), 0)
            )
            await Reply(200, JSON, b"{}").send(send)
        elif request.method not in ("GET", "HEAD"):
            await Reply(405, TEXT, b"only GET and HEAD, and POST for /_reset and /_front").send(send)
        elif path == "/healthz":
            await Reply(200, TEXT, b"ok").send(send)
        elif path == "/_hits":
            report = self._hits.report(request.query.get("product", ""))
            await Reply(200, JSON, report.to_json()).send(send)
        else:
            self._hits.count(path)
            for platform in ("hydrated", "jsonld", "api"):
                prefix = f"/{platform}/p/"
                if path.startswith(prefix) and 0 < len(path) - len(prefix) <= MAX_ID_LENGTH:
                    await self._show_product(platform, path[len(prefix) :], request, receive, send)
                    return
            await self._door.shown(PRACTICE, self._find(path, request)).send(send)

    def _find(self, path: str, request: Request) -> Reply:
        if (file := self._files.get(path)) is not None:
            return file
        if path.startswith("/img/"):
            number = _number(path.rpartition("/")[2].removesuffix(".png"), -1)
            return self._photos[number % PHOTO_COUNT] if number >= 0 else _NOT_FOUND
        if path.startswith("/hydrated/api/"):
            return _data(truth_of(path.removeprefix("/hydrated/api/")), hydrated=True)
        if path.startswith("/api/v1/products/"):
            return _data(truth_of(path.removeprefix("/api/v1/products/")), hydrated=False)
        if path == "/api/v1/recommendations":
            return _recommendations(request.query.get("for", ""))
        if path == "/api/v1/session":
            return Reply(200, JSON, b'{"data":{"name":null,"price":null,"cart":[]}}')
        if path in ("/popup", "/elsewhere"):
            return Reply(200, HTML, plain_page(path[1:]))
        return _NOT_FOUND

    async def _show_product(
        self, platform: str, product_id: str, request: Request, receive: Receive, send: Send
    ) -> None:
        query = request.query
        kind, weight = query.get("fault", ""), query.get("weight", "normal")
        fault = FAULTS.get(kind)
        visit = self._hits.count_visit(product_id, kind)
        if (kind and fault is None) or weight not in WEIGHTS:
            await Reply(400, TEXT, b"no such fault or weight: see docs/storefront.md").send(send)
            return
        truth = truth_of(product_id)
        if fault is None and truth.state in _REFUSALS:
            await self._door.shown(PRACTICE, _REFUSALS[truth.state]).send(send)
            return
        leak_kb = min(_number(query.get("leak", ""), 0), MAX_LEAK_KB)
        amount = _amount(fault, request)
        if kind in _PAGE_KINDS:
            opening = page_faults.opening(kind, amount, request.elsewhere_url)
            options = PageOptions(weight, leak_kb, opening, page_faults.needs_facts(kind))
            await Reply(200, HTML, self._page(platform, truth, options)).send(send)
            return
        page = self._page(platform, truth, PageOptions(weight, leak_kb))
        if fault is None:
            await Reply(200, HTML, page).send(send)
        else:
            await wire_faults.commit(kind, amount, visit, page, request, receive, send)

    def _page(self, platform: str, truth: Truth, options: PageOptions) -> bytes:
        return self._door.document(PRACTICE, self._pages.product(platform, truth, options))


def _read(scope: Scope, path: str) -> Request:
    query_string: bytes = scope["query_string"]
    query = dict(parse_qsl(query_string.decode("ascii", "replace"))) if query_string else {}
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    url = raw_path.decode("ascii", "replace") + (f"?{query_string.decode('ascii', 'replace')}" if query_string else "")
    return Request(scope["method"], path, url, query, _elsewhere(scope))


def _elsewhere(scope: Scope) -> str:
    """The same server under its other name: `localhost` for a visitor of `127.0.0.1`, and vice versa."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    server = scope.get("server")
    port = server[1] if server else 80
    name = "127.0.0.1" if host.startswith(b"localhost") else "localhost"
    return f"http://{name}:{port}/elsewhere"


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _data(truth: Truth, *, hydrated: bool) -> Reply:
    """The product as data for the page's own script; nothing for a product whose page does not ask."""
    if truth.state in _REFUSALS:
        return Reply(404, JSON, b'{"error":"not found"}')
    if hydrated:
        return _json({"price": truth.price, "stock": "in" if truth.in_stock else "out"})
    return _json({"data": _card(truth)})


def _recommendations(product_id: str) -> Reply:
    return _json({"data": [_card(truth_of(f"{product_id}-also-{number}")) for number in range(3)]})


def _card(truth: Truth) -> dict[str, object]:
    return {"name": truth.name, "price": truth.price, "in_stock": truth.in_stock, "image": truth.image}


def _json(value: object) -> Reply:
    return Reply(200, JSON, json.dumps(value, ensure_ascii=False).encode())


def _amount(fault: Fault | None, request: Request) -> int:
    if fault is None or fault.amount is None:
        return 0
    amount = fault.amount
    return min(_number(request.query.get(amount.name, ""), amount.default), amount.maximum)


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default
