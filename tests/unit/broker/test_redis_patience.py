"""The retry policy of a Redis client."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import redis

from pagemill.broker.patience import PatientRetry
from pagemill.errors import RedisUnavailable


class Clock:
    """Monotonic seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def failing(times: int, error: Exception) -> Callable[[], str]:
    """A call that fails that often and then succeeds."""
    left = [times]

    def call() -> str:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return "done"

    return call


@pytest.mark.parametrize("error", [redis.ConnectionError("gone"), redis.TimeoutError("slow"), TimeoutError("slow")])
def test_a_lost_connection_is_tried_again_until_it_works(error: Exception) -> None:
    """Every failure is told to the caller, who disconnects."""
    clock = Clock()
    failures: list[Exception] = []

    assert PatientRetry(60, clock, clock.sleep).call_with_retry(failing(9, error), failures.append) == "done"

    assert failures == [error] * 9
    assert clock.now > 1000


def test_patience_ends_after_the_stated_time() -> None:
    """Not before most of it is used, never after it."""
    clock = Clock()
    error = redis.ConnectionError("gone")
    failures: list[Exception] = []

    with pytest.raises(redis.ConnectionError):
        PatientRetry(60, clock, clock.sleep).call_with_retry(failing(10**6, error), failures.append)

    assert 50 <= clock.now - 1000 <= 60
    assert len(failures) > 10


def test_a_call_inside_of_a_call_does_not_multiply_the_patience() -> None:
    """redis-py reconnects with the same policy inside of a command that is retried."""
    clock = Clock()
    retry = PatientRetry(60, clock, clock.sleep)
    attempts = 0

    def connect() -> str:
        nonlocal attempts
        attempts += 1
        raise redis.ConnectionError("refused")

    with pytest.raises(redis.ConnectionError):
        retry.call_with_retry(lambda: retry.call_with_retry(connect, lambda _: None), lambda _: None)

    assert clock.now - 1000 <= 60
    assert attempts < 100
    assert retry.call_with_retry(failing(3, redis.ConnectionError("gone")), lambda _: None) == "done"


def test_other_errors_are_not_tried_again() -> None:
    """A wrong command stays wrong."""
    clock = Clock()
    with pytest.raises(redis.ResponseError):
        PatientRetry(60, clock, clock.sleep).call_with_retry(failing(1, redis.ResponseError("no")), print)
    with pytest.raises(redis.ConnectionError):
        PatientRetry(60, clock, clock.sleep).call_with_retry(
            failing(1, redis.ConnectionError("no")), print, is_retryable=lambda _: False
        )
    assert clock.now == 1000


def test_a_server_whose_disk_is_full_is_waited_for_like_one_that_is_away() -> None:
    """It answers every write with MISCONF until there is space; whoever waits in vain sees an outage."""
    clock = Clock()
    full = redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")
    assert PatientRetry(60, clock, clock.sleep).call_with_retry(failing(5, full), lambda _: None) == "done"
    with pytest.raises(redis.ConnectionError, match="takes nothing for now: MISCONF"):
        PatientRetry(60, clock, clock.sleep).call_with_retry(
            failing(10**6, full), lambda _: None, is_retryable=lambda _: False
        )


@pytest.mark.parametrize(
    "error",
    [
        redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        redis.ResponseError(
            "Error running script (call to f_1): @user_script:8: @user_script: 8: -OOM command not allowed when used "
            "memory > 'maxmemory'."
        ),
    ],
)
def test_a_server_without_memory_is_waited_for_as_well(error: redis.ResponseError) -> None:
    """It refuses what would take some until there is; the error says what to do, also as a command's last line."""
    clock = Clock()
    assert PatientRetry(60, clock, clock.sleep).call_with_retry(failing(5, error), lambda _: None) == "done"
    with pytest.raises(redis.ConnectionError, match=r"it is full\. Give it more memory \(maxmemory\)") as raised:
        PatientRetry(60, clock, clock.sleep).call_with_retry(failing(10**6, error), lambda _: None)
    said = str(RedisUnavailable.gone(raised.value))
    assert said == str(raised.value)
    assert "went away" not in said


def test_redis_py_may_count_and_copy_it() -> None:
    """Every connection gets a copy; a pool's settings may travel to another process."""
    clock = Clock()
    counted: list[int] = []
    retry = copy.deepcopy(PatientRetry(60, clock, clock.sleep))
    retry.call_with_retry(
        failing(2, redis.ConnectionError("x")), lambda _, count: counted.append(count), with_failure_count=True
    )
    assert counted == [1, 2]
    assert pickle.loads(pickle.dumps(PatientRetry(60))).call_with_retry(failing(0, OSError()), print) == "done"
