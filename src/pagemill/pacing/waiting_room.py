"""Where the lanes of one worker wait for a seat of a platform."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class WaitingRoom:
    """One lane at a time asks the fleet for a seat, at the door; the others stand behind it in their order, and cost
    nothing. A seat that this worker gives back is told to whoever is at the door."""

    def __init__(self) -> None:
        self.door = asyncio.Lock()
        self._freed = asyncio.Event()

    def forget(self) -> None:
        """Before asking: seats that were given back until now are asked for."""
        self._freed.clear()

    def tell(self) -> None:
        """A seat was given back."""
        self._freed.set()

    async def rest(self, seconds: float) -> None:
        """Waits for so long, or until a seat is given back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._freed.wait()
