"""Time and chance, passed in, so that decisions are tested without waiting."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Monotonic seconds, a random number in [0, 1), a sleep, and a call at a later time."""

    def now_s(self) -> float: ...
    def random(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...
    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer: ...


class SystemClock:
    """The real clock."""

    def now_s(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def random(self) -> float:
        """A number in [0, 1)."""
        return random.random()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Calls on the running loop, unless it is cancelled before."""
        return asyncio.get_running_loop().call_later(seconds, call)
