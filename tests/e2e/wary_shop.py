"""A shop that minds its visitors: it challenges sessions, remembers their currency, and has enough of everybody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

PRICE = 12_900
_CAPTCHA = "<title>Just a moment</title><p>Prove that you are human</p>"


@dataclass
class WaryShop:
    """What it does is set before it is visited; what it was asked stands in `asked`, as path, session and status."""

    base: str
    refusal: str = ""
    """How it refuses: `403`, `captcha` (status 200), or `429`; empty when it refuses nobody."""
    refuses: Any = None
    """Whether a visit is refused, by the number of the session's visit and that of all visits, both from 1."""
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def url(self, number: int, query: str = "") -> str:
        """A product's address."""
        return f"{self.base}/p/{number}{query}"


@contextmanager
def wary_shop() -> Iterator[WaryShop]:
    """The shop at a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    shop = WaryShop(f"http://127.0.0.1:{server.server_port}")
    sessions, lock = count(1), threading.Lock()
    visits: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if not address.path.startswith("/p/"):
                self._answer(404, "")
                return
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
            with lock:
                session = cookies["session"].value if "session" in cookies else str(next(sessions))
                visits[session] = visits.get(session, 0) + 1
                refused = shop.refuses is not None and shop.refuses(visits[session], len(shop.asked) + 1)
                status = 200 if not refused or shop.refusal == "captcha" else int(shop.refusal)
                shop.asked.append((self.path, session, status))
            set_cookies = [f"session={session}; Path=/"]
            currency = parse_qs(address.query).get("currency", [""])[0]
            broken = False
            if currency:  # the address of one product sets it, and the shop obeys it from then on
                set_cookies.append(f"currency={currency}; Path=/")
            elif "currency" in cookies:
                currency = cookies["currency"].value
                broken = currency == "none"
            if refused:
                headers = {"Retry-After": "1"} if status == 429 else {}
                self._answer(status, _CAPTCHA, set_cookies, headers)
                return
            price = "<b class='price'></b>" if broken else f"<b class='price'>{9.9 if currency == 'USD' else PRICE}</b>"
            text = parse_qs(address.query).get("text", [""])[0]
            price += f"<p class='text'>{text}</p>" if text else ""
            number = address.path.removeprefix("/p/")
            if "application/json" in self.headers.get("Accept", ""):
                self._answer(200, json.dumps({"name": f"Product {number}", "price": PRICE}), set_cookies)
                return
            self._answer(200, f"<body data-ready><h1>Product {number}</h1>{price}", set_cookies)

        def _answer(self, status: int, body: str, cookies: Any = (), headers: Any = None) -> None:
            content = (body if body.startswith("{") else f"<!doctype html><meta charset=utf-8>{body}").encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            for cookie in cookies:
                self.send_header("Set-Cookie", cookie)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server.RequestHandlerClass = Handler
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="wary-shop")
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
