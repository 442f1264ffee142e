"""Decides what comes next for a product, from the outcomes of its attempts so far. Pure.

A visit that failed, was blocked or needs confirmation is followed by another one, up to the platform's
`retry.attempts`. Every visit after the first one gets a fresh context. The effect on the shop's pace is bounded:
`Attempts.answer` says which blocks count for the breaker.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from cachetools import LRUCache

from pagemill.engine.attempt_outcome import AttemptOutcome
from pagemill.engine.confirming import Confirming
from pagemill.model import Judgement, Verdict
from pagemill.pacing.visit_answer import VisitAnswer, Welcome

_BROWSERS = 3
"""How many browsers may be lost during a product's visits before that counts as the product's own failure."""
_REMEMBERED = 1_000
_TRIED_AGAIN = frozenset({Verdict.FAILED, Verdict.BLOCKED})


class Attempts:
    """The attempts at one product."""

    def __init__(self, most: int, confirm: Collection[str] = ()) -> None:
        """
        Args:
            most: how many attempts there may be. Up to three that ended with a lost browser are not counted.
            confirm: verdicts that are believed only if a second visit says the same.
        """
        self._most = most
        self._confirming = Confirming(confirm)
        self._spared = 0
        self._is_counted = False
        self.made = 0
        """How many attempts have ended."""

    @property
    def is_first(self) -> bool:
        """Whether the next attempt is the first. Later ones get a fresh context, because an earlier visit may have left
        something in the old one."""
        return self.made == 0

    @property
    def is_last(self) -> bool:
        """Whether the next attempt is the last."""
        return self.made + 1 - self._spared >= self._most

    @property
    def pauses(self) -> int:
        """The number of the pause before the next attempt, from 1."""
        return max(1, self.made - self._spared)

    def ends_context(self, judgement: Judgement) -> str:
        """Why the context of that visit must not be used again; empty if it may be.

        Either the shop objects to the context's session, or something in the context may have caused the verdict.
        """
        if judgement.verdict in _TRIED_AGAIN:
            return judgement.verdict.value
        return "unconfirmed" if self._confirming.doubts(judgement) else ""

    def answer(self, outcome: AttemptOutcome) -> VisitAnswer | None:
        """How the shop took the visit, as it is reported to its pace. Must be called once for each outcome.

        A block counts for the breaker if the visitor was a stranger: then the shop refuses everybody and not only one
        session. It counts once for each product, because one closed page does not mean that the shop is closed.
        """
        answer = outcome.answer
        if answer is None or answer.welcome is not Welcome.BLOCKED:
            return answer
        if outcome.is_stranger and not self._is_counted:
            self._is_counted = True
            return answer
        return replace(answer, welcome=Welcome.CHALLENGED)

    def judged(self, outcome: AttemptOutcome) -> Judgement | None:
        """Notes an attempt's outcome. Returns the judgement that counts, or `None` if another attempt must follow."""
        is_last = self.is_last
        self.made += 1
        judgement = outcome.judgement
        if outcome.browser_lost and self._spared < _BROWSERS:
            self._spared += 1
            return None
        if judgement.verdict in _TRIED_AGAIN and outcome.retryable and not is_last:
            return None
        if self._confirming.believes(judgement):
            return judgement
        return self._confirming.disagreement(judgement) if is_last else None


class PutBack:
    """Attempts at products that went back to the queue because the shop asked to be left alone for long.

    Whoever takes such a product up again goes on with its attempts. Otherwise a product that gets this answer every
    time would never end. The latest 1,000 are kept, in this process.
    """

    def __init__(self) -> None:
        self._attempts: LRUCache[tuple[str, str], Attempts] = LRUCache(_REMEMBERED)

    def keep(self, run: str, product_id: str, attempts: Attempts) -> None:
        """Keeps the attempts if there were any."""
        if attempts.made:
            self._attempts[run, product_id] = attempts

    def take(self, run: str, product_id: str) -> Attempts | None:
        """Removes and returns the attempts; `None` if none are kept."""
        return self._attempts.pop((run, product_id), None)
