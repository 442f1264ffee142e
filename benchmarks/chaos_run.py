"""One chaos run: waits for full speed, injects a fault at a random moment, measures the way back, and so on.

Owns the order of things and every waiting time. What a fault is and what the ground is are other modules'.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.chaos_faults import Kind, Strike
from benchmarks.chaos_ground import Ground
from benchmarks.chaos_speed import WINDOW_S, Calm, LogTail, Recovery

RECOVERY_LIMIT_S = 120.0
STOCK_S = 100.0
"""Work for so long, at full speed, waits before each fault: it must not run out while the fault lasts."""
_FIRST_ITEMS_S = 60.0
_FULL_SPEED_S = 60.0
_NOBODY_S = 15.0
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault and how it went. Speeds are items per second."""

    kind: str
    at_s: float
    """Since the run's begin."""
    detail: str
    before: float
    lowest: float
    took_s: float | None
    """`None` when the limit came first."""
    unhealed: str
    """What was still wrong at the limit."""
    events: dict[str, int]


class ChaosRun:
    """Faults on a ground, one after another."""

    def __init__(
        self,
        ground: Ground,
        chance: random.Random,
        *,
        pause_s: tuple[float, float] = (0.2, 1.5),
        recovery_limit_s: float = RECOVERY_LIMIT_S,
        stock_s: float = STOCK_S,
        say: Callable[[str], None] = print,
    ) -> None:
        """`pause_s` is the least and the most calm before a fault; `say` gets a line for each."""
        self._ground = ground
        self._chance = chance
        self._pause_s = pause_s
        self._limit_s = recovery_limit_s
        self._stock_s = stock_s
        self._say = say
        self._log = LogTail(ground.place.log)
        self._calm = Calm()
        self._began_s = time.monotonic()
        self.injections: list[Injection] = []
        self.unhappened: list[str] = []
        """Kinds for which no victim was found."""

    def judged(self) -> int:
        """How many items the workers have logged; one that was done again counts again."""
        self._log.read()
        return self._log.items

    def run(self, plan: Sequence[Kind], limit_s: float) -> None:
        """All faults of the plan, or as many as begin within the limit."""
        for kind in plan:
            if time.monotonic() - self._began_s > limit_s:
                self.unhappened.append(f"{kind.name}: no time left")
                continue
            self._ground.feed(round(self._calm.median / WINDOW_S * self._stock_s))
            self._await_full_speed()
            self._inject(kind)

    def _await_full_speed(self) -> None:
        """Full speed for a random while; after a minute without it, whatever there is counts as full from now on."""
        deadline_s = time.monotonic() + (_FULL_SPEED_S if self._calm.known else _FIRST_ITEMS_S)
        calm_s = self._chance.uniform(*self._pause_s)
        full_since_s: float | None = None
        while time.monotonic() < deadline_s:
            _, items = self._look()
            if items:
                self._calm.look(items)
            full = self._calm.known and self._calm.is_full(items) and self._ground.is_staffed()
            full_since_s = (full_since_s or time.monotonic()) if full else None
            if full_since_s is not None and time.monotonic() - full_since_s >= calm_s:
                return

    def _inject(self, kind: Kind) -> None:
        self._look()
        self._log.forget()
        before_s = time.monotonic() - self._began_s
        strike = self._strike(kind)
        if strike is None:
            self.unhappened.append(f"{kind.name}: nobody to do it to")
            return
        recovery = Recovery(strike.since_s, self._calm.median)
        deadline_s = strike.since_s + self._limit_s
        over = False
        while not over and time.time() < deadline_s:
            at_s, items = self._look()
            if self._ground.supervisor_ended is not None:
                self._ground.start_again()
            # Looking at all processes costs time that the workers need: only when the speed is right.
            over = recovery.look(at_s, items, recovery.is_full(items) and self._is_healed(strike))
        unhealed = "" if over else self._give_up(strike)
        injection = Injection(
            kind=kind.name,
            at_s=round(before_s, 1),
            detail=strike.detail,
            before=round(recovery.median / WINDOW_S, 1),
            lowest=round((recovery.lowest or 0) / WINDOW_S, 1),
            took_s=None if recovery.took_s is None else round(recovery.took_s, 1),
            unhealed=unhealed,
            events=dict(self._log.seen.most_common()),
        )
        self.injections.append(injection)
        back = f"back after {injection.took_s} s" if over else f"NOT BACK: {unhealed}"
        speed = f"{injection.before}/s, lowest {injection.lowest}/s"
        what = f"{len(self.injections):3}  {kind.name:14} {strike.detail:16}"
        self._say(f"{injection.at_s:7.1f} s  {what} {speed:24} {back}")

    def _strike(self, kind: Kind) -> Strike | None:
        deadline_s = time.monotonic() + _NOBODY_S
        while (strike := kind.inject(self._ground, self._chance)) is None and time.monotonic() < deadline_s:
            self._look()
        return strike

    def _is_healed(self, strike: Strike) -> bool:
        return strike.is_healed() and self._ground.is_staffed()

    def _give_up(self, strike: Strike) -> str:
        """Says what is wrong; a process that nobody healed is killed, so that the faults after it mean something."""
        wrong = []
        if strike.stopped is not None and strike.stopped.is_stopped():
            wrong.append("the process is still stopped")
            strike.stopped.kill()
        if not self._ground.is_staffed():
            wrong.append("a worker or its browser is missing")
        return ", ".join(wrong) or "slow"

    def _look(self) -> tuple[float, int]:
        time.sleep(_LOOK_S)
        self._log.read()
        at_s = time.time()
        return at_s, self._log.items_until(at_s)
