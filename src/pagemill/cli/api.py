"""`pagemill api`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from pagemill.app.fresh_start import Afresh
from pagemill.app.parts import DATA_FOLDER, process_name, result_store
from pagemill.app.reporting import reporting
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load, needs_extra
from pagemill.config.loading import load_config
from pagemill.control_room.control.restart import RollingRestart
from pagemill.control_room.frame.origin import check_address, check_root_path, checked_root_path
from pagemill.fleet.processes import API
from pagemill.telemetry.liveness_file import LivenessFile
from pagemill.worker.start_signals import leave_on_signals

_PATIENCE_S = 2.0
"""Seconds of retrying. Short, because clients must hear within seconds that Redis is away."""


def api(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen on.")] = 8003,
    root_path: Annotated[
        str,
        typer.Option("--root-path", help="Where a proxy has it, such as /pagemill; whether it takes that away or not."),
    ] = "",
) -> None:
    """Serve the control API, the dashboard and the metrics until stopped.

    Without PAGEMILL_API_SECRET it asks for no token, listens on loopback only, and answers to this user only.
    """
    leave_on_signals()
    with needs_extra("api"):
        # Imported here, because it takes a second, which other commands need not wait.
        from pagemill.control_room.api.server import create_api, serve_api

    def check() -> None:
        check_address(host, load_config(tells_alerts=True).environment.api_secret)

    root = checked_root_path(root_path)
    config = load(tells_alerts=True)
    check_address(host, config.environment.api_secret)
    check_root_path(root, config.environment.api_secret)
    name = process_name()
    with (
        LivenessFile() as pulse,
        open_redis(
            config.environment.redis_url, DATA_FOLDER, socket_timeout_s=_PATIENCE_S, patience_s=_PATIENCE_S
        ) as redis,
        result_store(config) as store,
    ):
        afresh = Afresh(check)
        # uvicorn handles these signals itself, and afterwards sends them to the handlers that were installed before.
        afresh.hear_signals()
        app = create_api(config, redis, store, name, restart=RollingRestart(redis, name, itself=afresh), root_path=root)
        where = f"http://{f'[{host}]' if ':' in host else host}:{port}{root}/"
        beside = reporting(config, API, name, afresh.orders())
        announce = partial(typer.echo, f"the dashboard is at {where}", err=True)
        serve_api(app, host, port, beside, announce, pulse.beat, lambda: afresh.is_over)
    afresh.begin_if_asked()
