"""`pagemill scheduler`."""

from __future__ import annotations

from pagemill.app.fresh_start import Afresh
from pagemill.app.parts import DATA_FOLDER, artifact_store, brisk_redis, process_name, result_store
from pagemill.app.reporting import reporting
from pagemill.app.run_care import looking_after_runs
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.config.loading import load_config
from pagemill.fleet.processes import SCHEDULER
from pagemill.intake.scheduler import Scheduler
from pagemill.retention import DailyRetention
from pagemill.telemetry.liveness_file import LivenessFile
from pagemill.worker.start_signals import leave_on_signals


def scheduler() -> None:
    """Enqueue by config/schedule.yaml until stopped, and put back what the queue has lost.

    However many run, one is active; another takes over within seconds when it dies. The file is read again when it
    changes.
    """
    leave_on_signals()
    config = load()
    name = process_name()
    with (
        LivenessFile() as pulse,
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        brisk_redis(config) as brisk,
        result_store(config) as store,
        DailyRetention(store, redis, artifact_store(config), config.settings.retention),
    ):
        active = Scheduler(redis, store, load_config, name, on_progress=pulse.beat)
        afresh = Afresh(load_config, active.stop)
        afresh.hear_signals()
        with (
            reporting(config, SCHEDULER, name, afresh.orders(), lambda: active.leads),
            looking_after_runs(brisk, store, lambda: active.platforms, config.settings.queue, name),
        ):
            active.run()
    afresh.begin_if_asked()
