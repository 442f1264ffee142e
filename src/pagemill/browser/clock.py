"""Time and randomness, passed in so that decisions are tested without waiting."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable


class Clock:
    """The system's clock and random numbers."""

    def now_s(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def random(self) -> float:
        """A number in [0, 1)."""
        return random.random()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Schedules a call on the running loop. Returns a function that cancels it."""
        return asyncio.get_running_loop().call_later(seconds, call).cancel
