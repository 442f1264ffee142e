"""A shop that writes down when it was asked for which product; runs in a container, with nothing but Python.

One line of JSON for each visit on standard output. After `/refuse-next/N` it answers one visit with 429 and
`Retry-After: N`.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PAGE = b"<!doctype html><body data-ready><h1 class=name>x</h1>"


class Shop(ThreadingHTTPServer):
    """Its visits in the order of its own clock."""

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 8900), Visit)
        self.lock = threading.Lock()
        self.refuse_s = 0

    def note(self, path: str) -> int:
        """Writes a visit down; for how many seconds it is refused."""
        with self.lock:
            refused_s, self.refuse_s = self.refuse_s, 0
            visit = {"at": time.time(), "path": path, "refused_s": refused_s}
            print(json.dumps(visit), flush=True)
        return refused_s


class Visit(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Shop

    def do_GET(self) -> None:
        """A product, an order for the next answer, or nothing."""
        if self.path.startswith("/refuse-next/"):
            with self.server.lock:
                self.server.refuse_s = int(self.path.rpartition("/")[2])
            self._answer(200, b"")
        elif self.path.startswith("/p/"):
            refused_s = self.server.note(self.path)
            self._answer(429 if refused_s else 200, _PAGE, {"Retry-After": str(refused_s)} if refused_s else {})
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Only visits are told."""


if __name__ == "__main__":
    Shop().serve_forever()
