"""Writes results into the catalogue's own table.

Works through the results in chunks: one transaction changes some rows and adds their audit entries. If something ends
it midway, committed chunks are complete. The next call continues: a row that already has its new values stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from pagemill.applying.audit import Application, Audit, AuditEntry
from pagemill.applying.catalog_rows import CatalogRow, CatalogRows, FoundRows
from pagemill.applying.database import catalogue_engine, translated_for_catalogue
from pagemill.applying.raw_table import RawCell
from pagemill.applying.row_change import change_row
from pagemill.applying.row_plan import RowPlan, is_read, plans_of
from pagemill.applying.row_report import Cell, RowCounts, RowOutcome, RowReport
from pagemill.applying.wishes import WRITTEN_VERDICTS, Wish, wishes_of
from pagemill.config.platform import Platform
from pagemill.config.settings import Environment
from pagemill.errors import UsageError
from pagemill.model import ItemResult
from pagemill.results.database import transaction
from pagemill.results.selection import Selection
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("applying")

CHUNK = 100
"""Products in one transaction. Few, because other writers wait for the locked rows until the transaction ends."""


@dataclass
class Applied:
    """The outcome of one call. The next call continues after the product `next_after`; at the end it is empty."""

    tally: RowCounts = field(default_factory=RowCounts)
    next_after: str = ""
    without: tuple[str, ...] = ()
    """The run's platforms that were left out, because their files do not say which columns may be written."""


class Applier:
    """Writes the results of one store. May be used from several threads."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        environment: Environment,
        store: ResultStore,
        *,
        slow_statement_ms: float = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Args:
            platforms: the configured platforms, by name.
            environment: says where the catalogue is, and whether it may be written.
            store: must be open when `apply` is called.
            slow_statement_ms: slower statements are logged; 0 logs none.
            now: the time of day, with its zone.
        """
        self._platforms = platforms
        self._environment = environment
        self._store = store
        self._slow_statement_ms = slow_statement_ms
        self._now = now

    @property
    def may_write(self) -> bool:
        """Whether an account for writing is configured."""
        return bool(self._environment.catalog_write_url)

    def apply(
        self,
        run: str,
        tell: Callable[[RowReport], object] = lambda _told: None,
        *,
        writes: bool = False,
        after: str = "",
        most: int | None = None,
    ) -> Applied:
        """Writes what a run found into the catalogue, or reports what would be written.

        Args:
            run: its id; the run may still be at work.
            tell: called for each product, after its transaction.
            writes: if false, nothing is changed.
            after: a product id; only products after it are looked at.
            most: roughly how many results are looked at; all by default.

        Raises:
            UsageError: there is no such run, nothing may be written, or a table differs from its platform's file.
            DatabaseUnavailable: one of the databases is out of reach. What was reported is written.
        """
        platforms, without = self._chosen(run)
        applied = Applied(without=without)
        wanted = Selection(run, WRITTEN_VERDICTS)
        with catalogue_engine(self._environment, self._slow_statement_ms, writes=writes) as engine:
            now = self._now()
            tables = {name: _Table(engine, each, now, writes=writes) for name, each in platforms.items()}
            looked_at = 0
            place = (run, after) if after else None
            while page := self._store.page(wanted, CHUNK, place):
                for name, table in tables.items():
                    for told in table.apply(run, [each for each in page if each.platform == name]):
                        applied.tally.add(told)
                        tell(told)
                place = (run, page[-1].product_id)
                looked_at += len(page)
                if len(page) < CHUNK:
                    break
                if most is not None and looked_at >= most:
                    applied.next_after = place[1]
                    break
        if writes:
            log.info(events.APPLIED, run=run, **applied.tally.figures())
        return applied

    def _chosen(self, run: str) -> tuple[dict[str, Platform], tuple[str, ...]]:
        """The run's platforms that may be written, and the names of the others."""
        names = self._store.platforms_of(run)
        chosen = {
            name: platform
            for name in names
            if (platform := self._platforms.get(name)) is not None and platform.catalog.written
        }
        if not chosen:
            which = ", ".join(names) or "none"
            raise UsageError(
                f"nothing of run {run} may be written (platforms: {which}): name the table in catalog.table and its "
                "columns in catalog.update.columns of the platform's file"
            )
        return chosen, tuple(name for name in names if name not in chosen)


class _Table:
    """One platform's table, for the time of one call."""

    def __init__(self, engine: Engine, platform: Platform, now: datetime, *, writes: bool) -> None:
        self._engine = engine
        self._platform = platform
        self._writes = writes
        self._name = str(platform.catalog.table)
        with translated_for_catalogue(engine, self._name):
            self._rows = CatalogRows(engine, platform)
            self._audit = Audit(engine, self._name)
            if writes:
                self._audit.create()
        self._types = {field: self._rows.column(field).type for field in platform.catalog.update.written}
        self._application = Application(now, self._name, platform.platform)

    def apply(self, run: str, results: list[ItemResult]) -> list[RowReport]:
        """Changes the rows in one transaction; returns each product's outcome afterwards."""
        wanted = {each.product_id: (each, wishes) for each in results if (wishes := wishes_of(each, self._platform))}
        if not wanted:
            return []
        with (
            translated_for_catalogue(self._engine, self._name),
            transaction(self._engine, writes=self._writes) as connection,
        ):
            found = self._rows.find(connection, list(wanted), locks=self._writes)
            return [
                told
                for result, wishes in wanted.values()
                for told in self._apply_one(connection, run, result, wishes, found)
            ]

    def _apply_one(
        self, connection: Connection, run: str, result: ItemResult, wishes: tuple[Wish, ...], found: FoundRows
    ) -> Iterator[RowReport]:
        def told(plan: RowPlan) -> RowReport:
            return RowReport(run, result.platform, result.product_id, plan.outcome, plan.cells, plan.reason)

        rows = found.rows.get(result.product_id, [])
        if len(rows) != 1 or result.product_id in found.busy:
            yield told(_without_row(result, wishes, found, len(rows)))
            return
        for plan in plans_of(result, wishes, rows[0], self._types):
            if plan.writes and self._writes:
                plan = self._write(connection, run, result, rows[0], plan)
            yield told(plan)

    def _write(self, connection: Connection, run: str, result: ItemResult, row: CatalogRow, plan: RowPlan) -> RowPlan:
        """Changes the row and adds its audit entries; if the row stays as it is, the plan says why."""
        after = {write.wish.column: self._rows.raw.raw_of(write.value) for write in plan.writes}
        by_column = {write.wish.column: write for write in plan.writes}

        def is_right(name: str, value: RawCell) -> bool:
            return is_read(value, by_column[name].reads, by_column[name].wish.kind)

        def note(now: Mapping[str, RawCell]) -> None:
            entry = AuditEntry(row.key, result.product_id, row.raw_of(after), now)
            self._audit.note(connection, run, self._application, entry)

        before = row.raw_of(after, self._rows.url_column)
        outcome, reason = change_row(connection, self._rows.raw, row.key, before, after, is_right=is_right, note=note)
        return plan if outcome is RowOutcome.WRITTEN else RowPlan(outcome, plan.cells, reason)


def _without_row(result: ItemResult, wishes: tuple[Wish, ...], found: FoundRows, rows: int) -> RowPlan:
    cells = tuple(Cell(wish.field, wish.column, wish.expected, wish.value) for wish in wishes)
    if result.product_id in found.busy:
        return RowPlan(RowOutcome.BUSY, cells, "somebody else is changing the row: apply again")
    if rows:
        return RowPlan(RowOutcome.DOUBLED, cells, f"{rows} rows have this id")
    return RowPlan(
        RowOutcome.MISSING, cells, "the row is not in the table, or catalog.where does not choose it any more"
    )
