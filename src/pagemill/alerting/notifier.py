"""Sends notices about ended runs and watched changes, each once, although several API processes look for them.

A notice waits in the database until it is in the fleet's alert history; `delivery` takes it from there to the channels.
A process claims a run there, raises the alert and marks it as done. If the process dies in between, another one takes
over after a minute, and the alert's id keeps the history from having it twice. A run whose notice kills its process is
given up after some tries, and notices about old ends are dropped. A run that broke off gets a notice about that, and
another one at its real end if somebody continues it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import RedisError

from pagemill.alerting.alert import Alert
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.notices import MOST_WATCHED_SHOWN, Ending, EndOfRun, changes_alert, end_alert
from pagemill.alerting.plain_text import kind_of_reason
from pagemill.config.alerts import AlertRules
from pagemill.errors import DatabaseUnavailable
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.notice_outbox import NoticeOutbox, UntoldRun
from pagemill.results.run_end import run_end
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("alerts")

_RUNS_PER_LOOK = 500


@dataclass(frozen=True, slots=True)
class NoticePace:
    """Time limits of notices."""

    takeover: timedelta = timedelta(seconds=60)
    """After this time another process may take over a claimed run; longer than a notice takes."""
    most_tries: int = 3
    """Claims without success after which a run's notice is given up."""
    oldest: timedelta = timedelta(hours=24)
    """Runs that ended earlier get no notice. A run that broke off may be continued for this long."""
    between_changes: timedelta = timedelta(seconds=60)
    """The shortest time between two messages about watched changes of one run."""
    after_cancel: timedelta = timedelta(seconds=15)
    """The wait after a cancellation, because batches at work still end."""
    remembered: timedelta = timedelta(days=2)


class Notifier:
    """One process' share of the notices. To be called from one thread."""

    def __init__(
        self,
        store: ResultStore,
        desk: AlertDesk,
        settings: AlertRules,
        name: str,
        pace: NoticePace | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Args:
            store: open.
            desk: sends the alerts. While it is not enabled nothing is sent, and nothing is dropped either.
            settings: `alerts.yaml`.
            name: a name that no other process has.
            pace: time limits.
            now: the time of day, with its zone.
        """
        self._store = store
        self._untold = NoticeOutbox(store)
        self._asked = AskedBatches(store)
        self._desk = desk
        self._settings = settings
        self._name = name
        self._pace = pace or NoticePace()
        self._now = now
        self._behind = ""
        """The run at which the last look stopped; empty if that look reached the end."""

    def look(self) -> int:
        """Sends the notices that are due, for a limited number of runs; returns the number of messages.

        Raises:
            RedisError, DatabaseUnavailable: the next look continues.
        """
        if not self._desk.enabled:
            return 0
        runs = self._untold.runs(_RUNS_PER_LOOK, self._behind)
        self._behind = runs[-1].run if len(runs) == _RUNS_PER_LOOK else ""
        told = 0
        for each in runs:
            ending = self._ending(each)
            if ending is not None or self._is_over(each) or self._is_due(each):
                told += self._with_claim(each, ending)
        return told

    def _ending(self, run: UntoldRun) -> Ending | None:
        """How the run has ended, if no notice about that was sent; `None` if it has not ended."""
        if run.cancelled_at is not None:
            return Ending.CANCELLED if self._now() - run.cancelled_at >= self._pace.after_cancel else None
        if run.is_any_left:
            return None
        if run.sealed:
            return Ending.COMPLETE
        return Ending.BROKEN_OFF if run.broken_at is not None and not run.is_known_broken else None

    def _is_over(self, run: UntoldRun) -> bool:
        """Whether the run needs no further notice: it was pruned; or people know that it broke off, and nobody can
        continue it any more."""
        if run.broken_at is not None and run.is_known_broken:
            return run.cancelled_at is not None or self._now() - run.broken_at > self._pace.oldest
        return not run.is_there

    def _is_due(self, run: UntoldRun) -> bool:
        """Whether a message about watched changes of the run may be sent now."""
        last_at = run.changes_told_at
        return run.has_changes and (last_at is None or self._now() - last_at >= self._pace.between_changes)

    def _with_claim(self, run: UntoldRun, ending: Ending | None) -> int:
        tries = self._untold.claim(run.run, self._name, self._now(), self._pace.takeover)
        if not tries:
            return 0
        if tries > self._pace.most_tries:
            self._drop(run, f"telling it has ended {tries - 1} processes")
            return 0
        try:
            return self._tell(run, ending)
        except (RedisError, DatabaseUnavailable):
            self._untold.release(run.run, self._name)  # a service was away, so this does not count as a try
            raise

    def _tell(self, run: UntoldRun, ending: Ending | None) -> int:
        if self._is_over(run):
            self._untold.settle(run.run)
            return 0
        told = self._tell_changes(run)
        if ending is None:
            self._untold.release(run.run, self._name, self._now() if told else None)
            return told
        return told + self._tell_end(run, ending)

    def _tell_changes(self, run: UntoldRun) -> int:
        changes = self._untold.changes(run.run, MOST_WATCHED_SHOWN) if run.has_changes else None
        if changes is None:
            return 0
        told = False
        if (settings := self._settings.watched).enabled:
            channels = settings.channels
            told = self._out(changes_alert(changes, run.run, run.telling, channels, self._now()))
        self._untold.changes_told(run.run, changes.notice)
        return int(told)

    def _tell_end(self, run: UntoldRun, ending: Ending) -> int:
        settings = self._settings.runs.changed(run.telling.notify)
        told = False
        if settings.enabled:
            end = run_end(self._store, run.run, settings.changes, kind_of_reason)
            if end.summary.broken_at != run.broken_at:
                self._untold.release(run.run, self._name)  # somebody has just continued the run
                return 0
            if self._now() - end.ended_at > self._pace.oldest:
                self._drop(run, f"it ended at {end.ended_at.isoformat(timespec='seconds')}")
                return 0
            asked = end.summary.products
            if asked is None:
                asked = self._asked.reached(run.run).products
            told = self._out(end_alert(EndOfRun(ending, end, run.telling, asked), settings, self._now()))
        if ending is Ending.BROKEN_OFF:
            self._untold.release(run.run, self._name, told_broken_at=run.broken_at)
        else:
            self._untold.settle(run.run)
        return int(told)

    def _out(self, alert: Alert) -> bool:
        return self._desk.tell_once(alert, self._pace.remembered.total_seconds())

    def _drop(self, run: UntoldRun, reason: str) -> None:
        log.error(events.NOTICE_GIVEN_UP, run=run.run, reason=reason)
        self._untold.settle(run.run)
