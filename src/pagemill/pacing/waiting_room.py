"""Where the lanes of one worker wait for a seat of a platform."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class WaitingRoom:
    """One lane at a time, at the door, asks the fleet for a seat. The others wait behind it in order, at no cost to
    Redis. The lane at the door is told when this worker gives a seat back."""

    def __init__(self) -> None:
        self.door = asyncio.Lock()
        self._freed = asyncio.Event()

    def forget(self) -> None:
        """Forgets seats that were given back before; to be called before asking for one."""
        self._freed.clear()

    def tell(self) -> None:
        """Notes that a seat was given back."""
        self._freed.set()

    async def rest(self, seconds: float) -> None:
        """Waits for that many seconds, or until a seat is given back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._freed.wait()
