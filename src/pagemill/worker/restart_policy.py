"""Decides what the supervisor does to a worker process, from nothing to a kill. Pure.

All times are seconds on the monotonic clock.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from pagemill.config.settings import SupervisorSettings
from pagemill.errors import ServiceUnavailable, UsageError, WorkerWornOut

_FINE = (0, WorkerWornOut.exit_code)


class ChildStep(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    CONTINUE = "continue"
    """SIGCONT: somebody has stopped the process."""
    TERMINATE = "terminate"
    """SIGTERM: it drains if it still can."""
    KILL = "kill"
    RESPAWN = "respawn"
    """Put another one in its place."""
    RETIRE = "retire"
    """Leave its place empty."""
    GIVE_UP = "give up"
    """End all."""


@dataclass(frozen=True, slots=True)
class RestartRules:
    """How patient the supervisor is."""

    beat_timeout_s: float = 60.0
    start_allowance_s: float = 240.0
    """Until the first beat. Opening the pool alone may take 180 s, and its own error then says more than a kill."""
    stop_grace_s: float = 10.0
    drain_s: float = 300.0
    """How long a process that was well may take to end when it is asked to."""
    stopped_s: float = 5.0
    recover_s: float = 3.0
    """How long a process that was continued has for its next beat."""
    backoff_s: float = 1.0
    backoff_max_s: float = 60.0
    max_crashes: int = 8
    steady_s: float = 60.0
    """A process that has beaten for so long came up well; what ended it later is not a crash in a row."""
    takeover_s: float = 0.0
    """How long nobody can take over what a dead one had in hand. Only a burst waits for it: the successor would find
    the queues empty and end."""

    @classmethod
    def of(cls, settings: SupervisorSettings, takeover_s: float = 0.0) -> RestartRules:
        """The configured rules."""
        return cls(
            beat_timeout_s=settings.beat_timeout_s,
            stop_grace_s=settings.stop_grace_s,
            backoff_s=settings.respawn_backoff_s,
            backoff_max_s=settings.respawn_backoff_max_s,
            max_crashes=settings.max_crashes,
            takeover_s=takeover_s,
        )


@dataclass(frozen=True, slots=True)
class ChildState:
    """What is known about one worker process."""

    started_s: float
    first_beat_s: float | None = None
    last_beat_s: float | None = None
    watched_since_s: float = 0.0
    """Nobody counts silence from before: the supervisor itself was paused then, and perhaps the whole container."""
    stopped_since_s: float | None = None
    continued_s: float | None = None
    """When it got SIGCONT; `None` once it has beaten since."""
    kill_at_s: float | None = None
    """Set when it was told to end."""
    stuck: bool = False
    """It was told to end because it was silent."""
    ended_s: float | None = None
    exit_code: int | None = None
    """`None` while it runs; negative: the signal that ended it."""
    crashes: int = 0
    """Crashes in a row in this place before."""

    @property
    def ended_well(self) -> bool:
        """Whether it ended as it should; false while it runs. SIGTERM ends one that had not begun when it was told."""
        return self.exit_code in _FINE or (self.kill_at_s is not None and self.exit_code == -signal.SIGTERM)

    def silent_s(self, now_s: float) -> float:
        """For how long it has given no sign of life."""
        return now_s - (self.last_beat_s if self.last_beat_s is not None else self.started_s)


@dataclass(frozen=True, slots=True)
class ChildOrder:
    """A step; `at_s` says when to respawn, `crashes` how many there are in a row now."""

    step: ChildStep
    at_s: float = 0.0
    crashes: int = 0


def decide_restart(
    now_s: float, child: ChildState, rules: RestartRules, *, burst: bool = False, stopping: bool = False
) -> ChildOrder:
    """What that process needs. `burst`: one that finds nothing to do is not replaced; `stopping`: none is."""
    if child.exit_code is not None:
        return _decide_on_ended(now_s, child, rules, burst, stopping)
    return ChildOrder(_decide_on_living(now_s, child, rules), crashes=child.crashes)


def _decide_on_living(now_s: float, child: ChildState, rules: RestartRules) -> ChildStep:
    if child.kill_at_s is not None and now_s >= child.kill_at_s:
        return ChildStep.KILL
    limit_s = rules.beat_timeout_s
    if child.last_beat_s is None:
        limit_s = max(limit_s, rules.start_allowance_s)
    too_silent = min(child.silent_s(now_s), now_s - child.watched_since_s) >= limit_s
    stopped = child.stopped_since_s is not None and now_s - child.stopped_since_s >= rules.stopped_s
    # One that is stopped again and again is continued until its silence has lasted too long, and then no more.
    if stopped and (child.continued_s is None or not too_silent):
        return ChildStep.CONTINUE
    recovers = child.continued_s is not None and now_s - child.continued_s < rules.recover_s
    if too_silent and not recovers and child.kill_at_s is None:
        return ChildStep.TERMINATE
    return ChildStep.NOTHING


def _decide_on_ended(now_s: float, child: ChildState, rules: RestartRules, burst: bool, stopping: bool) -> ChildOrder:
    ended_s = child.ended_s if child.ended_s is not None else now_s
    told = child.kill_at_s is not None
    if stopping or (burst and child.exit_code == 0 and not told):
        return ChildOrder(ChildStep.RETIRE)
    left_a_batch = burst and child.first_beat_s is not None and not child.ended_well
    earliest_s = ended_s + rules.takeover_s if left_a_batch else ended_s
    if _was_steady(child, rules) or (child.ended_well and not child.stuck):
        return ChildOrder(ChildStep.RESPAWN, earliest_s)
    crashes = child.crashes + 1
    if crashes >= rules.max_crashes:
        return ChildOrder(ChildStep.GIVE_UP, crashes=crashes)
    return ChildOrder(ChildStep.RESPAWN, max(earliest_s, ended_s + backoff_s(crashes, rules)), crashes)


def _was_steady(child: ChildState, rules: RestartRules) -> bool:
    if child.first_beat_s is None or child.last_beat_s is None:
        return False
    return child.last_beat_s - child.first_beat_s >= rules.steady_s


def backoff_s(crashes: int, rules: RestartRules) -> float:
    """The pause after so many crashes in a row, from 1 on."""
    return min(rules.backoff_max_s, rules.backoff_s * 2.0 ** min(crashes - 1, 60))


def restart_advice(exit_code: int) -> str:
    """What a person can do about worker processes that keep ending so."""
    if exit_code == UsageError.exit_code:
        return "correct the configuration: `pagemill check` lists its mistakes"
    if exit_code == ServiceUnavailable.exit_code:
        return "Redis, the database or the browser is out of reach: `pagemill check` tells which"
    if exit_code == -signal.SIGKILL:
        return "something kills them: give the container more memory, or run fewer processes"
    if exit_code in _FINE:
        return "they hang again and again: the lines `Loop Stuck` and `timeout` in the log tell where"
    return "the log lines before this one tell why; `pagemill check` examines the machine"
