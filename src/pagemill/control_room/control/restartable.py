"""The processes that can be restarted by an order, the order in which they are, and how each gets the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from pagemill.fleet import process_orders
from pagemill.fleet.actions import RESTART
from pagemill.fleet.orders import OrderReply, give
from pagemill.fleet.processes import API, SCHEDULER, read_processes
from pagemill.fleet.snapshot import read_fleet

WORKER = "worker"
ROLES = (WORKER, SCHEDULER, API)
"""In the order in which they restart. A supervisor is left out: it holds no page and no batch, and its restart would
end all its workers at once."""

_WHY = "the fleet is restarted"


@dataclass(frozen=True, slots=True)
class Restartable:
    """One process. A new process under the same name is a different value."""

    role: str
    name: str
    pid: int
    started_at: datetime | None


def living(redis: Redis, *roles: str) -> list[Restartable]:
    """The living processes, role by role in the given order.

    Raises:
        RedisError: Redis does not answer.
    """
    found = [Restartable(WORKER, each.name, each.pid, each.started_at) for each in read_fleet(redis)]
    for process in read_processes(redis):
        if process.is_alive:
            found.append(Restartable(process.role, process.name, process.pid, process.started_at))
    return [each for role in roles for each in found if each.role == role]


def in_turn(redis: Redis, last: str) -> Sequence[Restartable]:
    """All processes to restart, in order, without `last`, which restarts itself at the end.

    Raises:
        RedisError: Redis does not answer.
    """
    return [each for each in living(redis, *ROLES) if each.name != last]


def tell_to_restart(redis: Redis, one: Restartable, timeout_s: float) -> OrderReply:
    """Orders the process to restart; returns its reply.

    Raises:
        RedisError: Redis does not answer.
    """
    if one.role == WORKER:
        return give(redis, [one.name], RESTART, timeout_s, reason=_WHY)[0]
    return give(redis, [one.name], RESTART, timeout_s, process_orders.leave, reason=_WHY)[0]
