"""`pagemill worker`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pagemill.app import DATA_FOLDER, chosen_platforms, open_worker
from pagemill.broker.connection import open_redis
from pagemill.cli.options import PlatformNames, load
from pagemill.worker.supervisor import Supervisor

_PLATFORMS_VARIABLE = "PAGEMILL_WORKER_PLATFORMS"


def worker(
    platform: PlatformNames = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes under one supervisor.")] = 1,
    burst: Annotated[bool, typer.Option("--burst", help="Stop when the queues are empty.")] = False,
) -> None:
    """Take batches from the queues and validate their products until stopped."""
    names = platform or []
    if processes == 1:
        with open_worker(load(), names) as built:
            built.work(burst=burst)
        return
    config = load()
    platforms = chosen_platforms(config, names)
    with open_redis(config.environment.redis_url, DATA_FOLDER) as connection:
        os.environ[_PLATFORMS_VARIABLE] = ",".join(platforms)
        Supervisor(list(platforms), connection, processes, run_worker_process).start(
            burst=burst, logging_level="WARNING"
        )


def run_worker_process(name: str, burst: bool) -> None:
    """One child of the supervisor, in an interpreter of its own."""
    names = os.environ.pop(_PLATFORMS_VARIABLE).split(",")
    with open_worker(load(), names, name) as built:
        built.work(burst=burst)
