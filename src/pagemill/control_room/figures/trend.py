"""Whether values rise, fall or stay the same: compares the last third with the first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

TrendWord = Literal["stable", "increasing", "decreasing"]

_FEWEST = 6
_NOTABLE_PERCENT = 5.0
"""A smaller change counts as stable: rotations alone change a worker's memory by that much."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The change of the median from the first third of the values to the last third. Medians ignore single peaks."""

    word: TrendWord = "stable"
    change_percent: float = 0.0

    @property
    def change(self) -> str:
        """The change as text, such as `+2.5%`."""
        return f"{self.change_percent:+.1f}%"


def trend_of(values: Sequence[float]) -> Trend:
    """The trend of values in the order of time. Fewer than six count as stable."""
    if len(values) < _FEWEST:
        return Trend()
    third = len(values) // 3
    before, now = median(values[:third]), median(values[-third:])
    if before <= 0:
        return Trend()
    change_percent = round(100 * (now - before) / before, 1)
    if abs(change_percent) < _NOTABLE_PERCENT:
        return Trend("stable", change_percent)
    return Trend("increasing" if change_percent > 0 else "decreasing", change_percent)
