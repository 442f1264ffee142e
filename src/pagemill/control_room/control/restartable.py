"""Who starts afresh when it is told to, in which order, and how each of them is told."""

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
"""In the order of their turns. A supervisor is not among them: it holds no page and no batch, and to replace it would
end all its workers at once."""

_WHY = "the fleet is restarted"


@dataclass(frozen=True, slots=True)
class Restartable:
    """One of them; a fresh one that took its name over is another one."""

    role: str
    name: str
    pid: int
    started_at: datetime | None


def living(redis: Redis, *roles: str) -> list[Restartable]:
    """Those that are alive, role by role.

    Raises:
        RedisError: Redis does not answer.
    """
    found = [Restartable(WORKER, each.name, each.pid, each.started_at) for each in read_fleet(redis)]
    for process in read_processes(redis):
        if process.is_alive:
            found.append(Restartable(process.role, process.name, process.pid, process.started_at))
    return [each for role in roles for each in found if each.role == role]


def in_turn(redis: Redis, last: str) -> Sequence[Restartable]:
    """All that are to be restarted, in their order; without the one of that name, which comes last and by itself.

    Raises:
        RedisError: Redis does not answer.
    """
    return [each for each in living(redis, *ROLES) if each.name != last]


def tell_to_restart(redis: Redis, one: Restartable, timeout_s: float) -> OrderReply:
    """Has it start afresh; what it answers.

    Raises:
        RedisError: Redis does not answer.
    """
    if one.role == WORKER:
        return give(redis, [one.name], RESTART, timeout_s, reason=_WHY)[0]
    return give(redis, [one.name], RESTART, timeout_s, process_orders.leave, reason=_WHY)[0]
