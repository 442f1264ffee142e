"""Whether a verdict is believed at once, or only when a second visit says the same. Pure."""

from __future__ import annotations

from collections.abc import Collection

from pagemill.model import Judgement, Verdict


class Confirming:
    """What has been said of one product so far."""

    def __init__(self, verdicts: Collection[str]) -> None:
        """Takes the verdicts that need a second visit."""
        self._verdicts = frozenset(verdicts)
        self._before: Judgement | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a verdict waits for a second visit that says the same."""
        return self._before is not None

    def believes(self, judgement: Judgement) -> bool:
        """Takes in what a visit has said; whether it counts.

        One that does not is kept, to be compared with the next.
        """
        if judgement.verdict is Verdict.FAILED or (
            judgement.verdict.value not in self._verdicts and self._before is None
        ):
            return True
        before, self._before = self._before, judgement
        return before is not None and (before.verdict, before.differences) == (judgement.verdict, judgement.differences)

    def disagreement(self, judgement: Judgement) -> Judgement:
        """What is said of a product whose visits have not agreed."""
        return Judgement(
            Verdict.FAILED,
            f"visits do not agree; the last one said {judgement.verdict.value}: {judgement.reason}"[:400],
        )
