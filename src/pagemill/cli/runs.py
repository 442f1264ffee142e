"""`pagemill runs`."""

from __future__ import annotations

from typing import Annotated

import typer

from pagemill.app.parts import result_store
from pagemill.cli.options import load
from pagemill.cli.wording import output_console, table
from pagemill.results.runs import RunProgress, RunSummary


def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """List the runs: how far they are, their verdicts, and how many products have no result."""
    config = load("WARNING")
    columns = ("run", "source", "queued (UTC)", "products", "done", "missing", "state", "verdicts", "priority")
    shown = table("Runs", *columns)
    with result_store(config) as store:
        for run in store.runs(limit):
            progress = store.progress(run.run)
            missing = "" if progress.missing is None else str(progress.missing)
            products = "" if run.products is None else str(run.products)
            verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(progress.by_verdict.items()))
            queued = f"{run.created_at:%Y-%m-%d %H:%M:%S}"
            state = _state(run, progress)
            counts = (products, str(progress.done), missing)
            shown.add_row(run.run, run.source, queued, *counts, state, verdicts, run.priority)
    output_console().print(shown)


def _state(run: RunSummary, progress: RunProgress) -> str:
    if run.cancelled_at is not None:
        return "cancelled"
    if progress.finished:
        return "complete"
    return "at work" if progress.sealed else "being queued"
