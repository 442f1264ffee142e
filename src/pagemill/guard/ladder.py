"""Decides what to do when a worker runs short of memory, the mildest step first. Pure.

The pool loses places at once. It gets them back one by one, each after some time without pressure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pagemill.guard.pressure import PressureJudgement, PressureLevel

REPEAT_S = 10.0
"""How long a step may take to show an effect before the steps of its level are repeated."""
REPEAT_CLEANING_S = 60.0
"""The same for the lowest level, because collecting garbage stops every thread for a moment."""
LEAVE_S = 30.0
"""How long an emergency may last before the process leaves. If leaving would free nothing, one visit at a time is made
instead.

An emergency lasts until the level falls below CRITICAL; until then, a new rise belongs to the same emergency."""
ABANDON_S = 120.0
"""How long draining may take after that before the batches are given back unfinished."""
PEACE_S = 60.0
"""How long the level must be normal before the first place is given back."""
GROW_S = 30.0
"""Time between two places that are given back."""


class LadderStep(StrEnum):
    """One thing to do. Their order is that of the ladder."""

    CLEAN = "clean"
    """Collect garbage, give free memory back, trim caches."""
    ROTATE_IDLE = "rotate_idle"
    ROTATE_CONTEXTS = "rotate_contexts"
    ALERT = "alert"
    RETIRE = "retire"
    """Replace browser and driver."""
    LEAVE = "leave"
    """Drain and end for a fresh process."""
    ABANDON = "abandon"
    """End without waiting for the visits at work, which took too long."""


RUNGS: dict[PressureLevel, tuple[LadderStep, ...]] = {
    PressureLevel.NORMAL: (),
    PressureLevel.WARNING: (LadderStep.CLEAN,),
    PressureLevel.CLEANUP: (LadderStep.CLEAN, LadderStep.ROTATE_IDLE),
    PressureLevel.CRITICAL: (LadderStep.CLEAN, LadderStep.ROTATE_IDLE, LadderStep.ROTATE_CONTEXTS, LadderStep.ALERT),
    PressureLevel.EMERGENCY: (
        LadderStep.CLEAN,
        LadderStep.ROTATE_IDLE,
        LadderStep.ROTATE_CONTEXTS,
        LadderStep.ALERT,
        LadderStep.RETIRE,
    ),
}
_SITTING_OUT = (LadderStep.CLEAN, LadderStep.ROTATE_IDLE)
"""Steps in an emergency that others cause: those that do not delay the visits that are still made."""


@dataclass(frozen=True, slots=True)
class Stance:
    """A worker's position on the ladder. Seconds are monotonic."""

    full_places: int
    places: int
    level: PressureLevel = PressureLevel.NORMAL
    since_s: float = 0.0
    """When the level was entered."""
    acted_s: float = 0.0
    """When steps were last ordered, or a place was last given back."""
    emergency_s: float | None = None
    """When the present emergency began; `None` without one."""
    sits_out: bool = False
    """Whether one visit at a time is made in spite of the emergency."""
    left_s: float | None = None
    """When the process was told to leave."""
    abandoned: bool = False

    @property
    def admitted_places(self) -> int:
        """How many visits may be at work now. In an emergency none, or one if `sits_out`."""
        if self.level is not PressureLevel.EMERGENCY:
            return self.places
        return 1 if self.sits_out else 0


def plan(
    stance: Stance, judgement: PressureJudgement, now_s: float, *, pages: int, may_help: bool = True
) -> tuple[Stance, tuple[LadderStep, ...]]:
    """The next stance, and the steps to take now.

    No level stops a worker for good. Below EMERGENCY, visits are made. In an emergency none is made, but after
    `LEAVE_S` the process leaves, or makes one visit at a time.

    Args:
        stance: the present one.
        judgement: the present pressure.
        now_s: monotonic seconds.
        pages: how many pages are open. Taking away unused places would free nothing.
        may_help: whether a fresh process would use less of what is short.
    """
    level, before = judgement.level, stance.level
    if (left_s := stance.left_s) is not None:
        stance = replace(stance, level=level)
        if stance.abandoned or now_s - left_s < ABANDON_S:
            return stance, ()
        return replace(stance, abandoned=True), (LadderStep.ABANDON,)
    if level is not before:
        stance = replace(stance, level=level, since_s=now_s)
    if level < PressureLevel.CRITICAL:
        stance = replace(stance, emergency_s=None, sits_out=False)
    elif level is PressureLevel.EMERGENCY:
        emergency_s = now_s if stance.emergency_s is None else stance.emergency_s
        stance = replace(stance, emergency_s=emergency_s)
        if now_s - emergency_s >= LEAVE_S:
            if may_help:
                return replace(stance, left_s=now_s), (LadderStep.LEAVE,)
            stance = replace(stance, sits_out=True)
    if level is not before:
        return _act(stance, now_s, pages) if level > before else (stance, ())
    if level is PressureLevel.NORMAL:
        return _grow(stance, now_s), ()
    pause_s = REPEAT_CLEANING_S if level is PressureLevel.WARNING or stance.sits_out else REPEAT_S
    return _act(stance, now_s, pages) if now_s - stance.acted_s >= pause_s else (stance, ())


def _act(stance: Stance, now_s: float, pages: int) -> tuple[Stance, tuple[LadderStep, ...]]:
    places, used = stance.places, min(stance.places, pages)
    if stance.level is PressureLevel.CLEANUP:
        places = used - 1
    elif stance.level >= PressureLevel.CRITICAL:
        places = used // 2
    steps = _SITTING_OUT if stance.sits_out else RUNGS[stance.level]
    return replace(stance, places=max(1, places), acted_s=now_s), steps


def _grow(stance: Stance, now_s: float) -> Stance:
    calm = now_s - stance.since_s >= PEACE_S and now_s - stance.acted_s >= GROW_S
    if stance.places >= stance.full_places or not calm:
        return stance
    return replace(stance, places=stance.places + 1, acted_s=now_s)
