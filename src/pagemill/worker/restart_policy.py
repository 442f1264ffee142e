"""Decides what the supervisor does with a worker process. Pure.

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
    """What the supervisor must do now."""

    NOTHING = "nothing"
    CONTINUE = "continue"
    """Send SIGCONT, because a signal has stopped the process."""
    TERMINATE = "terminate"
    """Send SIGTERM: the process drains if it still can."""
    KILL = "kill"
    RESPAWN = "respawn"
    """Start another process in its place."""
    RETIRE = "retire"
    """Leave its place empty."""
    GIVE_UP = "give up"
    """End all processes."""


@dataclass(frozen=True, slots=True)
class RestartRules:
    """The supervisor's time limits."""

    beat_timeout_s: float = 60.0
    start_allowance_s: float = 240.0
    """The limit for the first beat. Opening the pool may take 180 s, and its error says more than a kill would."""
    stop_grace_s: float = 10.0
    drain_s: float = 300.0
    """How long a healthy process may take to drain and end."""
    stopped_s: float = 5.0
    recover_s: float = 3.0
    """How long a process has for its next beat after SIGCONT."""
    backoff_s: float = 1.0
    backoff_max_s: float = 60.0
    max_crashes: int = 8
    steady_s: float = 60.0
    """If a process has beaten for this long, its end does not count as a crash in a row."""
    takeover_s: float = 0.0
    """How long a dead process' batch cannot be taken over. Only a burst waits for that, because the next process would
    find the queues empty and end."""

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
    """Silence before this time does not count, because the supervisor itself was paused, perhaps with the container."""
    stopped_since_s: float | None = None
    continued_s: float | None = None
    """The time of SIGCONT; `None` after the next beat."""
    kill_at_s: float | None = None
    """When it will be killed; set when it was told to end."""
    stuck: bool = False
    """Whether it was told to end because it was silent."""
    ended_s: float | None = None
    exit_code: int | None = None
    """`None` while it runs; a negative number is the signal that ended it."""
    crashes: int = 0
    """Earlier crashes in a row in this place."""

    @property
    def ended_well(self) -> bool:
        """Whether it ended without an error. SIGTERM counts as such if it was told to end before it handled signals."""
        return self.exit_code in _FINE or (self.kill_at_s is not None and self.exit_code == -signal.SIGTERM)

    def silent_s(self, now_s: float) -> float:
        """Seconds since the last sign of life."""
        return now_s - (self.last_beat_s if self.last_beat_s is not None else self.started_s)


@dataclass(frozen=True, slots=True)
class ChildOrder:
    """A step. `at_s` is the time of a respawn; `crashes` counts the crashes in a row."""

    step: ChildStep
    at_s: float = 0.0
    crashes: int = 0


def decide_restart(
    now_s: float, child: ChildState, rules: RestartRules, *, burst: bool = False, stopping: bool = False
) -> ChildOrder:
    """The next step for a process. With `burst` one that found no work is not replaced, with `stopping` none."""
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
    # A process that is stopped repeatedly is continued until it has been silent for too long.
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
    """The pause in seconds after so many crashes in a row."""
    return min(rules.backoff_max_s, rules.backoff_s * 2.0 ** min(crashes - 1, 60))


def restart_advice(exit_code: int) -> str:
    """What a person can do about worker processes that keep ending with this exit code."""
    if exit_code == UsageError.exit_code:
        return "correct the configuration: `pagemill check` lists its mistakes"
    if exit_code == ServiceUnavailable.exit_code:
        return "Redis, the database or the browser is out of reach: `pagemill check` tells which"
    if exit_code == -signal.SIGKILL:
        return "something kills them: give the container more memory, or run fewer processes"
    if exit_code in _FINE:
        return "they hang again and again: the lines `Loop Stuck` and `timeout` in the log tell where"
    return "the log lines before this one tell why; `pagemill check` examines the machine"
