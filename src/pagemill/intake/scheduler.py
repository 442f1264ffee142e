"""Enqueues runs by `config/schedule.yaml`. Several schedulers may run; one leads, and each due time fires once.

RQ's own cron fires in each process that runs it, forgets its firings when the process ends, and knows only UTC. Here,
croniter, which RQ also uses, reads the cron expressions. A firing is recorded in Redis before anything is enqueued. If
a scheduler dies, another one continues its run with the remaining products.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import redis

from pagemill.broker.leadership import Leadership
from pagemill.config.platform import Platform
from pagemill.config.schedule import ScheduleEntry
from pagemill.config.settings import Config
from pagemill.errors import ConfigError, LeadLost, PagemillError, ServiceUnavailable, UsageError
from pagemill.intake.begin_run import Beginner
from pagemill.intake.enqueue import new_run_id
from pagemill.intake.platforms import meant
from pagemill.intake.rows import BadRow
from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome, decide_firing, latest_due, rule_of
from pagemill.intake.schedule_firing_log import LEADER_KEY, FiringLog
from pagemill.model import FactValue, Product
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.runs import RunProgress, Telling
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("scheduler")

_TICK_S = 1.0
_RENEW_S = 1.0
_LOGGED_BAD_ROWS = 5


class _Stopped(PagemillError):
    """The scheduler must stop; its current run continues later."""


class Scheduler:
    """One scheduler process."""

    def __init__(
        self,
        client: redis.Redis,
        store: ResultStore,
        load: Callable[[], Config],
        name: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            client: retries for long, because a recorded firing must be enqueued even after a minute.
            store: open.
            load: reads the configuration anew.
            name: unique in the fleet.
            now: the time, with its zone.
            on_progress: called in each round and for each batch.
        """
        self._client = client
        self._store = store
        self._load = load
        self._now = now
        self._on_progress = on_progress
        self._log = FiringLog(client)
        self._noted: dict[str, EntryFiring] = {}
        """This scheduler's latest note about each entry, in case Redis loses its data."""
        self._lead = Leadership(client, LEADER_KEY, name)
        self._leads = False
        self._config = load()
        self._seen = _fingerprint(self._config.environment.config_folder)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Makes `run` return soon. May be called from a signal handler."""
        self._stop.set()

    @property
    def leads(self) -> bool:
        """Whether this scheduler leads, as far as it knows. May be called from any thread."""
        return self._leads

    @property
    def platforms(self) -> Mapping[str, Platform]:
        """The configured platforms, as last read. May be called from any thread."""
        return self._config.platforms

    def run(self) -> None:
        """Fires due entries about every second until it is stopped. Waits for services that are away."""
        try:
            while not self._stop.is_set():
                self._on_progress()
                try:
                    self.tick()
                except _Stopped:
                    break
                except LeadLost:
                    self._leads = False
                except (redis.RedisError, ServiceUnavailable) as error:
                    log.warning(events.SCHEDULER_WAITS, error=str(error))
                self._stop.wait(_TICK_S)
        finally:
            if self._leads:
                self._leads = False
                with suppress(redis.RedisError):  # the lead expires by itself
                    self._lead.release()

    def tick(self) -> None:
        """Does one round, if this scheduler leads.

        Raises:
            LeadLost: another scheduler has just taken the lead.
            redis.RedisError, ServiceUnavailable: a service is away; the next round continues.
        """
        leads = self._lead.hold()
        if leads and not self._leads:
            log.info(events.SCHEDULER_LEADS, scheduler=self._lead.name, entries=sorted(self._config.schedule.entries))
        self._leads = leads
        if not leads:
            return
        self._reload()
        for name, entry in self._config.schedule.entries.items():
            if entry.enabled:
                self._look(name, entry)

    def _reload(self) -> None:
        folder = self._config.environment.config_folder
        seen = _fingerprint(folder)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._config = self._load()
        except ConfigError as error:
            log.error(events.SCHEDULE_REJECTED, error=str(error), remedy="the schedule of before stays in force")
        else:
            log.info(events.SCHEDULE_RELOADED, entries=sorted(self._config.schedule.entries))

    def _look(self, name: str, entry: ScheduleEntry) -> None:
        last = self._log.last(name) or self._noted.get(name) or self._begun(name, entry)
        firing = decide_firing(entry, last, self._now(), going=last is not None and self._is_going(last))
        if firing is None:
            return
        if firing.outcome is FiringOutcome.QUEUEING:
            self._fire(name, entry, firing, resumes=last == firing)
            return
        self._note(name, firing)
        if firing.outcome in (FiringOutcome.SKIPPED, FiringOutcome.MISSED, FiringOutcome.WAITING):
            log.warning(
                events.SCHEDULE_SKIPPED,
                entry=name,
                due=firing.due.isoformat(),
                outcome=firing.outcome.value,
                run=firing.run,
            )

    def _begun(self, name: str, entry: ScheduleEntry) -> EntryFiring | None:
        """The note about a run that was begun and is not complete, rebuilt after Redis has lost its data."""
        due = latest_due(entry, self._now())
        run = _run_of(name, entry, due)
        progress = self._progress(run)
        if progress is None or progress.sealed or progress.cancelled:
            return None
        return EntryFiring(due, FiringOutcome.QUEUEING, run, rule=rule_of(entry))

    def _is_going(self, last: EntryFiring) -> bool:
        """Whether the entry's last run still has products without a result, and batches that can bring them one."""
        progress = self._progress(last.run)
        if progress is None or progress.finished:
            return False
        return AskedBatches(self._store).is_any_left(last.run)

    def _fire(self, name: str, entry: ScheduleEntry, firing: EntryFiring, *, resumes: bool) -> None:
        if not resumes:
            firing = replace(firing, run=_run_of(name, entry, firing.due))
            self._note(name, firing)
        log.info(events.SCHEDULE_FIRED, entry=name, due=firing.due.isoformat(), run=firing.run, resumes=resumes)
        try:
            products = self._enqueue(name, entry, firing.run)
        except (LeadLost, _Stopped, ServiceUnavailable):
            raise
        except PagemillError as error:
            log.error(events.SCHEDULE_FAILED, entry=name, run=firing.run, error=str(error))
            self._note(name, replace(firing, outcome=FiringOutcome.FAILED, detail=str(error)))
        else:
            self._note(name, replace(firing, outcome=FiringOutcome.QUEUED, detail=f"{products} products"))

    def _enqueue(self, name: str, entry: ScheduleEntry, run: str) -> int:
        """Puts the run or the rest of it on the queue; returns the number of its products."""
        platform = meant(self._config.platforms, entry.platform)
        beginner = Beginner(self._config, self._client, self._store)
        start = beginner.reached(run)
        progress = self._progress(run)
        if progress is not None and (progress.sealed or progress.cancelled):
            return progress.products or 0
        bad_rows = _BadRows(run)
        rows = beginner.catalogue(entry.catalog, platform, bad_rows, encoding=entry.encoding, decimal=entry.decimal)
        products = _filtered(self._watched(rows), entry.filter)
        if start.batches:
            products = beginner.rest(products, run, self._watched)
        with closing(products):
            enqueued = beginner.begin(
                products,
                platform,
                source=entry.catalog,
                batch_size=entry.batch_size,
                priority=entry.priority,
                on_batch=lambda _products: self._keep_on(),
                skipped=lambda: bad_rows.skipped,
                run=run,
                start=start,
                telling=Telling(name, entry.time_zone, entry.notify.said),
            )
        return enqueued.products

    def _watched(self, rows: Iterable[Product]) -> Generator[Product]:
        """The same rows, with the lead renewed in between. Many rows may pass without a batch: those that the filter
        drops, and those that a continued run has already."""
        kept_s = time.monotonic()
        for row in rows:
            if self._stop.is_set() or time.monotonic() - kept_s >= _RENEW_S:
                self._keep_on()
                kept_s = time.monotonic()
            yield row

    def _keep_on(self) -> None:
        if self._stop.is_set():
            raise _Stopped("the scheduler stops")
        self._lead.renew()
        self._on_progress()

    def _progress(self, run: str) -> RunProgress | None:
        """The run's progress; `None` if it was never begun."""
        try:
            return self._store.progress(run)
        except UsageError:
            return None

    def _note(self, name: str, firing: EntryFiring) -> None:
        if not self._log.note(name, firing, self._lead.name):
            raise LeadLost
        self._noted[name] = firing


class _BadRows:
    """Counts bad rows, and logs the first few."""

    def __init__(self, run: str) -> None:
        self._run = run
        self.skipped = 0
        self._logged = 0

    def __call__(self, row: BadRow) -> None:
        self.skipped += row.row_skipped
        if self._logged < _LOGGED_BAD_ROWS:
            self._logged += 1
            log.warning(events.BAD_ROW, run=self._run, row=row.line, reason=row.reason)


def _run_of(name: str, entry: ScheduleEntry, due: datetime) -> str:
    """The run's id for an entry's due time; the same in every scheduler."""
    return new_run_id(entry.platform, due, hashlib.sha256(name.encode()).hexdigest()[:4])


def _filtered(
    products: Iterable[Product], wanted: Mapping[str, FactValue | tuple[FactValue, ...]]
) -> Generator[Product]:
    for product in products:
        if all(_fits(product.expected.get(name), value) for name, value in wanted.items()):
            yield product


def _fits(value: FactValue, wanted: FactValue | tuple[FactValue, ...]) -> bool:
    return value in wanted if isinstance(wanted, tuple) else value == wanted


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """A value that changes when a file of the configuration changes."""
    found = []
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*/*.yaml"))):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
