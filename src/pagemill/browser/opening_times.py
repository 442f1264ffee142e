"""How long it takes to open a page, so that it is begun in time for a visit."""

from __future__ import annotations

from collections import deque

_LAST = 100
"""So many openings are remembered."""
_SHARE = 0.98
"""The share of them that took no longer than what is expected of the next one."""
LEAST_S, MOST_S = 0.1, 0.4
"""Bounds of what is expected. An open page takes memory, and while the CPU is full, none is ready sooner by being begun
earlier."""


class OpeningTimes:
    """The durations of the last openings of pages, with their contexts where those were new."""

    def __init__(self) -> None:
        self._last_s: deque[float] = deque(maxlen=_LAST)
        self.expected_s = LEAST_S
        """The seconds within which nearly every page is open. Asked for at each visit, so it is kept."""

    def note(self, seconds: float) -> None:
        """Notes how long one took."""
        self._last_s.append(seconds)
        in_order = sorted(self._last_s)
        self.expected_s = min(max(in_order[int(_SHARE * (len(in_order) - 1))], LEAST_S), MOST_S)
