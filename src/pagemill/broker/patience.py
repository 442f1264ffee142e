"""How long a Redis client retries when its server goes away during work.

Owns one retry policy. Must not decide what happens when it gives up.
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
    """Whether Redis answers but refuses to write because it cannot save, mostly because its disk is full."""
    return isinstance(error, redis.ResponseError) and "MISCONF " in f"{error} "


def is_memory_full(error: Exception) -> bool:
    """Whether Redis answers but refuses to write because its memory is full. A script's error contains that text."""
    return isinstance(error, redis.ResponseError) and "command not allowed when used memory > 'maxmemory'" in str(error)


def _no_room(error: Exception) -> str:
    """Why Redis cannot store anything; empty for other errors. This is treated as an outage, because Redis accepts
    writes again once there is space."""
    if is_memory_full(error):
        return "it is full. Give it more memory (maxmemory); nothing is lost meanwhile"
    return str(error) if is_disk_full(error) else ""


class PatientRetry(Retry):
    """Retries with growing random pauses until `patience_s` have passed since the first failure.

    redis-py counts tries, and a retried command also reconnects with the same policy, so that 10 tries become 100. Here
    the inner call fails at once, and the outer call retries until its deadline. redis-py gives every connection its own
    copy of this object, which one thread at a time uses.
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
        """A number that is never reached, because the time limit ends the tries. Beyond it, redis-py 8.1 records errors
        with a port, and fails on a Unix socket, which has none."""
        return sys.maxsize

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        """Calls `do` until it succeeds, the time is over, or the error is not worth a retry. Overrides Redis'
        `Retry.call_with_retry`.

        `fail` is called after every failure, also the last one, because it closes the connection.
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
