"""How the shop answered a visit: well, with a block, a challenge or an error. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pagemill.config.platform import RateLimit
from pagemill.pacing.retry_after import retry_after_s

_TOO_MANY = 429
_UNAVAILABLE = 503


class Welcome(StrEnum):
    """How a shop took a visit."""

    GOOD = "good"
    BLOCKED = "blocked"
    CHALLENGED = "challenged"
    """Blocked, but not counted by the breaker: the session may be the cause, or the product was counted already."""
    TROUBLE = "trouble"
    """It was too slow, or failed on the shop's side."""


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """How a shop took one visit. `retry_after` is the `Retry-After` header, empty if there was none."""

    welcome: Welcome
    status: int | None = None
    retry_after: str = ""

    def pause_s(self, limit: RateLimit, now: datetime | None = None) -> float:
        """For how many seconds the shop asks not to be visited at all; 0 if it does not ask."""
        if self.status not in (_TOO_MANY, _UNAVAILABLE):
            return 0.0
        asked_s = retry_after_s(self.retry_after, now or datetime.now(UTC)) if self.retry_after else None
        if asked_s is None:
            asked_s = limit.pause_s if self.status == _TOO_MANY else 0.0
        return min(asked_s, limit.pause_max_s)
