"""`pagemill runs`."""

from __future__ import annotations

from typing import Annotated

import typer

from pagemill.app.parts import result_store
from pagemill.cli.options import load
from pagemill.cli.wording import output_console, table
from pagemill.results.runs import RunState, broke_off

_STATES = {
    RunState.QUEUEING: "being queued",
    RunState.AT_WORK: "at work",
    RunState.COMPLETE: "complete",
    RunState.INCOMPLETE: "incomplete",
    RunState.CANCELLED: "cancelled",
}


def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """List the runs: how far they are, their verdicts, and how many products have no result."""
    config = load("WARNING")
    columns = ("run", "source", "queued (UTC)", "products", "done", "missing", "state", "verdicts", "priority")
    shown = table("Runs", *columns)
    with result_store(config) as store:
        for run in store.runs(limit):
            missing = "" if run.missing is None else str(run.missing)
            products = "" if run.products is None else str(run.products)
            verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(run.by_verdict.items()))
            queued = f"{run.created_at:%Y-%m-%d %H:%M:%S}"
            state = _STATES[run.state]
            if run.broken_at is not None and run.state is not RunState.CANCELLED:
                state += f": {broke_off(run.products or 0)}"
            counts = (products, str(run.done), missing)
            shown.add_row(run.run, run.source, queued, *counts, state, verdicts, run.priority)
    output_console().print(shown)
