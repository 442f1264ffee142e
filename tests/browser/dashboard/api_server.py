"""The control API on a loopback port that stays the same when it is stopped and started again."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
import uvicorn
from redis.backoff import NoBackoff
from redis.retry import Retry

from pagemill.config.platform import Platform
from pagemill.config.settings import ArtifactSettings, Config, Environment, Settings
from pagemill.control_room.api.server import create_api, listen, server_config
from pagemill.control_room.control.drafts import Drafts
from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.roles import Role
from pagemill.control_room.frame.tokens import issue
from pagemill.fleet.shared_cache import SharedCache
from pagemill.fleet.view import FleetView
from pagemill.results.store import ResultStore
from tests.browser.dashboard.fleet_world import PLATFORMS

SECRET = "a-secret-for-tests-that-is-long-enough"
CATALOG = {
    "table": "goods",
    "update": {"columns": {"name": "name", "price": "price", "status": "status"}, "gone": {"status": "stopped"}},
}
_JOIN_S = 15


class ApiServer:
    """As `pagemill api` builds it, on a thread; with a root path a proxy has it there, and nothing else. With the
    database `catalogue` its platforms have their products in the table `goods`, and may write there unless told
    otherwise."""

    def __init__(
        self,
        redis_url: str,
        folder: Path,
        secret: str = SECRET,
        root_path: str = "",
        catalogue: str = "",
        may_write: bool = True,
        drafts: Drafts | None = None,
    ) -> None:
        self._redis_url = redis_url
        self.database = f"sqlite:///{folder / 'results.db'}"
        self.artifacts = folder / "artifacts"
        self._secret = secret
        self._root_path = root_path
        self._catalogue = catalogue
        self._may_write = may_write
        self._drafts = drafts
        self._port = 0
        self._running: ExitStack | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self._root_path}"

    def token(self, role: Role) -> str:
        return issue(self._secret, role, 3600, datetime.now(UTC), "tester")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listens; the first time on any free port."""
        with ExitStack() as stack:
            retry = Retry(NoBackoff(), 0)
            client = stack.enter_context(redis.Redis.from_url(self._redis_url, socket_timeout=2, retry=retry))
            store = stack.enter_context(ResultStore(self.database))
            config = self._config()
            rules = AccessRules(self._secret)
            app = create_api(
                config, client, store, "api-test", rules=rules, drafts=self._drafts, root_path=self._root_path
            )
            app.state.parts = replace(
                app.state.parts,
                view=FleetView(client, PLATFORMS, now_s=_hasty_s),
                curves=SharedCache(64, now_s=_hasty_s),
                alert_lists=SharedCache(16, now_s=_hasty_s),
            )
            listener = stack.enter_context(listen("127.0.0.1", self._port))
            self._port = listener.getsockname()[1]
            server = uvicorn.Server(behind_proxy(server_config(app), self._root_path))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api", daemon=True)
            thread.start()
            stack.callback(_end, server, thread)
            while not server.started:
                assert thread.is_alive(), "the API did not start"
                thread.join(0.02)
            self._running = stack.pop_all()

    def _config(self) -> Config:
        environment = Environment(
            api_secret=self._secret,
            catalog_url=self._catalogue,
            catalog_write_url=self._catalogue if self._may_write else "",
        )
        return Config(
            settings=Settings(artifacts=ArtifactSettings(folder=self.artifacts)),
            platforms={name: _platform(name, CATALOG if self._catalogue else {}) for name in PLATFORMS},
            environment=environment,
        )

    def stop(self) -> None:
        """Ends it; a second time nothing happens."""
        running, self._running = self._running, None
        if running is not None:
            running.close()


def _hasty_s() -> float:
    """What the API keeps for some seconds, it keeps for parts of one here."""
    return 30 * time.monotonic()


def _end(server: uvicorn.Server, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(_JOIN_S)
    assert not thread.is_alive(), "the API did not end"


def _platform(name: str, catalog: Mapping[str, Any]) -> Platform:
    fields = {"name": "h1", "price": {"selector": ".price", "type": "number"}, "status": ".status"}
    said = {"platform": name, "hosts": [f"www.{name}.test"], "extract": {"fields": fields}, "catalog": catalog}
    return Platform.model_validate(said)


def behind_proxy(config: uvicorn.Config, root_path: str) -> uvicorn.Config:
    """With a proxy in front that takes its path away, and has nothing at any other."""
    app: Any = config.app

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            inside = scope["path"].startswith(f"{root_path}/")
            scope = {**scope, "path": scope["path"].removeprefix(root_path) if inside else "/not-ours"}
        await app(scope, receive, send)

    if root_path:
        config.app = proxy
    return config
