"""`pagemill api`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from pagemill.app.parts import DATA_FOLDER, process_name
from pagemill.app.reporting import reporting
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load, needs_extra
from pagemill.ops.api.frame.origin import check_address
from pagemill.ops.fleet.processes import API
from pagemill.results.store import ResultStore
from pagemill.telemetry.pulse import Pulse

_PATIENCE_S = 2.0
"""Whoever asks is told within seconds that Redis is away."""


def api(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen on.")] = 8003,
) -> None:
    """Serve the control API, the dashboard and the metrics until stopped.

    Without PAGEMILL_API_SECRET it asks nobody for a token, and listens on loopback only.
    """
    with needs_extra("api"):
        # It takes a second that the other commands need not wait.
        from pagemill.ops.api.server import create_app, serve

    config = load(tells_alerts=True)
    check_address(host, config.environment.api_secret)
    name = process_name()
    with (
        Pulse() as pulse,
        open_redis(
            config.environment.redis_url, DATA_FOLDER, socket_timeout_s=_PATIENCE_S, patience_s=_PATIENCE_S
        ) as redis,
        ResultStore(config.environment.database_url) as store,
    ):
        # uvicorn stops by these signals, and then sends them to whoever would have had them.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        typer.echo(f"the dashboard is at http://{f'[{host}]' if ':' in host else host}:{port}/", err=True)
        with reporting(config, API, name):
            serve(create_app(config, redis, store, name), host, port, pulse.beat)
