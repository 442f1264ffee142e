"""A fleet's pace that says what it is told to, and keeps what it was asked and told."""

from __future__ import annotations

import asyncio

from redis import Redis

from pagemill.config.platform import Platform
from pagemill.pacing.fleet_pace import PaceReply, RedisFleetPace
from pagemill.pacing.visit_answer import VisitAnswer


def go(wait_s: float = 0.0, slow: float = 1.0, *, clean: bool = True) -> PaceReply:
    """A visit may take place then."""
    return PaceReply("go", wait_s, slow, clean)


class StandInPace(RedisFleetPace):
    """Gives the turns of its list, and then as the last one, or at once where there was none; `None` never answers."""

    def __init__(self, *turns: PaceReply | None) -> None:
        super().__init__(Redis())
        self.turns = list(turns) or [go()]
        self.asked: list[tuple[str, bool, bool]] = []
        """Platform, whether a place was asked for, and whether by the probe."""
        self.reports: list[tuple[VisitAnswer, bool]] = []
        self.abandoned = 0
        self.seats: list[str] = []
        """What was said of seats: `ask`, `keep` or `leave` and the seat's number."""
        self.lost = 0
        """How many seats turn out to be lost when they are to be kept."""

    async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
        if seat:
            self._note("ask", seat)
        self.asked.append((platform.platform, place, probing))
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if turn is None:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                self.abandoned += 1
                raise
        assert turn is not None
        return turn

    async def report(self, platform: Platform, answer: VisitAnswer, *, probe: bool) -> None:
        self.reports.append((answer, probe))

    async def keep(self, platform: Platform, seat: str) -> bool:
        self._note("keep", seat)
        self.lost -= 1
        return self.lost < 0

    async def leave(self, platform: Platform, seat: str) -> None:
        self._note("leave", seat)

    def _note(self, what: str, seat: str) -> None:
        self.seats.append(f"{what} {seat.partition(':')[2]}")
