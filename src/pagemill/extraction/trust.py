"""Whether a shop's short answers may stand for its pages. Pure: it is told what was compared, and says what to do next.

Trust is earned by samples: products that are read both ways. One sample that differs ends it, and so do answers that
leave the question open too often. After that, samples become rare, and several of them in a row must agree again.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

_EARNING = 3
"""Samples in a row that must agree."""
_REMEMBERED = 20
_MOST_OPEN = 10
"""Of the last `_REMEMBERED` answers that were asked for, how many may leave the question open."""


class Plan(Enum):
    """How the next product is read."""

    FETCH = "fetch"
    SAMPLE = "sample"
    """By a full visit, and fetched as well to compare."""
    FULL = "full"


class Trust:
    """The trust in one platform's answers."""

    def __init__(self, sample_every: int) -> None:
        """Every so many products one is a sample."""
        self._every = sample_every
        self._products = 0
        self._agreed = 0
        self._lost = False
        self._open: deque[bool] = deque(maxlen=_REMEMBERED)

    @property
    def trusted(self) -> bool:
        """Whether answers may stand for pages."""
        return self._agreed >= _EARNING

    def plan(self) -> Plan:
        """How to read the next product."""
        self._products += 1
        due = self._products % self._every == 0
        if self.trusted:
            return Plan.SAMPLE if due else Plan.FETCH
        if self._lost:
            return Plan.SAMPLE if due else Plan.FULL
        return Plan.SAMPLE

    def compared(self, *, same: bool) -> bool:
        """Takes in a sample; whether `trusted` has changed by it."""
        before = self.trusted
        self._agreed = self._agreed + 1 if same else 0
        self._lost = self._lost or not same
        return self.trusted is not before

    def asked(self, *, left_open: bool) -> bool:
        """Takes in an answer that was to stand for a page; whether `trusted` has changed by it."""
        self._open.append(left_open)
        if not self.trusted or sum(self._open) < _MOST_OPEN:
            return False
        self._open.clear()
        return self.compared(same=False)
