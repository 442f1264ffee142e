"""Tells ends of runs and watched changes, each once, however many API processes look for them.

What is to be told stands in the database until it is in the fleet's history of alerts, from where `delivery` brings it
to the channels. A process claims a run there, raises the alert, and settles. If it dies in between, another one takes
over after a minute; the history remembers what it has by the alert's id, so that nothing stands there twice. What kills
the process that tells it is given up after some tries, and what ended long ago is not told any more. A run that broke
off is told as that, and again at its real end if somebody goes on with it.
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
    """How patient telling is."""

    takeover: timedelta = timedelta(seconds=60)
    """After so long what another process has in hand is taken over; longer than it ever takes."""
    most_tries: int = 3
    """Claims of which nothing came."""
    oldest: timedelta = timedelta(hours=24)
    """What ended before that is not told, and for that long a run that broke off may be gone on with."""
    between_changes: timedelta = timedelta(seconds=60)
    """From one message of watched changes of a run to the next one."""
    after_cancel: timedelta = timedelta(seconds=15)
    """What is at work when a run is cancelled still ends."""
    remembered: timedelta = timedelta(days=2)


class Notifier:
    """One process' part in telling. Called from one thread."""

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
            desk: lets alerts out; while it is not enabled nothing is told, and nothing forgotten.
            settings: `alerts.yaml`.
            name: a name that no other process has.
            pace: how patient it is.
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
        """The last run of the look before, if that did not come to the end."""

    def look(self) -> int:
        """Tells what is to be told of some of the runs; how many messages that made.

        Raises:
            RedisError, DatabaseUnavailable: the next look goes on.
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
        """In which way it has ended, where that was not told; `None` if it has not."""
        if run.cancelled_at is not None:
            return Ending.CANCELLED if self._now() - run.cancelled_at >= self._pace.after_cancel else None
        if run.is_any_left:
            return None
        if run.sealed:
            return Ending.COMPLETE
        return Ending.BROKEN_OFF if run.broken_at is not None and not run.is_known_broken else None

    def _is_over(self, run: UntoldRun) -> bool:
        """Whether nothing of it is to be told any more: it was pruned, or people know that it broke off, and nobody
        goes on with it."""
        if run.broken_at is not None and run.is_known_broken:
            return run.cancelled_at is not None or self._now() - run.broken_at > self._pace.oldest
        return not run.is_there

    def _is_due(self, run: UntoldRun) -> bool:
        """Whether watched changes of it may be told now."""
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
            self._untold.release(run.run, self._name)  # a service was away: that is nobody's fault
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
                self._untold.release(run.run, self._name)  # somebody has just gone on with it
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
