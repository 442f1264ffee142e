"""What comes next for a product, decided from what its attempts came to. Pure.

A visit that failed, was blocked, or says what needs a second visit is followed by another one, up to the platform's
`retry.attempts`; every visit after the first is one in a fresh context. What the shop sees of that is bounded: see
`Attempts.answer` for what counts for the breaker.
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
"""How many browsers may go away under a product's visits before that counts as the product's own failure."""
_REMEMBERED = 1_000
_TRIED_AGAIN = frozenset({Verdict.FAILED, Verdict.BLOCKED})


class Attempts:
    """The attempts at one product."""

    def __init__(self, most: int, confirm: Collection[str] = ()) -> None:
        """
        Args:
            most: how many there may be; those that ended with their browser are not counted, up to three of them.
            confirm: verdicts that are believed only when a second visit says the same.
        """
        self._most = most
        self._confirming = Confirming(confirm)
        self._spared = 0
        self._is_counted = False
        self.made = 0
        """How many have come to something."""

    @property
    def is_first(self) -> bool:
        """Whether the next one is the first. Each later one stands in a fresh context: it must not meet what the visit
        before it may have left there."""
        return self.made == 0

    @property
    def is_last(self) -> bool:
        """Whether the next one is the last."""
        return self.made + 1 - self._spared >= self._most

    @property
    def pauses(self) -> int:
        """Which pause comes before the next one, from 1."""
        return max(1, self.made - self._spared)

    def ends_context(self, judgement: Judgement) -> str:
        """Why nothing else must be visited in the context of the visit that said this; empty where it may.

        The shop has taken offence at its session, or something in it may have made the visit say what it said.
        """
        if judgement.verdict in _TRIED_AGAIN:
            return judgement.verdict.value
        return "unconfirmed" if self._confirming.doubts(judgement) else ""

    def answer(self, outcome: AttemptOutcome) -> VisitAnswer | None:
        """How the shop took it, as its pace is told; to be asked once for each outcome.

        A block counts for the breaker when it met a stranger: then it is the shop that refuses, and not a session that
        it is tired of. And once for a product: one page that is closed to everybody is no shop that is.
        """
        answer = outcome.answer
        if answer is None or answer.welcome is not Welcome.BLOCKED:
            return answer
        if outcome.is_stranger and not self._is_counted:
            self._is_counted = True
            return answer
        return replace(answer, welcome=Welcome.CHALLENGED)

    def judged(self, outcome: AttemptOutcome) -> Judgement | None:
        """Takes in what an attempt came to: the judgement that counts, or `None` if there must be another attempt."""
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
    """Attempts at products that went back to the queue because the shop wants to be left alone for long.

    Whoever takes such a product up again goes on with them. Otherwise one that is answered so each time would have no
    end. The latest 1,000 are kept, in this process.
    """

    def __init__(self) -> None:
        self._attempts: LRUCache[tuple[str, str], Attempts] = LRUCache(_REMEMBERED)

    def keep(self, run: str, product_id: str, attempts: Attempts) -> None:
        """Keeps them, if there were any."""
        if attempts.made:
            self._attempts[run, product_id] = attempts

    def take(self, run: str, product_id: str) -> Attempts | None:
        """Gives them back, once; `None` where there were none."""
        return self._attempts.pop((run, product_id), None)
