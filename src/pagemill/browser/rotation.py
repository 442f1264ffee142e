"""Decides what is to be replaced, and why, from its use and the limits. Pure; nothing here touches a browser.

Four things wear out: a page, its context, its browser and Playwright's driver. Only the highest level that is due is
ordered, because replacing it replaces everything below it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

LIGHT_USES = 20
"""How many uses without a new document wear as much as one use with a document."""


class RotationLevel(IntEnum):
    """What is replaced; a higher level contains the lower ones."""

    PAGE = 1
    CONTEXT = 2
    BROWSER = 3
    DRIVER = 4

    @property
    def title(self) -> str:
        """The word that log lines use."""
        return self.name.capitalize()


@dataclass(slots=True)
class Wear:
    """The use of one page, context, browser or driver so far. `born_s` is on the monotonic clock."""

    born_s: float
    max_age_s: float
    """Its own age limit, drawn with jitter when it was opened."""
    uses: int = 0
    errors: int = 0
    """Uses in a row that ended badly."""
    size_mb: float = 0.0
    """The last measured size; 0 before the first measurement."""
    bad: str = ""
    """Why it must not be used again; empty while it may."""

    light: int = 0
    """Light uses that have not been counted as a use yet."""

    def use(self, *, failed: bool, light: bool = False) -> None:
        """Counts one use. `LIGHT_USES` light uses, which load no document, count as one."""
        self.light += light
        if not light or self.light >= LIGHT_USES:
            self.uses += 1
            self.light = 0
        self.errors = self.errors + 1 if failed else 0


@dataclass(frozen=True, slots=True)
class WearLimits:
    """The limits of one level: uses, errors and size."""

    max_uses: int
    max_errors: int
    max_mb: float = math.inf


@dataclass(frozen=True, slots=True)
class RotationOrder:
    """Replaces that level, for that reason: `uses`, `age`, `size`, `errors`, or the reason why it was marked as bad."""

    level: RotationLevel
    reason: str


def due(wear: Wear, limits: WearLimits, now_s: float) -> str | None:
    """Why this one thing must be replaced, or `None`."""
    if wear.bad:
        return wear.bad
    if wear.errors >= limits.max_errors:
        return "errors"
    if wear.size_mb > limits.max_mb:
        return "size"
    if wear.uses >= limits.max_uses:
        return "uses"
    if now_s - wear.born_s >= wear.max_age_s:
        return "age"
    return None


def decide_rotation(
    wears: Mapping[RotationLevel, Wear], limits: Mapping[RotationLevel, WearLimits], now_s: float
) -> RotationOrder | None:
    """The highest level that is due; `None` if everything may be used again."""
    for level in sorted(wears, reverse=True):
        reason = due(wears[level], limits[level], now_s)
        if reason is not None:
            return RotationOrder(level, reason)
    return None


def last_use(wear: Wear, limits: WearLimits) -> bool:
    """Whether the coming use is the last one. If so, its successor can be prepared meanwhile."""
    return wear.uses + 1 >= limits.max_uses


def with_jitter(max_age_s: float, random: Callable[[], float], spread: float = 0.1) -> float:
    """An age limit up to `spread` (a share) below the stated one, so that lanes do not all rotate at once.

    `random` returns a number in [0, 1).
    """
    return max_age_s * (1 - spread * random())
