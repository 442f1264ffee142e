"""`pagemill cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from pagemill.app.parts import DATA_FOLDER, result_store
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.cli.wording import counted
from pagemill.intake.cancel import cancel_run


def cancel(run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, see `pagemill runs`.")]) -> None:
    """End a run before its time: what is done stays, visits under way are broken off, nothing more is begun."""
    config = load("WARNING")
    with (
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
    ):
        done = cancel_run(run, redis, store)
        progress = store.progress(run)
    batches = f"{counted(done.taken_off, 'batch', 'batches')} taken off the queue, {done.stopped} stopped at work"
    missing = "" if progress.missing is None else f"; {counted(progress.missing, 'product')} without a result"
    typer.echo(f"run {run} is cancelled: {batches}{missing}")
