"""How long a Redis client keeps trying when its server goes away in the middle of the work.

Owns one retry policy. Must not decide what to do when it gives up.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from pagemill.errors import TAKES_NOTHING

T = TypeVar("T")

_BASE_S = 0.1
_CAP_S = 5.0


def is_disk_full(error: Exception) -> bool:
    """Whether a Redis that answers refuses to write, because it cannot save: mostly its disk is full."""
    return isinstance(error, redis.ResponseError) and "MISCONF " in f"{error} "


def is_memory_full(error: Exception) -> bool:
    """Whether a Redis that answers refuses to write, because it has no memory left. A script's error quotes that."""
    return isinstance(error, redis.ResponseError) and "command not allowed when used memory > 'maxmemory'" in str(error)


def _no_room(error: Exception) -> str:
    """Why it takes nothing, empty for other errors. It begins again by itself once there is space, so this is an outage
    like one of the connection."""
    if is_memory_full(error):
        return "it is full. Give it more memory (maxmemory); nothing is lost meanwhile"
    return str(error) if is_disk_full(error) else ""


class PatientRetry(Retry):
    """Tries again, with growing random pauses, until `patience_s` have passed since the first failure.

    redis-py counts tries, and counts them twice: a command that is retried reconnects, and the reconnecting is retried
    with the same policy, so that 10 tries become 100. Here the inner call fails at once and the outer one, which
    owns the deadline, goes on. redis-py gives every connection a copy of its own, used by one thread at a time.
    """

    def __init__(
        self,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(ExponentialWithJitterBackoff(cap=_CAP_S, base=_BASE_S), retries=-1)
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep
        self._depth = 0

    def get_retries(self) -> int:
        """Any number: time ends the tries. A try beyond this number redis-py (8.1) counts as an error of a server with
        a port, which that of a Unix socket has not."""
        return sys.maxsize

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        """Calls `do` until it succeeds, the patience ends or an error is not worth a try; see Redis'
        `Retry.call_with_retry`.

        `fail` runs after every failure, the last one too: it is what disconnects.
        """
        failures = 0
        give_up_at: float | None = None
        self._depth += 1
        try:
            while True:
                try:
                    return do()
                except Exception as error:
                    full = _no_room(error)
                    if not full and not isinstance(error, self._supported_errors):
                        raise
                    if not full and is_retryable is not None and not is_retryable(error):
                        raise
                    failures += 1
                    fail(error, failures) if with_failure_count else fail(error)
                    if give_up_at is None:
                        give_up_at = self._clock() + self._patience_s
                    pause_s = self._backoff.compute(failures)
                    if self._depth > 1 or self._clock() + pause_s > give_up_at:
                        if full:
                            raise redis.ConnectionError(f"{TAKES_NOTHING}: {full}") from error
                        raise
                    self._sleep(pause_s)
        finally:
            self._depth -= 1
