"""Decides who may begin a visit now, and who waits for a place. It only counts, and knows nothing of pages.

A place is given to the waiting ticket, and not to the task that holds it. Whoever has a ticket gives it back, whatever
happened meanwhile, and the place goes to the next one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from pagemill.errors import TurnDenied


class Ticket:
    """One visit's claim to a place: it waits in line, then has a place until it is given back."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.has_place = False
        self._called = asyncio.Event()

    def call(self) -> None:
        """Wakes the task that waits with this ticket."""
        self._called.set()

    async def called(self, stop: asyncio.Event | None = None) -> None:
        """Waits until the ticket has a place, or until the line is closed.

        Raises:
            TurnDenied: `stop` was set meanwhile.
        """
        if stop is None:
            await self._called.wait()
            return
        waits = [asyncio.ensure_future(event.wait()) for event in (self._called, stop)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if stop.is_set():
            raise TurnDenied("lanes must stop")


class WaitingLine:
    """Gives places to tickets in the order in which they joined, but keeps places for platforms that need one.

    A platform may take a free place if it holds none. If it holds one already, a free place must be left for each other
    served platform that holds none. So a shop whose visits hang leaves the others a place each.
    """

    def __init__(
        self,
        places: int,
        may_begin: Callable[[], bool] = lambda: True,
        has_page: Callable[[str], bool] = lambda _platform: True,
    ) -> None:
        """
        Args:
            places: how many there are.
            may_begin: whether anybody may begin now.
            has_page: whether a platform that holds a place can get another page. If not, it waits for its own page to
                come back. Call `admit` when the answer of this or of `may_begin` may have changed.
        """
        self._places = places
        self._may_begin = may_begin
        self._has_page = has_page
        self._waiting: dict[Ticket, None] = {}
        self._held: Counter[str] = Counter()
        self._served: Counter[str] = Counter()
        self._closed = False

    @property
    def places(self) -> int:
        """How many visits may be at work at once; 0 holds everybody back."""
        return self._places

    @property
    def free(self) -> int:
        """How many more visits may begin now; negative while more are at work than there are places."""
        return self._places - self._held.total()

    @property
    def waiting(self) -> int:
        """How many tickets have no place."""
        return len(self._waiting)

    @property
    def held(self) -> dict[str, int]:
        """How many places each platform holds; platforms without any are left out."""
        return {platform: count for platform, count in dict(self._held).items() if count}

    def is_waited_for(self, platform: str) -> bool:
        """Whether a ticket of that platform waits for a place."""
        return any(ticket.platform == platform for ticket in self._waiting)

    def is_served(self, platform: str) -> bool:
        """Whether more visits of that platform are to come."""
        return platform in self._served

    def join(self, platform: str) -> Ticket:
        """A new ticket, which has a place already if one is free for it. It must be given back with `leave`."""
        ticket = Ticket(platform)
        self._waiting[ticket] = None
        self.admit()
        if self._closed:
            ticket.call()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Takes back a ticket and its place, if it has one, which goes to the next in line."""
        if ticket.has_place:
            ticket.has_place = False
            self._held[ticket.platform] -= 1
        else:
            del self._waiting[ticket]
        self.admit()

    def resize(self, places: int) -> None:
        """Sets how many visits may be at work at once. Visits beyond that keep their places until they end."""
        self._places = places
        self.admit()

    def serve(self, platform: str) -> None:
        """Notes that visits of that platform are to come. Each call needs one call of `serve_no_more`."""
        self._served[platform] += 1

    def serve_no_more(self, platform: str) -> None:
        """Notes that one announced series of visits is over."""
        self._served[platform] -= 1
        if not self._served[platform]:
            del self._served[platform]
        self.admit()

    def close(self) -> None:
        """Wakes all waiting tickets, and all that join later, without giving them a place."""
        self._closed = True
        for ticket in self._waiting:
            ticket.call()

    def admit(self) -> None:
        """Gives free places to the tickets that wait."""
        if self._closed or not self._may_begin():
            return
        # One pass is enough: giving out a place never lets in a ticket that was passed over before.
        for ticket in [*self._waiting]:
            if self._may_take(ticket.platform):
                del self._waiting[ticket]
                self._held[ticket.platform] += 1
                ticket.has_place = True
                ticket.call()

    def _may_take(self, platform: str) -> bool:
        if self.free < 1:
            return False
        if not self._held[platform]:
            return True
        others_in_need = sum(1 for other in self._served if not self._held[other])
        return self.free - 1 >= others_in_need and self._has_page(platform)
