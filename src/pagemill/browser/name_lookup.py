"""Looks up names with the machine's own resolver, before a page goes to a host that is listed by name.

Answers are kept for 30 s. A name that this resolver does not know, or not in time, is left to Chromium, which may know
it. Chromium looks the name up again a moment later; an answer that changes in between is not noticed here.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

KEPT_S = 30.0
WITHIN_S = 2.0
_MAX_KEPT = 1_000

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
"""Takes a name and returns its addresses; raises `OSError` if there are none."""


async def resolve(host: str) -> tuple[str, ...]:
    """The addresses as this machine finds them: by its hosts file and name servers."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class NameLookup:
    """Looks names up for all pages on one event loop."""

    def __init__(self, resolve: Resolve = resolve, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._clock = clock
        self._kept: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._asked: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    def remembered(self, host: str) -> tuple[str, ...] | None:
        """The remembered addresses of a name, empty for an unknown one; `None` if it has to be looked up."""
        until_s, addresses = self._kept.get(host, (0.0, ()))
        return addresses if self._clock() < until_s else None

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of a name, empty for an unknown one. Concurrent callers share one lookup."""
        if (known := self.remembered(host)) is not None:
            return known
        if (task := self._asked.get(host)) is None:
            task = self._asked[host] = asyncio.get_running_loop().create_task(self._ask(host))
            task.add_done_callback(lambda _task: self._asked.pop(host, None))
        return await asyncio.shield(task)

    async def _ask(self, host: str) -> tuple[str, ...]:
        addresses: tuple[str, ...] = ()
        try:
            addresses = await within(WITHIN_S, self._resolve(host), f"look up where {host} leads")
        except DeadlineExceeded as error:
            log.warning(events.TIMEOUT, what=error.what, seconds=error.seconds)
        except (OSError, UnicodeError):
            pass  # this machine does not know the name
        self._kept.pop(host, None)
        self._kept[host] = (self._clock() + KEPT_S, addresses)
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return addresses
