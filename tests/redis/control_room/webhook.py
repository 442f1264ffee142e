"""A webhook on loopback that keeps what it is told, and can refuse, hang or drip."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """What came, and how to answer."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    """Answers to the next requests; 200 after those."""
    hangs: bool = False
    """Answers byte by byte, as long as the test lasts."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Of requests that were answered by 200."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and user of every request."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def told(self) -> list[str]:
        """The names of the alerts that arrived, in their order."""
        with self.changed:
            return [body["title"].rpartition(": ")[2] for body in self.bodies]

    def wait_for(self, count: int, seconds: float = 20) -> list[str]:
        """The names of the alerts, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.bodies) >= count, seconds), f"only {self.bodies} arrived"
        return self.told()

    def wait_for_requests(self, count: int, seconds: float = 20) -> None:
        """Returns once so many requests have come, whatever their answer."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, seconds), f"only {self.requests}"


@contextmanager
def open_webhook(port: int = 0) -> Iterator[Webhook]:
    """A server until the block ends; port 0 for a free one."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            user = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            with hook.changed:
                hook.requests.append((self.path, user))
                hook.changed.notify_all()
            if hook.hangs:
                self._drip()
                return
            with hook.changed:
                status = hook.statuses.pop(0) if hook.statuses else 200
                if status == 200:
                    hook.bodies.append(body)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                hook.changed.notify_all()

        def do_GET(self) -> None:
            """What follows a redirect asks this way, and tells nothing."""
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _drip(self) -> None:
            deadline_s = time.monotonic() + 60
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not hook.over.wait(0.1) and time.monotonic() < deadline_s:
                    self.wfile.write(b"x")
            except OSError:
                return

        def log_message(self, *_arguments: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", port), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="webhook", daemon=True)
        thread.start()
        try:
            yield hook
        finally:
            hook.over.set()
            server.shutdown()
            thread.join(10)
