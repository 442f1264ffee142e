"""The store of runs: begins, seals, cancels and lists them, and says how far each is.

Owns the SQL statements about runs; `store` has those about results.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import exists, func, or_, select, union, update

from pagemill.config.platform import AUTO
from pagemill.errors import UsageError
from pagemill.model import Priority, Verdict
from pagemill.results import schema
from pagemill.results.database import reading, writing
from pagemill.results.rows import storable_text
from pagemill.results.run_rows import NEWEST_FIRST, no_such_run, older_than, products_of, summaries
from pagemill.results.runs import RunProgress, RunSummary, Telling
from pagemill.results.table_store import TableStore, insert_new


class RunStore(TableStore):
    """The runs of one database."""

    def create_run(
        self,
        run_id: str,
        platform: str,
        source: str,
        *,
        may_exist: bool = False,
        priority: Priority = Priority.NORMAL,
        telling: Telling | None = None,
    ) -> None:
        """Records that a run begins. `source` says where its products come from, `platform` is `auto` for several, and
        `telling` says how the run's end is reported.

        Raises:
            UsageError: there is a run with this id, and `may_exist` is false.
        """
        telling, now = telling or Telling(), datetime.now(UTC)
        row = {
            "id": run_id,
            "platform": platform,
            "source": storable_text(source),
            "created_at": now,
            "priority": None if priority is Priority.NORMAL else priority.value,
            "alive_at": now,
        }
        end = {
            "run": run_id,
            "noted_at": now,
            "entry": telling.entry,
            "time_zone": telling.time_zone,
            "notify": dict(telling.notify),
            "tries": 0,
        }
        with writing(self.engine) as connection:
            if not insert_new(connection, schema.runs, [row]) and not may_exist:
                raise UsageError(f"there is a run {run_id} already")
            insert_new(connection, schema.untold_ends, [end])

    def seal_run(self, run_id: str, products: int, batches: int, skipped: int) -> None:
        """Records that all batches of a run are on the queue, with the numbers of products, batches and skipped rows.

        Raises:
            UsageError: there is no such run.
        """
        counts = {"products": products, "batches": batches, "skipped": skipped}
        statement = update(schema.runs).where(schema.runs.c.id == run_id)
        with writing(self.engine) as connection:
            values = statement.values(sealed_at=datetime.now(UTC), broken_at=None, **counts)
            found = connection.execute(values).rowcount
        if not found:
            raise no_such_run(run_id)

    def cancel_run(self, run_id: str) -> None:
        """Records that a run is cancelled.

        Raises:
            UsageError: there is no such run.
        """
        statement = update(schema.runs).where(schema.runs.c.id == run_id)
        moment = func.coalesce(schema.runs.c.cancelled_at, datetime.now(UTC))
        with writing(self.engine) as connection:
            if not connection.execute(statement.values(cancelled_at=moment)).rowcount:
                raise no_such_run(run_id)

    def platform_of(self, run_id: str) -> str:
        """The platform of a run; `auto` for a run over several.

        Raises:
            UsageError: there is no such run.
        """
        with reading(self.engine) as connection:
            platform: str | None = connection.scalar(select(schema.runs.c.platform).where(schema.runs.c.id == run_id))
        if platform is None:
            raise no_such_run(run_id)
        return platform

    def platforms_of(self, run_id: str) -> list[str]:
        """The platforms of a run's results and of its batches that are not done.

        Raises:
            UsageError: there is no such run.
        """
        if (platform := self.platform_of(run_id)) != AUTO:
            return [platform]
        named = (select(table.c.platform).where(table.c.run == run_id) for table in (schema.results, schema.batches))
        with reading(self.engine) as connection:
            return sorted(connection.scalars(union(*named)))

    def is_cancelled(self, run_id: str) -> bool:
        """Whether a run is cancelled; false for an unknown run."""
        query = select(schema.runs.c.cancelled_at).where(schema.runs.c.id == run_id)
        with reading(self.engine) as connection:
            return connection.scalar(query) is not None

    def progress(self, run: str) -> RunProgress:
        """How far the run is.

        Raises:
            UsageError: there is no such run.
        """
        by_verdict = (
            select(schema.results.c.verdict, func.count())
            .where(schema.results.c.run == run)
            .group_by(schema.results.c.verdict)
        )
        with reading(self.engine) as connection:
            row = connection.execute(select(schema.runs).where(schema.runs.c.id == run)).one_or_none()
            counts = {Verdict(row[0]): int(row[1]) for row in connection.execute(by_verdict)}
        if row is None:
            raise no_such_run(run)
        return RunProgress(
            run=run,
            products=products_of(row),
            sealed=row.sealed_at is not None,
            done=sum(counts.values()),
            by_verdict=counts,
            cancelled=row.cancelled_at is not None,
            broken_off=row.broken_at is not None,
        )

    def runs(self, limit: int = 20, before: str = "", platform: str = "") -> list[RunSummary]:
        """The latest runs, newest first.

        Args:
            limit: the most runs.
            before: a run; only older runs than that.
            platform: only runs that have batches of that platform, also runs over several.

        Raises:
            UsageError: there is no run `before`.
        """
        statement = select(schema.runs).order_by(*NEWEST_FIRST).limit(limit)
        if platform:
            columns = schema.run_platforms.c
            is_among = exists().where(columns.run == schema.runs.c.id, columns.platform == platform)
            statement = statement.where(or_(schema.runs.c.platform == platform, is_among))
        with reading(self.engine) as connection:
            return summaries(connection, connection.execute(older_than(connection, statement, before)).all())

    def run_ids(self, limit: int, before: str = "") -> list[str]:
        """Like `runs`, but only the ids."""
        statement = select(schema.runs.c.id).order_by(*NEWEST_FIRST).limit(limit)
        with reading(self.engine) as connection:
            return list(connection.scalars(older_than(connection, statement, before)))

    def run(self, run_id: str) -> RunSummary:
        """One run.

        Raises:
            UsageError: there is no such run.
        """
        with reading(self.engine) as connection:
            rows = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).all()
            if not rows:
                raise no_such_run(run_id)
            return summaries(connection, rows)[0]

    def latest_run(self) -> str | None:
        """The run that was created last; `None` without any."""
        with reading(self.engine) as connection:
            return connection.scalar(select(schema.runs.c.id).order_by(*NEWEST_FIRST).limit(1))
