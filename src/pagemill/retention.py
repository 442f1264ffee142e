"""Removes what is older than the settings keep: runs with their results, and artifacts of failures.

Decides what may be removed; never a run that still expects results. `results.old_runs` removes the rows.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from redis import Redis, RedisError

from pagemill.broker.repeating_thread import RepeatingThread
from pagemill.config.settings import RetentionSettings
from pagemill.errors import PagemillError, RedisUnavailable
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.intake.runs_at_work import runs_at_work
from pagemill.results.old_runs import OldRun, OldRuns
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("retention")

T = TypeVar("T")

_LOOK_S = 600.0
_CLOSE_S = 10.0
_DAY_S = 24 * 3600
_KEY = "pagemill:retention"
"""A key that exists for a day after a process has begun, so that only one process of the fleet cleans the database."""


class _Stopped(PagemillError):
    """The process ends; another one continues."""


class Retention:
    """What may be removed from one database and from one machine's artifacts."""

    def __init__(
        self,
        store: ResultStore,
        redis: Redis,
        artifacts: ArtifactStore,
        settings: RetentionSettings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        Args:
            store: open.
            redis: says which runs are at work.
            artifacts: this machine's artifacts.
            settings: the days that each kind is kept; without days it is kept for ever.
            now: the time of day, with its zone.
            pause: called between two steps of a removal; may raise an error to stop it.
        """
        self._old = OldRuns(store, pause)
        self._redis = redis
        self._artifacts = artifacts
        self._settings = settings
        self._now = now

    def runs(self) -> Iterator[OldRun]:
        """Streams the runs that may be removed.

        Raises:
            DatabaseUnavailable, RedisUnavailable: a service is away, so this is not known.
        """
        if self._settings.runs_days is None:
            return
        at_work: dict[str, set[str]] = {}
        for run in self._old.before(self._before(self._settings.runs_days)):
            is_over = run.complete or run.outstanding is False
            if not is_over and run.outstanding is None:  # a run of 0.1: only the queue knows
                if run.platform not in at_work:
                    at_work[run.platform] = self._at_work(run.platform)
                is_over = run.run not in at_work[run.platform]
            if is_over:
                yield run

    def files(self) -> list[Path]:
        """The artifacts that may be removed.

        Raises:
            OSError: their folder cannot be read.
        """
        days = self._settings.artifacts_days
        return [] if days is None else self._artifacts.older_than(self._before(days))

    def remove_runs(self) -> tuple[int, int]:
        """Removes the runs that may be removed; returns the numbers of runs and of results.

        Raises:
            DatabaseUnavailable, RedisUnavailable: a part is removed; another call continues.
        """
        runs = results = 0
        for run in self.runs():
            results += self._old.remove(run.run)
            runs += 1
        return runs, results

    def remove_files(self) -> int:
        """Removes the artifacts that may be removed; returns the number of files.

        Raises:
            OSError: a file cannot be removed.
        """
        files = self.files()
        for path in files:
            path.unlink(missing_ok=True)
        return len(files)

    def _before(self, days: int) -> datetime:
        return self._now() - timedelta(days=days)

    def _at_work(self, platform: str) -> set[str]:
        try:
            return runs_at_work(self._redis, platform)
        except RedisError as error:
            raise RedisUnavailable.gone(error) from error


class DailyRetention:
    """Removes old data once a day, on its own thread: one process of the fleet cleans the database, and each machine
    cleans its artifacts. Without days in the settings it does nothing.
    """

    def __init__(
        self,
        store: ResultStore,
        redis: Redis,
        artifacts: ArtifactStore,
        settings: RetentionSettings,
        look_s: float = _LOOK_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """As `Retention`; `look_s` is the interval in seconds of the check whether a day is over."""
        self._redis = redis
        self._settings = settings
        self._stop = threading.Event()
        self._retention = Retention(store, redis, artifacts, settings, now=now, pause=self._rest)
        self._rounds = RepeatingThread("retention", look_s, self.look)

    def __enter__(self) -> Self:
        if self._settings != RetentionSettings():
            self._rounds.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._settings != RetentionSettings():
            self._rounds.close(_CLOSE_S)

    def look(self) -> None:
        """Removes old data, if it is due."""
        files = self._tried("evidence", self._retention.remove_files) or 0
        runs, results = self._tried("runs", self._runs_if_due) or (0, 0)
        if runs or files:
            log.info(events.PRUNED, runs=runs, results=results, files=files)

    def _runs_if_due(self) -> tuple[int, int]:
        if self._settings.runs_days is None or not self._redis.set(_KEY, "begun", nx=True, ex=_DAY_S):
            return 0, 0
        try:
            return self._retention.remove_runs()
        except BaseException:
            with contextlib.suppress(RedisError):
                self._redis.delete(_KEY)  # so that the next look tries again, here or elsewhere
            raise

    def _tried(self, what: str, remove: Callable[[], T]) -> T | None:
        try:
            return remove()
        except _Stopped:
            return None
        except (PagemillError, RedisError, OSError) as error:
            log.warning(events.PRUNE_FAILED, what=what, error=str(error))
            return None

    def _rest(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped("the process ends")
