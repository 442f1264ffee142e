"""The faults that the server commits before a page can do anything: statuses, silence, broken and endless bodies.

Owns how they are sent; `faults` has their verdicts. Each of them ends by itself within `HANG_MAX_S`, even if the client
stays, so that open answers cannot pile up in the shop.
"""

from __future__ import annotations

import asyncio
import random

from starlette.types import Receive, Send

from pagemill.demo.pages import FACTS_START, plain_page
from pagemill.demo.replies import HTML, Reply, Request

HANG_MAX_S = 600
SLOW_PIECES = 10
# Data in the page, as in shops that inline their whole state. Markup of this size would test memory and not patience:
# 50 MB of list items took 1.7 GB in Chromium. `eats-memory` is for that.
_HUGE_CHUNK = (
    b'<script type="application/json">["'
    + b"nothing here is a product, and there is a lot of it; " * 1_200
    + b'"]</script>\n'
)


async def commit(
    kind: str, amount: int, visit: int, page: bytes, request: Request, receive: Receive, send: Send
) -> None:
    """Answers the request with that fault.

    `page` is the right page; `visit` is the number of this visit of the product, from 1.

    Raises:
        KeyError: it is no fault of the server.
    """
    match kind:
        case "status-500" | "status-503":
            await _error(int(kind.removeprefix("status-"))).send(send)
        case "retry-after":
            seconds = ((b"retry-after", str(amount).encode()),)
            await Reply(429, HTML, plain_page("Too many requests"), seconds).send(send)
        case "hang":
            await _wait_for_client_to_leave(receive)
        case "slow":
            await _dribble(Reply(200, HTML, page), amount, send)
        case "half":
            await _send_half(Reply(200, HTML, page), send)
        case "empty":
            await Reply(200, HTML, b"").send(send)
        case "garbage":
            await Reply(200, b"image/png", random.Random(visit).randbytes(20_000)).send(send)
        case "download":
            attachment = ((b"content-disposition", b'attachment; filename="product.bin"'),)
            await Reply(200, b"application/octet-stream", page, attachment).send(send)
        case "redirect-elsewhere":
            await Reply.redirect(request.elsewhere_url).send(send)
        case "redirect-loop":
            await Reply.redirect(request.url).send(send)
        case "huge":
            await _send_huge(amount, receive, send)
        case "flaky":
            reply = _error(500) if visit <= amount else Reply(200, HTML, page)
            await reply.send(send)
        case _:
            raise KeyError(kind)


def _error(status: int) -> Reply:
    return Reply(status, HTML, plain_page(f"Error {status}"))


async def _wait_for_client_to_leave(receive: Receive) -> None:
    try:
        async with asyncio.timeout(HANG_MAX_S):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def _dribble(reply: Reply, seconds: int, send: Send) -> None:
    await send(reply.start())
    piece_bytes = len(reply.body) // SLOW_PIECES + 1
    for start in range(0, len(reply.body), piece_bytes):
        await asyncio.sleep(seconds / SLOW_PIECES)
        await send({"type": "http.response.body", "body": reply.body[start : start + piece_bytes], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_half(reply: Reply, send: Send) -> None:
    """Returns with the answer unfinished, so the server closes the connection."""
    await send(reply.start())
    await send({"type": "http.response.body", "body": reply.body[: reply.body.index(FACTS_START)], "more_body": True})


async def _send_huge(megabytes: int, receive: Receive, send: Send) -> None:
    left = asyncio.create_task(_wait_for_client_to_leave(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", HTML)]})
        await send({"type": "http.response.body", "body": b"<!doctype html><body>", "more_body": True})
        for _ in range(megabytes * 1_000_000 // len(_HUGE_CHUNK) + 1):
            if left.done():
                return
            await send({"type": "http.response.body", "body": _HUGE_CHUNK, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})
    finally:
        left.cancel()
