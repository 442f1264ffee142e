"""Decides what is to be replaced, and why, from how much it was used and the limits. Pure; nothing here touches a
browser.

Four things wear out: a page, its context, its browser and Playwright's driver. The highest level that is due is
ordered, because replacing it replaces everything below it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

LIGHT_USES = 20
"""How many uses without a new document wear as much as one with."""


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
    """What one page, context, browser or driver has been through. `born_s` is on the monotonic clock."""

    born_s: float
    max_age_s: float
    """Its own limit of age, drawn with jitter when it was opened."""
    uses: int = 0
    errors: int = 0
    """Uses in a row that ended badly."""
    size_mb: float = 0.0
    """As last measured; 0 before that."""
    bad: str = ""
    """Why it must not be used again; empty while it may."""

    light: int = 0
    """Light uses since they last counted as one."""

    def use(self, *, failed: bool, light: bool = False) -> None:
        """Counts one use; several light ones, which load no document, count as one."""
        self.light += light
        if not light or self.light >= LIGHT_USES:
            self.uses += 1
            self.light = 0
        self.errors = self.errors + 1 if failed else 0


@dataclass(frozen=True, slots=True)
class WearLimits:
    """When one level is due by its uses, its errors and its size."""

    max_uses: int
    max_errors: int
    max_mb: float = math.inf


@dataclass(frozen=True, slots=True)
class RotationOrder:
    """Replace that level, for that reason: `uses`, `age`, `size`, `errors`, or what marked it as bad."""

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
    """The highest level that is due, or `None` when all may be used again."""
    for level in sorted(wears, reverse=True):
        reason = due(wears[level], limits[level], now_s)
        if reason is not None:
            return RotationOrder(level, reason)
    return None


def last_use(wear: Wear, limits: WearLimits) -> bool:
    """Whether the use that is about to begin is the last one: then its successor can be made ready meanwhile."""
    return wear.uses + 1 >= limits.max_uses


def with_jitter(max_age_s: float, random: Callable[[], float], spread: float = 0.1) -> float:
    """A limit of age within `spread` below the stated one, so that lanes do not all rotate at once.

    `random` returns a number in [0, 1).
    """
    return max_age_s * (1 - spread * random())
