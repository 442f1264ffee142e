"""Time and chance, passed in, so that decisions are tested without waiting."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, a random number in [0, 1) and a sleep."""

    def now_s(self) -> float: ...
    def random(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


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
