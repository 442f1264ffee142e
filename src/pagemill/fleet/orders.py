"""Sends orders to workers over RQ's command channel and reads their replies. Other processes use `process_orders`.

The channel drops messages that nobody hears. So each order has an id, and the worker stores its reply under that id. If
no reply comes in time, the order counts as not heard. A worker carries an order out once, because it replies to an id
only once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from rq.command import send_command

from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("orders")

COMMAND = "pagemill"
"""The name of the RQ command; RQ's own commands have other names."""
_ANSWER = "pagemill:answer:"
_ANSWER_KEPT_S = 60
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class OrderReply:
    """One worker's reply to an order."""

    worker: str
    heard: bool
    error: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the order was carried out without an error."""
        return self.heard and not self.error


Send = Callable[..., object]
"""Delivers an order: `(redis, name, command, **payload)`."""


def give(
    redis: Redis,
    workers: Sequence[str],
    action: str,
    timeout_s: float = 5.0,
    send: Send = send_command,
    **arguments: Any,
) -> list[OrderReply]:
    """Sends the same order to each of these workers, and waits up to `timeout_s` for all replies.

    Args:
        redis: fails within seconds.
        workers: the workers' names; or names of other processes, with a `send` that reaches them.
        action: what is to be done.
        timeout_s: the time for all replies together.
        send: delivers the order; by default over RQ's command channel, which workers hear.
        **arguments: the action's arguments.

    Raises:
        RedisError: Redis does not answer.
    """
    ids = {worker: uuid4().hex for worker in workers}
    for worker, order_id in ids.items():
        send(redis, worker, COMMAND, id=order_id, action=action, arguments=arguments)
    deadline_s = time.monotonic() + timeout_s
    answers: dict[str, OrderReply] = {}
    while len(answers) < len(ids):
        missing = [worker for worker in workers if worker not in answers]
        texts = cast("list[bytes | None]", redis.mget([_ANSWER + ids[worker] for worker in missing]))
        found = zip(missing, texts, strict=True)
        answers |= {worker: _answer(worker, text) for worker, text in found if text is not None}
        if time.monotonic() >= deadline_s:
            break
        time.sleep(_LOOK_S)
    return [answers.get(worker, OrderReply(worker, heard=False, error="no answer in time")) for worker in workers]


def _answer(worker: str, text: bytes) -> OrderReply:
    values = json.loads(text)
    return OrderReply(worker, True, values.get("error", ""), values.get("result", {}))


Action = Callable[..., Mapping[str, Any] | None]
"""A function that carries out an order with its arguments. Its result becomes the reply."""


class OrderDesk:
    """The worker's side of orders: hears them, carries them out and replies."""

    def __init__(self, redis: Redis) -> None:
        """The client should fail within seconds."""
        self._redis = redis
        self._actions: Mapping[str, Action] = {}

    def open(self, actions: Mapping[str, Action]) -> None:
        """Accepts orders from now on. Before this call, they are answered with an error."""
        self._actions = actions

    def hear(self, payload: Mapping[str, Any]) -> bool:
        """Carries an order out and stores the reply. If the action fails, its error is the reply.

        Returns:
            Whether the message was an order, and not one of RQ's own commands.

        Raises:
            RedisError: the reply could not be stored, but the order was carried out.
        """
        if payload.get("command") != COMMAND:
            return False
        action = str(payload.get("action", ""))
        error, result = self._carry_out(action, payload.get("arguments") or {})
        log.info(events.ORDER, action=action, error=error, **result)
        body = json.dumps({"error": error, "result": result}, default=str)
        self._redis.set(f"{_ANSWER}{payload.get('id', '')}", body, ex=_ANSWER_KEPT_S)
        return True

    def _carry_out(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        action = self._actions.get(name)
        if action is None:
            return f"no order {name!r} here: known are {', '.join(sorted(self._actions)) or 'none yet'}", {}
        try:
            return "", dict(action(**arguments) or {})
        except Exception as failure:  # noqa: BLE001 - the error is the reply, and the worker goes on
            return f"{type(failure).__name__}: {failure}"[:500], {}
