"""`pagemill enqueue`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Annotated, Literal

import typer
from rich.console import Console

from pagemill.app.parts import DATA_FOLDER, platforms_meant, platforms_of_run, result_store
from pagemill.app.wait_for_run import noticing_stranded, whole_run
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.cli.progress import counting, follow
from pagemill.cli.wording import PlainConsole, counted
from pagemill.config.platform import Platform
from pagemill.errors import UsageError
from pagemill.intake.begin_run import MOST_BATCH, Beginner, again_of, catalogue_of
from pagemill.intake.catalog import BadRow, is_table
from pagemill.intake.platforms import Platforms
from pagemill.intake.run_again import products_again, wanted_again
from pagemill.model import Priority, Product, Verdict

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
            _tell(self._console, f"{place}{row.reason}")
        elif self.count == _SHOWN_BAD_ROWS + 1:
            self._console.print("... more bad rows; only their number is shown from here on")


def enqueue(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", help="The catalogue: .csv, .tsv, .jsonl or .ndjson; sql or sql:TABLE for a table."
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            help="A platform: config/platforms/NAME.yaml; or auto: of each row the one whose hosts have its url's.",
        ),
    ] = None,
    priority: Annotated[
        Priority, typer.Option("--priority", help="Before or after which other runs of the platform it is worked on.")
    ] = Priority.NORMAL,
    encoding: Annotated[
        str, typer.Option("--encoding", help="Of FILE, such as cp949, euc-kr or utf-16. Default: UTF-8.")
    ] = "",
    decimal: Annotated[
        Literal[".", ","] | None,
        typer.Option("--decimal", help="The decimal sign of FILE. Default: what can be read in one way only."),
    ] = None,
    again: Annotated[
        str | None, typer.Option("--again", metavar="RUN", help="In place of FILE: products of that run.")
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option("--verdict", help="With --again: only products with these verdicts. Default: failed,blocked."),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="With --again: only products without a result, or also those.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many products.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, max=MOST_BATCH, help="Products per batch.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until the run ends.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file with a bad row.")] = False,
) -> None:
    """Put a catalogue on the queue, as a run of batches.

    Its columns are id, url and the values to expect, named as in the platform's extract.fields. Bad rows are reported
    and skipped. With --again it is what an older run did not find out: what failed, was blocked, or has no result.
    """
    if (source is None) == (again is None):
        raise UsageError("name a FILE, or a run with --again RUN")
    if again is None and (verdict or missing):
        raise UsageError("--verdict and --missing go with --again RUN")
    if again is None and platform is None:
        raise UsageError("name the platform: --platform NAME, or --platform auto to go by each url's host")
    if again is not None and (encoding or decimal):
        raise UsageError("--encoding and --decimal go with FILE")
    config = load("WARNING")
    console = PlainConsole(stderr=True)
    bad_rows = _BadRows(console, "row" if source is not None and is_table(source) else "line")

    def catalogue(shop: Platforms) -> Iterator[Product]:
        assert source is not None
        return catalogue_of(config, source, shop, bad_rows, encoding=encoding, decimal=decimal)

    if platform is not None and source is not None:
        shop = platforms_meant(config, platform)
        if strict:
            for _product in catalogue(shop):
                pass
            if bad_rows.count:
                found = counted(bad_rows.count, "bad row")
                raise UsageError(f"{source}: {found}, nothing was queued: correct them or omit --strict")
    with (
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
    ):
        if again is not None:
            if platform not in (None, store.platform_of(again)):
                raise UsageError(f"run {again} is of {store.platform_of(again)}: leave --platform {platform} out")
            shop = platforms_of_run(config, store, again)
            products = products_again(again, store, *_wanted(verdict, missing=missing))
        else:
            products = catalogue(shop)
        with counting(console, "queueing") as advance:
            run = Beginner(config, redis, store).begin(
                islice(products, limit),
                shop,
                source=source or again_of(again or ""),
                batch_size=batch_size,
                priority=priority,
                on_batch=advance,
                skipped=lambda: bad_rows.skipped,
            )
        skipped = f", {counted(bad_rows.skipped, 'bad row')} skipped" if bad_rows.skipped else ""
        batches = counted(run.batches, "batch", "batches")
        typer.echo(f"run {run.run}: {counted(run.products, 'product')} in {batches}{skipped}")
        if not isinstance(shop, Platform):
            typer.echo(", ".join(f"{name} {count}" for name, count in sorted(run.by_platform.items())))
        if wait:
            with noticing_stranded(config, store, run.run, partial(_tell, console)) as notice:
                progress = follow(console, store, [run.run], notice)[0]
            typer.echo(", ".join(f"{count} {verdict}" for verdict, count in sorted(progress.by_verdict.items())))
            if progress.cancelled:
                typer.echo(f"the run was cancelled; {counted(progress.missing or 0, 'product')} without a result")
            if whole_run(progress).by_verdict.get(Verdict.FAILED) or progress.cancelled:
                raise typer.Exit(1)


def _tell(console: Console, text: str) -> None:
    console.print(text, style="yellow")


def _wanted(verdicts: str | None, *, missing: bool) -> tuple[tuple[Verdict, ...], bool]:
    """The verdicts that are wanted, and whether products without a result are."""
    if verdicts is None:
        return wanted_again(None, missing or None)
    known = {verdict.value: verdict for verdict in Verdict}
    named = [word.strip() for word in verdicts.split(",") if word.strip()]
    if unknown := [word for word in named if word not in known]:
        raise UsageError(f"no verdict {', '.join(unknown)}: known are {', '.join(known)}")
    return wanted_again([known[word] for word in named], missing)
