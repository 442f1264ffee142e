"""A thread in a scheduler, control API or supervisor that measures its process, logs, publishes and carries out orders.

Without Redis it only measures and logs. It knows nothing of its process' work.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Self

from redis import Redis, RedisError

from pagemill.broker.outage import Outage
from pagemill.fleet import process_orders
from pagemill.fleet.orders import Action, OrderDesk
from pagemill.fleet.processes import ProcessSnapshot, publish, withdraw
from pagemill.guard.own_process import OwnProcess, OwnUse
from pagemill.guard.sidecar import Chore, Sidecar
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("reporter")

ROUND_S = 2.0
LOG_S = 60.0
_NO_ORDERS: Mapping[str, Action] = MappingProxyType({})


class ProcessReporter:
    """The reporter of one process, for a `with` block."""

    def __init__(
        self,
        redis: Redis,
        role: str,
        name: str,
        actions: Mapping[str, Action] = _NO_ORDERS,
        leads: Callable[[], bool] | None = None,
        *,
        round_s: float = ROUND_S,
        log_s: float = LOG_S,
    ) -> None:
        """
        Args:
            redis: fails within seconds; used only by the thread.
            role: see `processes`.
            name: this process' name, unique in the fleet.
            actions: the orders that it carries out, on this thread.
            leads: for a scheduler, whether it is the one that fires entries.
            round_s: seconds between two measurements, which are published.
            log_s: seconds between two log lines.
        """
        self._redis = redis
        self._role = role
        self._name = name
        self._leads = leads
        self._desk = OrderDesk(redis)
        self._desk.open(actions)
        self._started_at = datetime.now(UTC)
        self._process = OwnProcess()
        self._use = OwnUse(0.0, 0.0, 0.0, 0)
        outage = Outage()
        self._thread = Sidecar("reporter")
        self._thread.add(Chore("measure", round_s, self._measure))
        self._thread.add(Chore("memory", log_s, self._log))
        self._thread.add(Chore("publish", round_s, outage.watch(self._publish)))
        self._thread.add(Chore("orders", round_s, outage.watch(self._hear)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()
        with contextlib.suppress(RedisError):  # the entry expires by itself
            withdraw(self._redis, self._name)

    def _measure(self) -> None:
        self._use = self._process.measure()

    def _log(self) -> None:
        use = self._use
        log.info(
            events.MEMORY,
            role=self._role,
            process=self._name,
            rss_mb=use.rss_mb,
            pss_mb={"python": use.pss_mb},
            total_pss_mb=use.pss_mb,
            cpu_percent=use.cpu_percent,
            descriptors=use.descriptors,
        )

    def _publish(self) -> None:
        use = self._use
        snapshot = ProcessSnapshot(
            name=self._name,
            role=self._role,
            pid=os.getpid(),
            host=socket.gethostname(),
            started_at=self._started_at,
            rss_mb=use.rss_mb,
            pss_mb=use.pss_mb,
            cpu_percent=use.cpu_percent,
            descriptors=use.descriptors,
            leads=None if self._leads is None else self._leads(),
        )
        publish(self._redis, snapshot)

    def _hear(self) -> None:
        letter = process_orders.take(self._redis, self._name)
        if letter is not None:
            self._desk.hear(letter)
