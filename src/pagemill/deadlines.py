"""A deadline for any await: nothing that uses a browser, a network or a disk may wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from pagemill.errors import DeadlineExceeded

T = TypeVar("T")


async def within(seconds: float, awaitable: Awaitable[T], what: str) -> T:
    """Awaits `awaitable` for at most `seconds`.

    Cancellation from outside passes through unchanged; only this deadline becomes an error.

    Raises:
        DeadlineExceeded: it took longer, and was cancelled. The message names `what`.
    """
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            return await awaitable
    except TimeoutError as error:
        if timer.expired():
            raise DeadlineExceeded(what, seconds) from error
        raise
