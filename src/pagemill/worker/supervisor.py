"""Several worker processes under one parent: RQ's WorkerPool, starting pagemill workers instead of RQ's own.

Each child is a fresh interpreter that builds its own parts; a browser does not survive a fork.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from redis import Redis
from rq.serializers import JSONSerializer
from rq.worker_pool import WorkerPool

from pagemill.intake.batch_job import queue_name
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("supervisor")


class Supervisor(WorkerPool):
    """Keeps so many worker processes running and passes signals on."""

    def __init__(
        self, platforms: Sequence[str], connection: Redis, processes: int, run_worker: Callable[[str, bool], None]
    ) -> None:
        """`run_worker(name, burst)` runs in each child until that stops; it must be importable by name."""
        super().__init__(
            [queue_name(platform) for platform in platforms],
            connection=connection,
            num_workers=processes,
            serializer=JSONSerializer,
        )
        self._run_worker = run_worker

    def get_worker_process(self, name: str, burst: bool, *_rest: Any, **_options: Any) -> BaseProcess:
        """RQ's hook: the process of one worker, not started yet."""
        return get_context("spawn").Process(target=self._run_worker, args=(name, burst), name=name)

    def start_worker(self, *arguments: Any, **options: Any) -> None:
        """RQ's hook: starts one worker."""
        before = set(self.worker_dict)
        super().start_worker(*arguments, **options)
        for name in self.worker_dict.keys() - before:
            log.info(events.WORKER_SPAWNED, worker=name, pid=self.worker_dict[name].pid)

    def handle_dead_worker(self, worker_data: Any) -> None:
        """RQ's hook: one worker has ended; RQ starts another unless all are to stop."""
        code = worker_data.process.exitcode
        write = log.info if code == 0 else log.warning
        write(events.WORKER_ENDED, worker=worker_data.name, pid=worker_data.pid, exit_code=code)
        super().handle_dead_worker(worker_data)

    def stop_worker(self, worker_data: Any, sig: signal.Signals = signal.SIGTERM) -> None:
        """Asks one worker to drain."""
        super().stop_worker(worker_data, sig)
