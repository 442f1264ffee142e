"""Counters of a pool since it was opened, and its state at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pagemill.browser.rotation import RotationLevel
from pagemill.browser.visitor.proxies import ProxyState


@dataclass(slots=True)
class Counters:
    """What has happened in a pool since it was opened."""

    leases: int = 0
    waits: int = 0
    launches: int = 0
    rotations: dict[tuple[RotationLevel, str], int] = field(default_factory=dict)

    def count_rotation(self, level: RotationLevel, reason: str) -> None:
        """Counts one rotation. There are only a few fixed reasons, so this stays small."""
        key = (level, reason)
        self.rotations[key] = self.rotations.get(key, 0) + 1

    def by_level(self) -> dict[str, int]:
        """The count for each level. May be called from any thread."""
        counts = {level.name.lower(): 0 for level in RotationLevel}
        for (level, _reason), count in list(self.rotations.items()):
            counts[level.name.lower()] += count
        return counts

    def by_reason(self) -> dict[str, int]:
        """The count for each level and reason. May be called from any thread."""
        return {f"{level.name.lower()} {reason}": count for (level, reason), count in list(self.rotations.items())}


@dataclass(frozen=True, slots=True)
class PoolStats:
    """A pool at one moment."""

    size: int
    places: int
    """The same as `size`: how many visits may be at work at once."""
    leased: int
    leased_by: Mapping[str, int]
    """How many of these places each platform has; platforms without any are left out."""
    waiting: int
    """How many visits are waiting for a place."""
    idle: int
    closing: int
    leases: int
    waits: int
    launches: int
    rotations: dict[str, int]
    """The count for each level, such as `{"page": 12, "context": 2}`."""
    reasons: dict[str, int] = field(default_factory=dict)
    """The count for each level and reason, such as `{"page uses": 11, "page error": 1}`."""
    proxies: tuple[ProxyState, ...] = ()
