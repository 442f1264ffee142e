"""A control API on a free loopback port, in front of a fleet that only publishes; for tests that ask it by HTTP."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
import uvicorn
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.command import PUBSUB_CHANNEL_TEMPLATE

from pagemill.config.changeable import changeable_values
from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, GuardSettings, Settings
from pagemill.control_room.api.connections import STRANGER_S
from pagemill.control_room.api.dependencies import Parts
from pagemill.control_room.api.server import create_api, listen, server_config
from pagemill.control_room.control.restart import RollingRestart, StartsAfresh
from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.roles import Role
from pagemill.control_room.frame.tokens import issue
from pagemill.fleet.history import HistoryWriter, Point
from pagemill.fleet.orders import Action, OrderDesk
from pagemill.fleet.snapshot import AtWork, WorkerSnapshot
from pagemill.fleet.tally import PlatformTally
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats, PythonMemory
from pagemill.results.store import ResultStore

SECRET = "a-secret-for-tests-that-is-long-enough"
PATIENCE_S = 1.0
_JOIN_S = 15


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        """Inside the envelope, which must be whole."""
        body = self.json
        assert body["success"] is True, body
        assert set(body) == {"success", "data", "timestamp"}
        return body["data"]


class Client:
    """Asks one API."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        """JSON, unless it is bytes; then `Content_Type` among the headers says what."""
        return self.ask("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def put(self, path: str, body: object) -> Reply:
        return self.ask("PUT", path, body)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        content = body if isinstance(body, bytes) else None
        if body is not None and content is None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, content, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Reply(answer.status, answer.read().decode(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read().decode(), dict(error.headers))


@dataclass
class World:
    """A running API, and clients of each role."""

    url: str
    admin: Client
    planner: Client
    nobody: Client
    redis: redis.Redis
    parts: Parts


def a_config(secret: str = SECRET) -> Config:
    """Two platforms, defaults otherwise."""
    platforms = {
        name: Platform.model_validate(
            {"platform": name, "hosts": [f"www.{name}.test"], "extract": {"fields": {"name": "h1"}}}
        )
        for name in ("ably", "musinsa")
    }
    return Config(settings=Settings(), platforms=platforms, environment=Environment(api_secret=secret))


@contextmanager
def api_running(
    server_url: str,
    folder: Path,
    *,
    secret: str = SECRET,
    look_s: float = 0.05,
    restart_s: float = 5.0,
    config: Config | None = None,
    itself: StartsAfresh | None = None,
    stranger_s: float = STRANGER_S,
) -> Iterator[World]:
    """The API as `pagemill api` builds it, on a thread; `config` takes the place of `a_config(secret)`, and `itself`
    restarts it."""
    with ExitStack() as stack:
        client = stack.enter_context(
            redis.Redis.from_url(
                server_url,
                socket_timeout=PATIENCE_S,
                socket_connect_timeout=PATIENCE_S,
                retry=Retry(NoBackoff(), 0),
            )
        )
        store = stack.enter_context(ResultStore(f"sqlite:///{folder / 'results.db'}"))
        restart = RollingRestart(client, "api-test", itself=itself, worker_timeout_s=restart_s, look_s=look_s)
        config = config or a_config(secret)
        rules = AccessRules(secret)
        app = create_api(config, client, store, "api-test", rules=rules, restart=restart)
        listener = stack.enter_context(listen("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(server_config(app, stranger_s))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api", daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the API did not start"
                thread.join(0.02)
            now = datetime.now(UTC)
            tokens = {role: issue(secret, role, 3600, now, "tester") if secret else "" for role in Role}
            admin, planner = (Client(url, tokens[role]) for role in (Role.ADMIN, Role.PLANNER))
            yield World(url, admin, planner, Client(url), client, app.state.parts)
        finally:
            server.should_exit = True
            thread.join(_JOIN_S)
            assert not thread.is_alive(), "the API did not end"


def a_worker(name: str = "w1", **changes: Any) -> WorkerSnapshot:
    """One that works and is well."""
    roles = {"browser": 60.0, "driver": 0.0, "python": 100.0, "renderers": 240.0}
    sample = Sample(
        rss_mb=120.0,
        pss_mb=roles,
        shm_percent=10.0,
        cgroup_percent=None,
        memory_percent=40.0,
        machine_percent=30.0,
        descriptors=50,
        python=PythonMemory(80.0, 5.0, 500_000),
        js_heap_mb=90.0,
        loop_lag_s=0.004,
        cpu_s=33.5,
        cpu_system_s=8.5,
    )
    values: dict[str, Any] = {
        "name": name,
        "pid": 7,
        "host": "machine",
        "platforms": ("musinsa",),
        "lanes": 3,
        "size": 4,
        "pss_mb": 400.0,
        "peak_pss_mb": 450.0,
        "allocated_mb": 1450.0,
        "leases": 1200,
        "rotations": {"page": 120, "context": 24, "browser": 1},
        "reasons": {"page uses": 120},
        "started_at": datetime.now(UTC) - timedelta(hours=2),
        "batches": (AtWork("run-1", "batch-1", "musinsa", 10, 50),),
        "sample": sample,
        "cpu_percent": 12.5,
        "collector": CollectorStats((100, 10, 1), 0.05, 3.0, 1.5),
        "limits": PressureLimits(1000.0, 512.0, 200.0, 500.0, 10.0),
        "guard": changeable_values(GuardSettings()),
        "caches": {"visited products": 150},
        "cleanings": 5,
        "tally": {
            "musinsa": PlatformTally(
                verdicts={"ok": 90, "changed": 8, "failed": 2},
                attempts=104,
                spared=10,
                item_s=45.0,
                buckets=(0, 0, 40, 40, 10, 0, 0, 0, 0, 0, 0),
                wait_s=12.5,
            )
        },
    }
    return WorkerSnapshot(**{**values, **changes})


def write_history(client: redis.Redis, name: str = "w1", points: int = 12) -> None:
    """Measurements that follow each other by a millisecond at least, as Redis' clock gives their moments."""
    writer = HistoryWriter(client, lambda: 0.0)
    for number in range(points):
        writer.add(
            Point(
                name,
                pss_mb={"python": 100.0, "renderers": 240.0 + number},
                measures={"memory_percent": 40.0 + number / 10, "loop_lag_ms": 5.0},
                machine_percent=30.0,
                lanes=3,
                items=10 * number,
                visited=10 * number,
                failed=number // 6,
                item_s=5.0 * number,
            )
        )
        written_ms = _clock_ms(client)
        while _clock_ms(client) == written_ms:
            pass


def _clock_ms(client: redis.Redis) -> int:
    seconds, micros = client.time()
    return seconds * 1000 + micros // 1000


@contextmanager
def workers_listening(client: redis.Redis, actions: Mapping[str, Mapping[str, Action]]) -> Iterator[None]:
    """The command threads of workers, by their names, as RQ runs them."""
    with ExitStack() as stack:
        for name, known in actions.items():
            desk = OrderDesk(client)
            desk.open(known)
            pubsub: Any = client.pubsub()  # type: ignore[no-untyped-call]
            stack.callback(pubsub.close)

            def hear(message: Any, desk: OrderDesk = desk) -> None:
                desk.hear(json.loads(message["data"]))

            pubsub.subscribe(**{PUBSUB_CHANNEL_TEMPLATE % name: hear})
            thread = pubsub.run_in_thread(sleep_time=0.05, daemon=True)
            stack.callback(thread.join, 5)
            stack.callback(thread.stop)
        yield
