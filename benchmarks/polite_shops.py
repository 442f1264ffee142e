"""Practice shops at addresses of their own on loopback, and when each product's document was asked for.

One process serves them all: `127.0.2.1`, `127.0.2.2` and so on, so that whoever keeps a pace for each host sees as many
shops. Owns that process and the moments; what a shop answers is the practice shop's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import uvicorn
from starlette.types import Receive, Scope, Send

from pagemill.demo.catalogue import PLATFORM_PATHS, CatalogueRow, generate
from pagemill.demo.replies import JSON, Reply
from pagemill.demo.storefront import create_storefront
from pagemill.model import Verdict

PLATFORM = "demo-hydrated"
_PRODUCTS = f"/{PLATFORM_PATHS[PLATFORM]}/p/"
_ARRIVALS = "/_arrivals"
_STOP_S = 5.0
_REQUEST_S = 10.0


def address(number: int) -> str:
    """Where the shop of that number stands, from 0."""
    return f"127.0.2.{number + 1}"


def catalogue(
    base_url: str, number: int, count: int, *, weight: str = "normal", leak_kb: int = 0
) -> list[CatalogueRow]:
    """Products of that shop whose pages are whole: the peers know nothing of verdicts. No id is in two shops."""
    wanted = 2 * count + 20
    rows = generate(PLATFORM, base_url, wanted, seed=number + 1, weight=weight, leak_kb=leak_kb)
    return [row for row in rows if row.right_verdict is Verdict.OK][:count]


class Street:
    """So many shops, running in the `with` block."""

    def __init__(self, shops: int) -> None:
        self._shops = shops
        self._process: subprocess.Popen[str] | None = None
        self.base_urls: Sequence[str] = ()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.polite_shops", "--shops", str(self._shops)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._stop()
            raise RuntimeError("the practice shops did not start: their last words are above")
        self.base_urls = tuple(json.loads(line))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def take_arrivals(self) -> Mapping[str, float]:
        """When each product's document was first asked for since the last call, in seconds since the epoch, by id."""
        connection = http.client.HTTPConnection(urlsplit(self.base_urls[0]).netloc, timeout=_REQUEST_S)
        with closing(connection):
            connection.request("GET", _ARRIVALS)
            arrivals: dict[str, float] = json.loads(connection.getresponse().read())
        return arrivals

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class _NotingShop:
    """The practice shop, which notes when products are asked for."""

    def __init__(self) -> None:
        self._shop = create_storefront()
        self._arrivals: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path == _ARRIVALS:
                arrivals, self._arrivals = self._arrivals, {}
                await Reply(200, JSON, json.dumps(arrivals).encode()).send(send)
                return
            if path.startswith(_PRODUCTS):
                self._arrivals.setdefault(path.removeprefix(_PRODUCTS), time.time())
        await self._shop(scope, receive, send)


def main() -> None:
    """Prints the base URLs as a JSON list, then serves until its standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polite_shops", description=__doc__)
    parser.add_argument("--shops", type=int, required=True)
    options = parser.parse_args()
    listeners = [socket.create_server((address(number), 0)) for number in range(options.shops)]
    for listener in listeners:
        listener.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # see `pagemill.demo.storefront.serve_storefront`
    config = uvicorn.Config(
        _NotingShop(),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)

    def follow_parent() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=follow_parent, name="parent", daemon=True).start()
    urls = [f"http://{address(number)}:{listener.getsockname()[1]}" for number, listener in enumerate(listeners)]
    print(json.dumps(urls), flush=True)
    server.run(sockets=listeners)


if __name__ == "__main__":
    main()
