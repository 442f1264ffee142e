"""`pagemill enqueue`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from pagemill.app.parts import DATA_FOLDER, chosen_platforms, result_store
from pagemill.broker.connection import open_redis
from pagemill.cli.options import PlatformName, load
from pagemill.cli.progress import counting, follow
from pagemill.cli.wording import counted
from pagemill.errors import UsageError
from pagemill.intake.catalog import BadRow, is_table, read_catalog
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Verdict
from pagemill.ops.overview import read_overview

_SHOWN_BAD_ROWS = 20


class _BadRows:
    """Reports bad rows as they are found, and counts them."""

    def __init__(self, console: Console, unit: str) -> None:
        self._console = console
        self._unit = unit
        self.count = 0
        self.skipped = 0

    def __call__(self, row: BadRow) -> None:
        self.count += 1
        self.skipped += row.row_skipped
        if self.count <= _SHOWN_BAD_ROWS:
            place = f"{self._unit} {row.line}: " if row.line else ""
            self._console.print(f"{place}{row.reason}", style="yellow", markup=False, highlight=False)
        elif self.count == _SHOWN_BAD_ROWS + 1:
            self._console.print("... more bad rows; only their number is shown from here on")


def enqueue(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The catalogue: .csv, .tsv, .jsonl or .ndjson; sql or sql:TABLE for a table."
        ),
    ],
    platform: PlatformName,
    batch_size: Annotated[int | None, typer.Option(min=1, max=1000, help="Products per batch.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until the run ends.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file with a bad row.")] = False,
) -> None:
    """Put a catalogue on the queue, as a run of batches.

    Its columns are id, url and the values to expect, named as in the platform's extract.fields. Bad rows are reported
    and skipped.
    """
    config = load("WARNING")
    catalog_url, slow_ms = config.environment.catalog_database_url, config.settings.results.slow_statement_ms
    shop = chosen_platforms(config, [platform])[platform]
    console = Console(stderr=True)
    bad_rows = _BadRows(console, "row" if is_table(source) else "line")
    if strict:
        for _product in read_catalog(source, shop, bad_rows, catalog_url, slow_ms):
            pass
        if bad_rows.count:
            found = counted(bad_rows.count, "bad row")
            raise UsageError(f"{source}: {found}, nothing was queued: correct them or omit --strict")
    with (
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
    ):
        with counting(console, "queueing") as advance:
            run = enqueue_run(
                read_catalog(source, shop, bad_rows, catalog_url, slow_ms),
                shop,
                source=source,
                batch_size=batch_size or config.settings.queue.batch_size,
                settings=config.settings.queue,
                redis=redis,
                store=store,
                on_batch=advance,
                skipped=lambda: bad_rows.skipped,
            )
        skipped = f", {counted(bad_rows.skipped, 'bad row')} skipped" if bad_rows.skipped else ""
        batches = counted(run.batches, "batch", "batches")
        typer.echo(f"run {run.run}: {counted(run.products, 'product')} in {batches}{skipped}")
        if wait:
            if not any(platform in worker.platforms for worker in read_overview(redis, []).workers):
                console.print(f"no worker takes {platform} yet: start one with `pagemill worker`", highlight=False)
            progress = follow(console, store, [run.run])[0]
            typer.echo(", ".join(f"{count} {verdict}" for verdict, count in sorted(progress.by_verdict.items())))
            if progress.by_verdict.get(Verdict.FAILED):
                raise typer.Exit(1)
