"""Decides what to do about pressure: the ladder's rungs, the mildest first. Pure: a judgement in, steps out.

Lanes go down at once and come back one by one, each after a while of peace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pagemill.guard.pressure import Judgement, Level

REPEAT_S = 10.0
"""How long a step may take to show before the rung is climbed again."""
REPEAT_CLEANING_S = 60.0
"""The same for the lowest rung: collecting garbage stops every thread for a moment."""
LEAVE_S = 30.0
"""How long an emergency may last after browser and driver were retired before the process leaves."""
PEACE_S = 60.0
"""How long the level must be normal before the first lane comes back."""
GROW_S = 30.0
"""Time between two lanes that come back."""


class Step(StrEnum):
    """One thing to do. The order is that of the ladder."""

    CLEAN = "clean"
    """Collect garbage, give free memory back, trim caches."""
    ROTATE_IDLE = "rotate_idle"
    ROTATE_CONTEXTS = "rotate_contexts"
    ALERT = "alert"
    RETIRE = "retire"
    """Replace browser and driver."""
    LEAVE = "leave"
    """Drain and end for a fresh process."""


RUNGS: dict[Level, tuple[Step, ...]] = {
    Level.NORMAL: (),
    Level.WARNING: (Step.CLEAN,),
    Level.CLEANUP: (Step.CLEAN, Step.ROTATE_IDLE),
    Level.CRITICAL: (Step.CLEAN, Step.ROTATE_IDLE, Step.ROTATE_CONTEXTS, Step.ALERT),
    Level.EMERGENCY: (Step.CLEAN, Step.ROTATE_IDLE, Step.ROTATE_CONTEXTS, Step.ALERT, Step.RETIRE),
}


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a worker stands on the ladder. Seconds are monotonic."""

    full_lanes: int
    lanes: int
    level: Level = Level.NORMAL
    since_s: float = 0.0
    """When the level was entered."""
    acted_s: float = 0.0
    """When steps were last ordered, or a lane came back."""
    left: bool = False

    @property
    def admitted_lanes(self) -> int:
        """How many lanes may work now; none in an emergency."""
        return 0 if self.level is Level.EMERGENCY else self.lanes


def plan(
    stance: Stance, judgement: Judgement, now_s: float, *, may_help: bool = True
) -> tuple[Stance, tuple[Step, ...]]:
    """The next stance and what to do now; `may_help`: leaving would free something, the shortage is of our making."""
    level = judgement.level
    if level is not stance.level:
        rising = level > stance.level
        stance = replace(stance, level=level, since_s=now_s)
        return _act(stance, now_s) if rising else (stance, ())
    if level is Level.NORMAL:
        return _grow(stance, now_s), ()
    if level is Level.EMERGENCY and now_s - stance.since_s >= LEAVE_S and may_help and not stance.left:
        return replace(stance, left=True, acted_s=now_s), (Step.LEAVE,)
    pause_s = REPEAT_CLEANING_S if level is Level.WARNING else REPEAT_S
    return _act(stance, now_s) if now_s - stance.acted_s >= pause_s else (stance, ())


def _act(stance: Stance, now_s: float) -> tuple[Stance, tuple[Step, ...]]:
    lanes = stance.lanes
    if stance.level is Level.CLEANUP:
        lanes -= 1
    elif stance.level >= Level.CRITICAL:
        lanes //= 2
    return replace(stance, lanes=max(1, lanes), acted_s=now_s), RUNGS[stance.level]


def _grow(stance: Stance, now_s: float) -> Stance:
    calm = now_s - stance.since_s >= PEACE_S and now_s - stance.acted_s >= GROW_S
    if stance.lanes >= stance.full_lanes or not calm:
        return stance
    return replace(stance, lanes=stance.lanes + 1, acted_s=now_s)
