"""The tables of the results database, the same on SQLite and PostgreSQL.

Owns names, types, keys and indexes. Must not open a connection. `results` has no foreign key to `runs`, so that a
result is never refused because its run's row is missing.

Columns that 0.1 did not have are added to older tables by `upgrade`. So they are nullable or have a constant
`server_default`: adding them then takes no time on large tables, and an older pagemill can still write to them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

if TYPE_CHECKING:
    _UtcBase = TypeDecorator[datetime]
else:
    _UtcBase = TypeDecorator


class UtcDateTime(_UtcBase):
    """A time: accepts timezone-aware values and returns UTC, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Converts to UTC; SQLite stores the time without a zone.

        Raises:
            ValueError: the time has no zone, so it is ambiguous.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _key() -> Text:
    """Text that sorts by its bytes, so that rows have the same order whatever the database's locale."""
    return Text().with_variant(Text(collation="C"), "postgresql")


metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sealed_at", UtcDateTime),
    Column("products", Integer),
    Column("batches", Integer),
    Column("skipped", Integer),
    Column("asked_batches", Integer),
    Column("asked_products", Integer),
    Column("asked_last", Text),
    Column("cancelled_at", UtcDateTime),
    Column("priority", Text),
    Column("alive_at", UtcDateTime),
    Column("broken_at", UtcDateTime),
    Index("ix_runs_created_at", "created_at"),
)
"""One row per run. `sealed_at` and the three counts are null until all batches are on the queue. The `asked_...`
columns say how far enqueueing is; `asked_last` is the last product's id. `cancelled_at` is null unless the run was
cancelled. `priority` is null for normal. `platform` is `auto` for a run over several. `alive_at` and `broken_at`: see
`signs_of_life`."""

run_platforms = Table(
    "run_platforms",
    metadata,
    Column("run", _key(), primary_key=True),
    Column("platform", _key(), primary_key=True),
)
"""One row per run and platform of its batches, done or not: a platform's runs are found without reading results."""

batches = Table(
    "batches",
    metadata,
    Column("run", _key(), primary_key=True),
    Column("id", _key(), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("products", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
)
"""One row per batch that is not done; see `asked_batches`. `content` has the products as compressed JSON."""

results = Table(
    "results",
    metadata,
    Column("run", _key(), primary_key=True),
    Column("product_id", _key(), primary_key=True),
    Column("batch", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("final_url", Text, nullable=False, server_default=""),
    Column("platform", Text, nullable=False),
    Column("verdict", _key(), nullable=False),
    Column("reason", Text, nullable=False),
    Column("differences", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("worker", Text, nullable=False),
    Column("expected", JSON(none_as_null=True)),
    Index("ix_results_run_verdict", "run", "verdict", "product_id"),
)
"""One row per product of a run. The primary key makes a second write of the same item change nothing."""

untold_ends = Table(
    "untold_ends",
    metadata,
    Column("run", _key(), primary_key=True),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("entry", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("notify", JSON, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_at", UtcDateTime),
    Column("tries", Integer, nullable=False),
    Column("changes_told_at", UtcDateTime),
    Column("told_broken_at", UtcDateTime),
)
"""One row per run without a notice about its end; see `notice_outbox`. The claiming process is about to send a notice;
`tries` counts unsuccessful claims. `told_broken_at` is the run's `broken_at` about which a notice was sent."""

untold_changes = Table(
    "untold_changes",
    metadata,
    Column("run", _key(), primary_key=True),
    Column("product_id", _key(), primary_key=True),
    Column("notice", Text),
)
"""One row per watched change without a notice; see `notice_outbox`. `notice` is the id of the message that the change
was assigned to, or null."""

request_keys = Table(
    "request_keys",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("run", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Index("ix_request_keys_asked_at", "asked_at"),
)
"""One row per request with a key that has begun a run; see `request_keys`."""

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("made_before", UtcDateTime),
    Column("until", UtcDateTime, nullable=False),
)
"""One row per revoked token of the control API, and one for all tokens made before a certain time; see
`revoked_tokens`."""
