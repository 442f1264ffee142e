"""The job function. RQ imports it by this module's path: `pagemill.worker.job.run_batch`."""

from __future__ import annotations

from typing import Any

from pagemill.intake.batch_job import from_arguments
from pagemill.worker.handle import installed


def run_batch(run: str, batch: str, platform: str, products: list[list[Any]]) -> dict[str, int]:
    """Works one batch off; called by RQ in the worker's main thread.

    Returns:
        How many products were `done` now, `resumed` from before, and `remaining`: the worker puts a batch with
        remaining products back on the queue.
    """
    outcome = installed().run_batch(from_arguments(run, batch, platform, products))
    return {"done": outcome.done, "resumed": outcome.resumed, "remaining": outcome.remaining}
