"""`pagemill prune`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from pagemill.app.parts import DATA_FOLDER, artifact_store, result_store
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.cli.wording import counted, output_console
from pagemill.config.settings import RetentionSettings
from pagemill.errors import UsageError
from pagemill.retention import Retention

_SHOWN_RUNS = 20


def prune(
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Keep so many days, in place of what `retention` says.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it. Without this it is only shown.")] = False,
) -> None:
    """Show, or remove with --yes, old runs with their results and old evidence of failures.

    A run is as old as its last result. One with batches that are not done stays, unless it was cancelled.
    """
    config = load("WARNING")
    kept = config.settings.retention
    if days is not None:
        kept = RetentionSettings(runs_days=days, artifacts_days=days)
    if kept == RetentionSettings():
        raise UsageError("everything is kept: give --days, or set retention.runs_days in pagemill.yaml")
    with (
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
    ):
        retention = Retention(store, redis, artifact_store(config), kept)
        if yes:
            runs, results = retention.remove_runs()
            files = retention.remove_files()
        else:
            runs, results = _show(retention)
            files = len(retention.files())
    found = f"{counted(runs, 'run')} with {counted(results, 'result')}, {counted(files, 'file')} of evidence"
    typer.echo(f"{found}: removed" if yes else f"{found}: nothing is removed yet, --yes does it")


def _show(retention: Retention) -> tuple[int, int]:
    """Lists the first runs to remove; returns the number of runs and results."""
    table = Table(title="Old runs", title_justify="left")
    for column in ("run", "platform", "results", "last result"):
        table.add_column(column, overflow="fold")
    runs = results = 0
    for run in retention.runs():
        runs += 1
        results += run.results
        if runs <= _SHOWN_RUNS:
            table.add_row(run.run, run.platform, str(run.results), f"{run.last_at.astimezone():%Y-%m-%d %H:%M %Z}")
    if runs > _SHOWN_RUNS:
        table.caption = f"and {runs - _SHOWN_RUNS} more"
    if runs:
        output_console().print(table)
    return runs, results
