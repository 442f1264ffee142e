"""Decides which worker process restarts when: all of them once a day, one after another. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class Occupant:
    """The process in one of the supervisor's places."""

    place: int
    generation: int
    """The number of processes that this place has had."""
    well: bool
    """The process runs, has beaten, and was not told to end."""


class DailyRestart:
    """Restarts all places once a day, at a local time of day or as soon after it as possible.

    Only the local time counts. A time that daylight saving time skips is due an hour later; one that comes twice is due
    once.
    """

    def __init__(self, at: str | None, now: datetime) -> None:
        """`at` is `HH:MM`, or `None` for never. On the day of `now` it counts only if it is still to come."""
        self._at = time.fromisoformat(at) if at is not None else None
        self._begun_on = now.date() if self._at is not None and now.time() >= self._at else date.min
        self._waiting: list[tuple[int, int]] = []
        self._under_way: tuple[int, int] | None = None

    def next_place(self, now: datetime, occupants: Sequence[Occupant]) -> int | None:
        """The place whose process must be restarted now, or `None`. Each place is returned once a day.

        The next place is returned only when the last one's new process is well. Processes that were started since the
        daily restart began are left out.
        """
        if self._is_due(now):
            self._begun_on = now.date()
            self._waiting = [(occupant.place, occupant.generation) for occupant in occupants]
        by_place = {occupant.place: occupant for occupant in occupants}
        if self._under_way is not None:
            place, generation = self._under_way
            successor = by_place[place]
            if successor.generation == generation or not successor.well:
                return None
            self._under_way = None
        while self._waiting:
            place, generation = self._waiting.pop(0)
            if by_place[place].generation == generation and by_place[place].well:
                self._under_way = (place, generation)
                return place
        return None

    def _is_due(self, now: datetime) -> bool:
        return self._at is not None and now.date() > self._begun_on and now.time() >= self._at
