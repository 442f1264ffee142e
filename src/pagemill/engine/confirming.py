"""Whether a verdict is believed at once, or only when a second visit says the same. Pure."""

from __future__ import annotations

from collections.abc import Collection

from pagemill.model import Judgement, Verdict

_NO_ANSWER = frozenset({Verdict.FAILED, Verdict.BLOCKED})
"""Verdicts that say nothing of the product, and so neither agree nor disagree."""


class Confirming:
    """What the visits of one product have said so far."""

    def __init__(self, verdicts: Collection[str]) -> None:
        """Takes the verdicts that need a second visit."""
        self._verdicts = frozenset(verdicts)
        self._before: Judgement | None = None
        self._said = 0

    def doubts(self, judgement: Judgement) -> bool:
        """Whether `believes` will return `False` for that judgement."""
        if judgement.verdict in _NO_ANSWER:
            return False
        before = self._before
        if before is None:
            return judgement.verdict.value in self._verdicts
        return (before.verdict, before.differences) != (judgement.verdict, judgement.differences)

    def believes(self, judgement: Judgement) -> bool:
        """Notes what a visit has said. Returns whether it counts.

        A judgement that does not count is kept, to be compared with the next one.
        """
        doubted = self.doubts(judgement)
        if judgement.verdict not in _NO_ANSWER:
            self._before = judgement
            self._said += 1
        return not doubted

    def disagreement(self, judgement: Judgement) -> Judgement:
        """The judgement on a product whose visits did not agree, or that could be visited only once."""
        cause = "visits do not agree; the last one said" if self._said > 1 else "not confirmed by a second visit:"
        return Judgement(Verdict.FAILED, f"{cause} {judgement.verdict.value}: {judgement.reason}"[:400].rstrip(": "))
