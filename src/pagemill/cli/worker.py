"""`pagemill worker`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from pagemill.app.parts import DATA_FOLDER, chosen_platforms, process_name
from pagemill.app.reporting import reporting
from pagemill.app.worker import open_worker
from pagemill.broker.connection import open_redis
from pagemill.cli.ending import end_with
from pagemill.cli.options import PlatformNames, load
from pagemill.errors import PagemillError
from pagemill.fleet.processes import SUPERVISOR
from pagemill.telemetry.liveness_file import LivenessFile
from pagemill.worker.restart_policy import RestartRules
from pagemill.worker.start_signals import leave_on_signals
from pagemill.worker.supervisor import Supervisor

_MAINTENANCE_S = 11.0
"""RQ's clean-up runs every ten seconds. It takes over a dead worker's batch when the worker's time to live is over."""


def worker(
    platform: PlatformNames = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Worker processes under a supervisor, which replaces those that crash or hang; 1 is supervised too. "
            "Without this option: one process and no supervisor.",
        ),
    ] = None,
    burst: Annotated[bool, typer.Option("--burst", help="Stop when the queues are empty.")] = False,
) -> None:
    """Validate products from the queues until stopped.

    Ctrl+C or SIGTERM drains it: visits at work end, the rest goes back to the queue. A second one stops it at once.
    """
    leave_on_signals()
    names = platform or []
    if processes is None:
        with LivenessFile() as pulse, open_worker(load(), names, on_beat=pulse.beat) as built:
            built.work(burst=burst)
        return
    config = load()
    settings = config.settings
    platforms = chosen_platforms(config, names, processes)
    rules = RestartRules.of(settings.supervisor, takeover_s=settings.queue.heartbeat_ttl_s + _MAINTENANCE_S)
    run = partial(run_worker_process, list(platforms), processes)
    with LivenessFile() as pulse, open_redis(config.environment.redis_url, DATA_FOLDER) as connection:
        restart_at = settings.supervisor.restart_at
        boss = Supervisor(list(platforms), connection, processes, run, rules, restart_at, on_round=pulse.beat)
        with reporting(config, SUPERVISOR, process_name()):
            boss.start(burst)


def run_worker_process(
    platforms: list[str], processes: int, name: str, burst: bool, on_beat: Callable[[], None]
) -> None:
    """Runs one of the supervisor's `processes` workers, in its own interpreter.

    An expected error ends it as it ends a command: with one line and the error's exit code.
    """
    try:
        with open_worker(load(), platforms, name, on_beat, processes) as built:
            built.work(burst=burst)
    except (PagemillError, OSError) as error:
        end_with(error)
