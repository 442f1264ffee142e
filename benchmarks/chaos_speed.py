"""How fast a run is, read from its log, and when it is back at full speed. Reads one file; injects and decides nothing.

The speed at a moment is the number of `Item` lines of the two seconds before it. Times are seconds of the wall clock,
because the lines come from other processes.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pagemill.telemetry import events

WINDOW_S = 2.0
FULL = 0.8
"""Share of the median before a fault that counts as full speed."""
_STEADY_S = 1.0
"""Full speed must last so long before it is believed; the recovery ends where this second began."""
_CALM_LOOKS = 80
_FEWEST_CALM_LOOKS = 8
_ROUTINE = frozenset({events.ITEM, events.MEMORY, events.PAGE_ROTATION, events.CONTEXT_ROTATION, events.BATCH})


class LogTail:
    """What workers have logged since the last look."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0
        self._rest = b""
        self._item_times_s: deque[float] = deque()
        self.items = 0
        """Lines about items in all; an item that was done again has another one."""
        self.seen: Counter[str] = Counter()
        """Events that are not routine, since the last `forget`."""

    def read(self) -> None:
        """Takes in what is new."""
        with self._log.open("rb") as stream:
            stream.seek(self._offset)
            new = stream.read()
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._note(line)

    def items_until(self, at_s: float) -> int:
        """How many items ended in the window that ends then; moments must not go back."""
        while self._item_times_s and self._item_times_s[0] <= at_s - WINDOW_S:
            self._item_times_s.popleft()
        return sum(1 for time_s in self._item_times_s if time_s <= at_s)

    def forget(self) -> None:
        """Begins a new count of events."""
        self.seen = Counter()

    def _note(self, line: bytes) -> None:
        if not line.startswith(b"{"):
            if line.strip():
                self.seen["plain text"] += 1
            return
        try:
            record = json.loads(line)
        except ValueError:
            self.seen["broken line"] += 1  # two processes write to one file, and one of them may have been killed
            return
        event = str(record.get("event", ""))
        if event == events.ITEM:
            self._item_times_s.append(datetime.fromisoformat(record["timestamp"]).timestamp())
            self.items += 1
        elif event not in _ROUTINE:
            self.seen[event] += 1


class Calm:
    """The speed while nothing is wrong: the median of the last looks."""

    def __init__(self) -> None:
        self._looks: deque[int] = deque(maxlen=_CALM_LOOKS)

    def look(self, items: int) -> None:
        """One more look at a run that nothing disturbs."""
        self._looks.append(items)

    @property
    def known(self) -> bool:
        """Whether there were enough looks."""
        return len(self._looks) >= _FEWEST_CALM_LOOKS

    @property
    def median(self) -> float:
        """Items per window; 0 before the first look."""
        return statistics.median(self._looks) if self._looks else 0.0

    def is_full(self, items: int) -> bool:
        """Whether that is full speed."""
        return items >= FULL * self.median


@dataclass(slots=True)
class Recovery:
    """Watches one fault's healing: at full speed again, and nothing left of the fault.

    `look` is called again and again with growing times. `took_s` is known when it has said `True`.
    """

    since_s: float
    median: float
    took_s: float | None = None
    lowest: int | None = None
    """The fewest items of any window so far."""
    _good_since_s: float | None = field(init=False)

    def __post_init__(self) -> None:
        self._good_since_s = self.since_s  # what was never disturbed took no time

    def is_full(self, items: int) -> bool:
        """Whether that is full speed."""
        return items >= FULL * self.median

    def look(self, at_s: float, items: int, healed: bool) -> bool:
        """Whether it is over; `healed` says that nothing else is left of the fault."""
        self.lowest = items if self.lowest is None else min(self.lowest, items)
        if not healed or not self.is_full(items):
            self._good_since_s = None
            return False
        if self._good_since_s is None:
            self._good_since_s = at_s
        if at_s - self.since_s < WINDOW_S + _STEADY_S or at_s - self._good_since_s < _STEADY_S:
            return False
        self.took_s = self._good_since_s - self.since_s
        return True
