"""Decides for `in_page_fetch` whether a product is read by a fetch alone or by a full visit. Pure.

A fetch is much cheaper than a visit, but it may say something else than the page. So some products, the samples, are
read both ways and compared. Three samples in a row that agree allow fetches alone. One that differs forbids them, and
so do ten of twenty answers that could not be used. After that samples become rare, and three in a row must agree again.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

_EARNING = 3
"""So many samples in a row must agree before a fetch alone is enough."""
_REMEMBERED = 20
_MOST_OPEN = 10
"""When so many of the last `_REMEMBERED` fetches could not be used, fetches alone are forbidden."""


class FetchPlan(Enum):
    """How to read the next product."""

    FETCH = "fetch"
    SAMPLE = "sample"
    """By a full visit and a fetch, to compare the two."""
    FULL = "full"


class FetchTrust:
    """Whether one platform's fetches are trusted."""

    def __init__(self, sample_every: int) -> None:
        """One product in `sample_every` is a sample."""
        self._every = sample_every
        self._products = 0
        self._agreed = 0
        self._lost = False
        self._open: deque[bool] = deque(maxlen=_REMEMBERED)

    @property
    def trusted(self) -> bool:
        """Whether a fetch alone is enough."""
        return self._agreed >= _EARNING

    def plan(self) -> FetchPlan:
        """How to read the next product. Call it once for each."""
        self._products += 1
        due = self._products % self._every == 0
        if self.trusted:
            return FetchPlan.SAMPLE if due else FetchPlan.FETCH
        if self._lost:
            return FetchPlan.SAMPLE if due else FetchPlan.FULL
        return FetchPlan.SAMPLE

    def compared(self, *, same: bool) -> bool:
        """Notes whether a sample's two readings were the `same`. Returns whether that has changed `trusted`."""
        before = self.trusted
        self._agreed = self._agreed + 1 if same else 0
        self._lost = self._lost or not same
        return self.trusted is not before

    def asked(self, *, left_open: bool) -> bool:
        """Notes a fetch, and whether its answer was of no use (`left_open`). Returns whether that has changed
        `trusted`."""
        self._open.append(left_open)
        if not self.trusted or sum(self._open) < _MOST_OPEN:
            return False
        self._open.clear()
        return self.compared(same=False)
