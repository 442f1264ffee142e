"""The practice shop in a process of its own, for the demo command, tests and benchmarks.

Owns that process from start to end: it ends at the latest with the `with` block, and with the process that started it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import selectors
import subprocess
import sys
import tempfile
from time import monotonic
from typing import IO, Self
from urllib.parse import quote, urlsplit

from pagemill.demo.front import FIRST_FRONT, Front
from pagemill.demo.hits import HitReport
from pagemill.errors import ServiceUnavailable

STOP_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 10.0


class StorefrontProcess:
    """A running shop: `with StorefrontProcess() as shop: shop.base_url`.

    With `shops`, it includes the six shops of `shops.addresses`, at `shop_url(NAME, shop.port)`. `front` is the design
    and build that it starts with.

    Entering waits until the shop answers. Leaving asks it to stop, and kills it if it does not stop within
    `STOP_TIMEOUT_S`. If this process dies without leaving, the shop notices that within a second and stops.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        shops: bool = False,
        front: Front = FIRST_FRONT,
        start_timeout_s: float = 15.0,
    ) -> None:
        self._host = host
        self._port = port
        self._shops = shops
        self._front = front
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._base_url = ""

    @property
    def base_url(self) -> str:
        """The shop's address, such as `http://127.0.0.1:40123`; empty before the start and after the end."""
        return self._base_url

    @property
    def port(self) -> int:
        """The port of `base_url`; 0 before the start and after the end."""
        return urlsplit(self._base_url).port or 0

    @property
    def pid(self) -> int | None:
        """The id of the shop's process; `None` if there is none."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the shop and waits until it answers.

        Raises:
            ServiceUnavailable: it ended at once or did not answer in time; the message has its last output.
        """
        command = [sys.executable, "-m", "pagemill.demo.storefront"]
        command += ["--host", self._host, "--port", str(self._port), "--parent-pid", str(os.getpid())]
        command += ["--shops"] if self._shops else []
        command += ["--redesign"] if self._front.redesigned else []
        command += ["--build", str(self._front.build)]
        with tempfile.TemporaryFile() as last_words:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=last_words
            )
            try:
                self._base_url = self._read_url(self._process, last_words)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Ends the shop; does nothing if there is none."""
        process, self._process, self._base_url = self._process, None, ""
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            if process.stdout is not None:
                process.stdout.close()

    def hits(self, product_id: str = "") -> HitReport:
        """The requests to the shop since its start or the last `reset`."""
        return HitReport.from_json(self._request("GET", f"/_hits?product={quote(product_id, safe='')}"))

    def reset(self) -> None:
        """Forgets all hits and visits."""
        self._request("POST", "/_reset")

    def change_front(self, front: Front) -> None:
        """Switches to that design and build."""
        self._request("POST", f"/_front?redesign={str(front.redesigned).lower()}&build={front.build}")

    def _request(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self._base_url).netloc, timeout=REQUEST_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, path)
            return connection.getresponse().read()

    def _read_url(self, process: subprocess.Popen[bytes], last_words: IO[bytes]) -> str:
        assert process.stdout is not None
        line = _read_line(process.stdout, self._start_timeout_s)
        if line.startswith("http://"):
            return line
        last_words.seek(0)
        said = last_words.read().decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else f"it printed no URL within {self._start_timeout_s:g} s"
        raise ServiceUnavailable(f"the practice shop did not start: {reason}")


def _read_line(stream: IO[bytes], timeout_s: float) -> str:
    """The first line without its end; or a part of it, if the stream ends or the time is over."""
    deadline = monotonic() + timeout_s
    received = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in received and (left_s := deadline - monotonic()) > 0:
            if selector.select(left_s):
                piece = os.read(stream.fileno(), 4096)
                if not piece:
                    break
                received += piece
    return received.partition(b"\n")[0].decode("utf-8", "replace").strip()
