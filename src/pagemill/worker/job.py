"""The job function. RQ imports it by this module's path: `pagemill.worker.job.run_batch`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from rq import Queue, get_current_job
from rq.timeouts import JobTimeoutException

from pagemill.engine.runner import BatchOutcome
from pagemill.errors import DeadlineExceeded, ServiceUnavailable, WorkerWornOut
from pagemill.intake.batch_job import from_arguments
from pagemill.worker.installed_engine import declare_unfit, installed


def run_batch(run: str, batch: str, platform: str, products: list[list[Any]]) -> dict[str, int]:
    """Works one batch off. RQ calls it on a hand's thread.

    Returns:
        The number of products `done` now, `resumed` (done before), and `remaining`. A batch with remaining products is
        put back on the queue.
    """
    job = get_current_job()
    tries_left = 0 if job is None else job.retries_left or 0
    timeout_s = float((job and job.timeout) or Queue.DEFAULT_TIMEOUT)
    timeout_s = math.inf if timeout_s < 0 else timeout_s  # RQ's -1 means no time-out
    work = replace(from_arguments(run, batch, platform, products), tries_left=tries_left)
    try:
        outcome = installed().run_batch(work, timeout_s)
    except DeadlineExceeded as error:
        raise JobTimeoutException(f"Task exceeded maximum timeout value ({timeout_s:g} seconds)") from error
    except WorkerWornOut as error:
        declare_unfit(error)
        raise  # this counts as a try, or a product that wears out every worker would be tried for ever
    except ServiceUnavailable as error:
        # Not the batch's fault: as a failure it would use up this batch's retries, and then those of the next ones.
        declare_unfit(error)
        outcome = BatchOutcome(done=0, resumed=0, remaining=len(work.products))
    return {"done": outcome.done, "resumed": outcome.resumed, "remaining": outcome.remaining, "spared": outcome.spared}
