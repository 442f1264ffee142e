"""Six shops and the practice shop at one port: the address in a request's `Host` decides who answers.

Owns the dispatch of requests, and the counting; the shops themselves answer. Static files are the practice shop's for
all of them.
practice shop's for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from pagemill.demo.front import FrontDoor
from pagemill.demo.hits import HitCounter
from pagemill.demo.replies import TEXT, Reply
from pagemill.demo.shops import ably, hwahae, kurly, musinsa, oliveyoung, zigzag
from pagemill.demo.shops.addresses import shop_at
from pagemill.demo.shops.answers import ShopAnswer, ShopRequest

MAX_BODY_BYTES = 64 * 1024
_ANSWERS: Mapping[str, Callable[[ShopRequest], ShopAnswer]] = {
    "musinsa": musinsa.answer,
    "ably": ably.answer,
    "zigzag": zigzag.answer,
    "kurly": kurly.answer,
    "oliveyoung": oliveyoung.answer,
    "hwahae": hwahae.answer,
}


class Street:
    """An ASGI application that answers for the six shops, and passes everything else to `rest`.

    An answer is counted as `SHOP page`, `SHOP api` or `SHOP other`.
    """

    def __init__(self, rest: ASGIApp, hits: HitCounter, door: FrontDoor) -> None:
        self._rest = rest
        self._hits = hits
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shop = _shop_of(scope) if scope["type"] == "http" else None
        if shop is None or scope["path"].startswith("/static/"):
            await self._rest(scope, receive, send)
            return
        reply = await self._reply(shop, scope, receive)
        await reply.send(send)

    async def _reply(self, shop: str, scope: Scope, receive: Receive) -> Reply:
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return Reply(405, TEXT, b"only GET, HEAD and POST")
        body = await _read_body(receive) if scope["method"] == "POST" else b""
        if body is None:
            return Reply(413, TEXT, b"too large")
        path = self._door.asked_path(shop, scope["path"])
        answer = _ANSWERS[shop](_read(scope, path, self._door.asked_body(shop, body)))
        self._hits.count_as(f"{shop} {answer.kind}")
        return self._door.shown(shop, answer.reply)


def _shop_of(scope: Scope) -> str | None:
    return shop_at(_headers(scope).get("host", ""))


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _read(scope: Scope, path: str, body: bytes) -> ShopRequest:
    headers = _headers(scope)
    query = dict(parse_qsl(scope["query_string"].decode("ascii", "replace")))
    base_url = f"http://{headers['host']}"
    return ShopRequest(scope["method"], path, query, headers, body, base_url)


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body; `None` if it is larger than a shop accepts."""
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return body
