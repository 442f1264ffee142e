"""Builds the control API as one application, from frame, routes and live connections, and serves it.

Owns the order in which threads start and end. Contains nothing of how the parts work.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from redis import Redis, RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pagemill import __version__
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.delivery import AlertDelivery
from pagemill.alerting.notifier import Notifier
from pagemill.alerting.readings import PictureReadings
from pagemill.alerting.rule_watch import LEADER_KEY, AlertWatch
from pagemill.alerting.rules_in_force import rules_in_force
from pagemill.applying.applier import Applier
from pagemill.applying.undoer import Undoer
from pagemill.broker.leadership import Leadership
from pagemill.broker.repeating_thread import RepeatingThread
from pagemill.config.alerts import AlertRules
from pagemill.config.schedule import Schedule
from pagemill.config.settings import Config
from pagemill.control_room.api import (
    apply_routes,
    artifact_routes,
    begin_routes,
    draft_routes,
    gc_routes,
    health,
    memory_routes,
    metrics_route,
    performance_changes,
    performance_routes,
    run_routes,
    system_routes,
    try_routes,
)
from pagemill.control_room.api.connections import STRANGER_S, Porch, watched
from pagemill.control_room.api.dependencies import Parts
from pagemill.control_room.api.live import Live
from pagemill.control_room.api.revoked import Revoked
from pagemill.control_room.api.upload import UPLOAD_LIMIT
from pagemill.control_room.control.background_cleanup import BackgroundCleanup
from pagemill.control_room.control.database_check import DatabaseCheck
from pagemill.control_room.control.drafts import Drafts
from pagemill.control_room.control.product_trial import ProductTrial
from pagemill.control_room.control.restart import RollingRestart
from pagemill.control_room.control.run_requests import RunRequests
from pagemill.control_room.dashboard import routes as dashboard
from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.application import framed_application
from pagemill.control_room.frame.envelope import error_answer
from pagemill.control_room.frame.origin import check_address
from pagemill.errors import RedisUnavailable, UsageError
from pagemill.fleet.stranded_runs import StrandedSight, read_stranded
from pagemill.fleet.view import FleetView
from pagemill.intake.begin_run import Beginner
from pagemill.results.revoked_tokens import RevokedTokens
from pagemill.results.store import ResultStore

_CLOSE_S = 10.0
_WATCH_S = 5.0
_LEAD_S = 30.0
_REVOKED_S = 2.0
_GRACE_S = 5
_MOST_CONNECTIONS = 500
_MOST_BYTES = 64 * 1024
_REMEDIES: dict[int | None, str] = {
    errno.EADDRINUSE: "end the process that has it, another `pagemill api` perhaps, or choose another with --port",
    errno.EADDRNOTAVAIL: "name an address of this machine with --host",
    errno.EACCES: "choose another with --port; those below 1024 are for root",
}


def create_api(
    config: Config,
    redis: Redis,
    store: ResultStore,
    name: str,
    *,
    rules: AccessRules | None = None,
    schedule: Callable[[], Schedule] | None = None,
    restart: RollingRestart | None = None,
    trial: ProductTrial | None = None,
    drafts: Drafts | None = None,
    root_path: str = "",
) -> FastAPI:
    """The application. Its threads run from its start-up to its shut-down.

    Args:
        config: its platforms, guard settings and alert rules are shown and changed.
        redis: fails within seconds; the caller closes it, after the application.
        store: open; the caller closes it.
        name: this process' name, unique in the fleet.
        rules: who may do what; by default the rules of the environment's secret.
        schedule: gives the current schedule; by default the one of `config`.
        restart, trial, drafts: by default new ones with the usual time limits.
        root_path: the path under which a proxy serves the API, such as `/pagemill`; empty without one.

    Raises:
        UsageError: an alert channel's address is not valid.
    """
    rules = rules or AccessRules(config.environment.api_secret)
    revoked = Revoked(RevokedTokens(store))
    rules.heed(revoked)
    beginner = Beginner(config, redis, store)
    stranded = StrandedSight(lambda: read_stranded(redis, store, lambda: config.platforms))
    looks = RepeatingThread("stranded runs", _WATCH_S, stranded.look)
    tokens = RepeatingThread("revoked tokens", _REVOKED_S, revoked.look)
    schedule = schedule or (lambda: config.schedule)
    slow_ms = config.settings.results.slow_statement_ms
    parts = Parts(
        redis=redis,
        view=FleetView(redis, sorted(config.platforms), schedule, stranded=stranded.latest),
        configured=config.platforms,
        guard=config.settings.guard,
        rules=config.alerts.rules,
        store=store,
        database=DatabaseCheck(store.latest_run),
        cleanup=BackgroundCleanup(),
        restart=restart or RollingRestart(redis, name),
        beginner=beginner,
        run_requests=RunRequests(beginner, store),
        trial=trial or ProductTrial(),
        schedule=schedule,
        drafts=drafts or Drafts(),
        applier=Applier(config.platforms, config.environment, store, slow_statement_ms=slow_ms),
        undoer=Undoer(config.platforms, config.environment, slow_statement_ms=slow_ms),
        artifacts=config.settings.artifacts.folder,
        root_path=root_path,
    )
    larger = {begin_routes.BEGIN: UPLOAD_LIMIT}
    app = framed_application(rules, "pagemill", __version__, larger_bodies=larger, root_path=root_path)
    app.state.parts = parts
    app.add_exception_handler(RedisError, _answer_redis)
    for module in (
        health,
        memory_routes,
        gc_routes,
        performance_routes,
        performance_changes,
        system_routes,
        begin_routes,
        run_routes,
        apply_routes,
        artifact_routes,
        try_routes,
        draft_routes,
        metrics_route,
        dashboard,
    ):
        app.include_router(module.router)
    live = Live(parts, rules)
    app.mount("/socket.io", live.app)
    delivery = AlertDelivery(redis, config.alerts.channels, config.environment.alert_urls, name)
    watch, notices = _watch(parts, name), _notices(parts, config.alerts, name)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(run_in_threadpool, parts.cleanup.close, _CLOSE_S)
            stack.push_async_callback(run_in_threadpool, parts.restart.close, _CLOSE_S)
            stack.push_async_callback(run_in_threadpool, parts.run_requests.close, _CLOSE_S)
            stack.push_async_callback(run_in_threadpool, parts.trial.close, _CLOSE_S)
            stack.push_async_callback(run_in_threadpool, parts.drafts.close, _CLOSE_S)
            await run_in_threadpool(revoked.look)  # no request is answered before the revoked tokens are known
            with contextlib.suppress(RedisError):  # then the restart reports that this process did not come back
                await run_in_threadpool(parts.restart.note_return)
            await run_in_threadpool(delivery.open)
            stack.push_async_callback(run_in_threadpool, delivery.close)
            for rounds in (looks, tokens, watch, notices):
                rounds.open()
                stack.push_async_callback(run_in_threadpool, rounds.close, _CLOSE_S)
            await live.open()
            stack.push_async_callback(live.close)
            yield

    app.router.lifespan_context = lifespan
    return app


def _watch(parts: Parts, name: str) -> RepeatingThread:
    """The thread that evaluates the alert rules."""
    desk = AlertDesk(parts.redis, parts.guard.alerts, name)
    watch = AlertWatch(
        PictureReadings(parts.view).readings,
        lambda: rules_in_force(parts.rules, parts.view.picture().overrides.thresholds),
        desk,
        Leadership(parts.redis, LEADER_KEY, name, _LEAD_S),
    )

    def check() -> None:
        desk.configure(parts.guard_in_force(parts.view.picture().overrides).alerts)
        watch.check()

    def end() -> None:
        with contextlib.suppress(RedisError):  # the lead expires by itself
            watch.close()

    return RepeatingThread("alert-watch", _WATCH_S, check, end)


def _notices(parts: Parts, settings: AlertRules, name: str) -> RepeatingThread:
    """The thread that sends notices about ended runs and watched changes."""
    desk = AlertDesk(parts.redis, parts.guard.alerts, name)
    notifier = Notifier(parts.store, desk, settings, name)

    def look() -> None:
        desk.configure(parts.guard_in_force(parts.view.picture().overrides).alerts)
        notifier.look()

    return RepeatingThread("notices", _WATCH_S, look)


async def _answer_redis(request: Request, error: Exception) -> Response:
    assert isinstance(error, RedisError)
    message = str(RedisUnavailable.gone(error))
    now = request.app.state.access_rules.clock()
    return error_answer(503, "service_unavailable", message, now, {"Retry-After": "5"})


class _Server(uvicorn.Server):
    """uvicorn that calls `on_ready` when it serves, `on_round` about once a second, and stops on `is_over`."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], object],
        on_round: Callable[[], object],
        is_over: Callable[[], bool],
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_round = on_round
        self._is_over = is_over

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's hook, called ten times a second."""
        if counter % 10 == 0:
            self._on_round()
        return await super().on_tick(counter) or self._is_over()


def serve_api(
    app: FastAPI,
    host: str,
    port: int,
    beside: AbstractContextManager[object],
    on_ready: Callable[[], object],
    on_round: Callable[[], object],
    is_over: Callable[[], bool],
) -> None:
    """Serves the application until SIGINT, SIGTERM or `is_over`. Requests under way then have some seconds to end.

    Args:
        app: the application.
        host: the address to listen on.
        port: the port to listen on.
        beside: entered when the address is bound, and left after the last answer.
        on_ready: called once, when requests are answered.
        on_round: called about once a second while the event loop makes progress.
        is_over: asked ten times a second.

    Raises:
        UsageError: the address cannot be used, or an API without tokens would be reachable for others.
    """
    rules: AccessRules = app.state.access_rules
    if not rules.asks_for_tokens:
        check_address(host, "")
    with contextlib.closing(listen(host, port)) as listener, beside:
        _Server(server_config(app), on_ready, on_round, is_over).run(sockets=[listener])


def server_config(app: FastAPI, stranger_s: float = STRANGER_S) -> uvicorn.Config:
    """uvicorn's configuration. It limits connections and sizes; `stranger_s` is the time to show a token."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        lifespan="on",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S,
        ws="websockets-sansio",
        ws_max_size=_MOST_BYTES,
        backlog=_MOST_CONNECTIONS,
    )
    return watched(config, Porch(patience_s=stranger_s))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Clients that connect from now on wait for the server, and the port is taken.

    Raises:
        UsageError: the port is in use, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_MOST_CONNECTIONS)
        except BaseException:
            listener.close()
            raise
        return listener
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        remedy = _REMEDIES.get(number, "choose another with --host and --port")
        raise UsageError(f"cannot listen on {host} port {port}: {error}: {remedy}") from error
