"""The practice shop as a server and as a process.

Owns how it is served, announced and ended; `storefront_app` decides what it answers. The shop's three public names are
here: `create_storefront`, `serve_storefront` and `StorefrontProcess`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from types import FrameType

import uvicorn

from pagemill.demo.front import FIRST_FRONT, Front
from pagemill.demo.shops.addresses import ADDRESSES
from pagemill.demo.storefront_app import create_storefront
from pagemill.demo.storefront_process import StorefrontProcess
from pagemill.errors import PagemillError, UsageError

__all__ = ["StorefrontProcess", "create_storefront", "main", "serve_storefront"]

SHUTDOWN_TIMEOUT_S = 1
"""Seconds for which open answers (a `hang`, a `slow`) may keep a shop alive that was told to stop."""

_PORT_TRIES = 20
"""How many free ports are tried before one is free at every address."""


def serve_storefront(
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    *,
    shops: bool = False,
    front: Front = FIRST_FRONT,
    parent_pid: int | None = None,
) -> None:
    """Serves the shop until SIGTERM or SIGINT, then returns. Call it in the main thread, which it blocks.

    Port 0 picks a free one. With `shops`, the six shops of `shops.addresses` are served as well, at their own addresses
    and the same port. `front` is the design and build that they start with. `on_ready` is called once, with the base
    URL (no slash at its end), when requests are answered. With `parent_pid`, it also returns, within a second, when
    that process is no longer the parent.

    Raises:
        UsageError: the server cannot listen at an address.
    """
    # A server at 0.0.0.0 listens on the shops' addresses already.
    more = tuple(ADDRESSES.values()) if shops and host != "0.0.0.0" else ()  # noqa: S104
    with contextlib.ExitStack() as opened:
        listeners = [opened.enter_context(listener) for listener in _listen(host, port, more)]
        for listener in listeners:
            # asyncio sets this only on sockets made with proto=IPPROTO_TCP, which these are not. Without it every
            # second small answer waits 40 ms for an acknowledgement. Accepted connections inherit it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        shown_host = f"[{host}]" if ":" in host else host
        base_url = f"http://{shown_host}:{listeners[0].getsockname()[1]}"
        config = uvicorn.Config(
            create_storefront(shops=shops, front=front),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        )
        _Server(config, lambda: on_ready(base_url), parent_pid).run(sockets=listeners)


def _listen(host: str, port: int, more: Sequence[str]) -> list[socket.socket]:
    """One listener for the host and one for each of the other addresses, all at the same port."""
    for _ in range(_PORT_TRIES):
        listeners = [_listener(host, port)]
        same_port = listeners[0].getsockname()[1]
        try:
            for address in more:
                listeners.append(_listener(address, same_port))
        except UsageError as error:
            for listener in listeners:
                listener.close()
            taken = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            if port == 0 and taken:
                continue
            raise
        return listeners
    raise UsageError(f"no port is free at {host} and the shops' addresses: choose one with --port")


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error} (choose another host or port)") from error


class _Server(uvicorn.Server):
    """Announces itself, ends with its parent, and returns after a signal instead of raising it again."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], parent_pid: int | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._parent_pid = parent_pid

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        if self._parent_pid is not None and os.getppid() != self._parent_pid:
            self.should_exit = True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.should_exit = True


def main() -> int:
    """`python -m pagemill.demo.storefront`: prints the base URL on a line of its own, then serves."""
    parser = argparse.ArgumentParser(prog="python -m pagemill.demo.storefront", description="The practice shop.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 picks a free one (default: 8900)")
    parser.add_argument("--shops", action="store_true", help="serve the six shops' forms at 127.0.0.11 to .16 as well")
    parser.add_argument("--redesign", action="store_true", help="show the other design")
    parser.add_argument("--build", type=int, default=0, help="hash the class names, for each number otherwise")
    parser.add_argument("--parent-pid", type=int, help="stop when this process is no longer the parent")
    arguments = parser.parse_args()

    def announce(base_url: str) -> None:
        sys.stdout.write(base_url + "\n")
        sys.stdout.flush()

    try:
        front = Front(arguments.redesign, arguments.build)
        serve_storefront(
            arguments.host,
            arguments.port,
            announce,
            shops=arguments.shops,
            front=front,
            parent_pid=arguments.parent_pid,
        )
    except PagemillError as error:
        sys.stderr.write(f"storefront: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
