"""Waits that end at once when lanes must stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from pagemill.errors import TurnDenied

T = TypeVar("T")

_STOPPED = "lanes must stop"


async def unless(stop: asyncio.Event, asking: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, which is cancelled together with its caller.

    Raises:
        TurnDenied: `stop` was set first.
    """
    asked = asyncio.ensure_future(asking)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((asked, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise TurnDenied(_STOPPED)
        return asked.result()
    finally:
        asked.cancel()
        stopping.cancel()


async def sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    """Sleeps for that many seconds.

    Raises:
        TurnDenied: `stop` was set, which ends the sleep at once.
    """
    if not stop.is_set():
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return
    raise TurnDenied(_STOPPED)
