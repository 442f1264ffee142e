"""The thread by which a scheduler, control API or supervisor reports its state, with its own Redis client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pagemill.app.parts import DATA_FOLDER
from pagemill.broker.connection import open_redis
from pagemill.config.settings import Config
from pagemill.fleet.orders import Action
from pagemill.fleet.reporter import ProcessReporter

_PATIENCE_S = 2.0


@contextmanager
def reporting(
    config: Config,
    role: str,
    name: str,
    orders: Mapping[str, Action] | None = None,
    leads: Callable[[], bool] | None = None,
) -> Iterator[None]:
    """Reports for the `with` block; see `ProcessReporter`.

    Raises:
        RedisUnavailable: Redis does not answer within a few seconds at the start.
    """
    url = config.environment.redis_url
    with (
        open_redis(url, DATA_FOLDER, socket_timeout_s=_PATIENCE_S, patience_s=_PATIENCE_S) as brisk,
        ProcessReporter(brisk, role, name, orders or {}, leads),
    ):
        yield
