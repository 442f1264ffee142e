"""One span of time that several steps share. Measures only; cutting a step off is `pagemill.deadlines`' work."""

from __future__ import annotations

from time import monotonic

from pagemill.errors import DeadlineExceeded


class TimeBudget:
    """Runs from the moment it is made."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end_s = monotonic() + seconds

    def has_left(self, seconds: float) -> bool:
        """Whether that much time is left."""
        return self._end_s - monotonic() >= seconds

    def left_s(self, what: str) -> float:
        """The seconds that are left, to the millisecond and more than zero.

        Raises:
            DeadlineExceeded: none are left; `what` names the step that would have come next.
        """
        left = round(self._end_s - monotonic(), 3)
        if left <= 0:
            raise DeadlineExceeded(what, self._seconds)
        return left
