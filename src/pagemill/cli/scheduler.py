"""`pagemill scheduler`."""

from __future__ import annotations

import signal

from pagemill.app.parts import DATA_FOLDER, artifact_store, process_name, result_store
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.config.loading import load_config
from pagemill.intake.scheduler import Scheduler
from pagemill.ops.retention import DailyRetention
from pagemill.telemetry.pulse import Pulse


def scheduler() -> None:
    """Enqueue by config/schedule.yaml until stopped.

    However many run, one is active; another takes over within seconds when it dies. The file is read again when it
    changes.
    """
    config = load()
    with (
        Pulse() as pulse,
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
        DailyRetention(store, redis, artifact_store(config), config.settings.retention),
    ):
        active = Scheduler(redis, store, load_config, process_name(), on_progress=pulse.beat)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: active.stop())
        active.run()
