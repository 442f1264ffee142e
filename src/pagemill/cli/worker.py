"""`pagemill worker`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from pagemill.app import DATA_FOLDER, chosen_platforms, open_worker
from pagemill.broker.connection import open_redis
from pagemill.cli.options import PlatformNames, load
from pagemill.worker.supervisor import Supervisor


def worker(
    platform: PlatformNames = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes under one supervisor.")] = 1,
    burst: Annotated[bool, typer.Option("--burst", help="Stop when the queues are empty.")] = False,
) -> None:
    """Validate products from the queues until stopped.

    Ctrl+C or SIGTERM drains it: visits at work end, the rest goes back to the queue. A second one stops it at once.
    """
    names = platform or []
    if processes == 1:
        with open_worker(load(), names) as built:
            built.work(burst=burst)
        return
    config = load()
    platforms = chosen_platforms(config, names)
    with open_redis(config.environment.redis_url, DATA_FOLDER) as connection:
        run = partial(run_worker_process, list(platforms))
        Supervisor(list(platforms), connection, processes, run).start(burst=burst, logging_level="WARNING")


def run_worker_process(platforms: list[str], name: str, burst: bool) -> None:
    """One child of the supervisor, in an interpreter of its own."""
    with open_worker(load(), platforms, name) as built:
        built.work(burst=burst)
