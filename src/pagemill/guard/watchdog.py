"""Notices an event loop that is stuck, and acts: logs all stacks, kills the browser, then lets the process leave.

It does not know the cause: a user's strategy that sleeps, or a call that waits for a browser.
"""

from __future__ import annotations

from collections.abc import Callable

from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_LAST_RESORT_S = 30.0
"""How long the main thread may take to give the batches back before the process is ended without it."""


class Watchdog:
    """Called about once a second from the sidecar thread. Each stage is reached once while the loop is stuck."""

    def __init__(
        self,
        lag_s: Callable[[], float],
        stuck_after_s: float,
        *,
        dump: Callable[[], str],
        kill_browser: Callable[[str], None],
        abandon: Callable[[str], None],
        end_process: Callable[[], None],
    ) -> None:
        """
        Args:
            lag_s: for how long the loop has been stuck.
            stuck_after_s: when stacks are logged. At twice this the browser is killed; at three times the loop is left.
            dump: the stacks of every thread and task.
            kill_browser: ends browser and driver without the loop's help.
            abandon: gives the batches back and lets the process end, without the loop's help.
            end_process: ends the process at once; called if it still runs half a minute after that.
        """
        self._lag_s = lag_s
        stages = [
            (stuck_after_s, "dump", self._dump),
            (2 * stuck_after_s, "kill browser", lambda _lag_s: kill_browser("stuck")),
            (3 * stuck_after_s, "abandon", lambda lag_s: abandon(f"the event loop stood still for {lag_s:.0f} s")),
            (3 * stuck_after_s + _LAST_RESORT_S, "end process", lambda _lag_s: end_process()),
        ]
        self._stages: tuple[tuple[float, str, Callable[[float], None]], ...] = tuple(stages)
        self._stacks = dump
        self._reached = 0

    def check(self) -> None:
        """Reaches at most one further stage."""
        lag_s = self._lag_s()
        if lag_s < self._stages[0][0]:
            self._reached = 0
            return
        if self._reached == len(self._stages):
            return
        after_s, step, act = self._stages[self._reached]
        if lag_s < after_s:
            return
        self._reached += 1
        if step != "dump":
            log.error(events.LOOP_STUCK, seconds=round(lag_s, 1), step=step)
        act(lag_s)

    def _dump(self, lag_s: float) -> None:
        log.error(events.LOOP_STUCK, seconds=round(lag_s, 1), step="dump", stacks=self._stacks())
