"""Orders workers to clean up, and sums up their outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pagemill.config.remedies import Remedy
from pagemill.fleet.orders import OrderReply


@dataclass(frozen=True, slots=True)
class CleanupOutcome:
    """The outcome in all workers that carried out the order; numbers are sums."""

    success: bool
    """Whether at least one worker carried out the order."""
    message: str
    seconds: float = 0.0
    """The time until the last reply arrived."""
    collected: int = 0
    """Objects that Python's collector found unreachable."""
    cache_entries: int = 0
    """Entries that were dropped from caches."""
    freed_mb: float = 0.0
    done: tuple[str, ...] = ()
    """The workers that carried out the order."""
    failed: dict[str, str] = field(default_factory=dict)
    """The other workers, each with the reason why it did not."""


def clean_up(order: Callable[[], Sequence[OrderReply]], now_s: Callable[[], float] = time.monotonic) -> CleanupOutcome:
    """Sends the order and sums up the replies.

    Args:
        order: sends the order and waits for the replies.
        now_s: monotonic seconds.

    Raises:
        RedisError: Redis does not answer.
    """
    begun_s = now_s()
    answers = order()
    return cleanup_outcome_of(answers, round(now_s() - begun_s, 3))


def cleanup_outcome_of(answers: Sequence[OrderReply], seconds: float) -> CleanupOutcome:
    """The sums over the workers' replies. Pure."""
    done = [answer for answer in answers if answer.done]
    failed = {answer.worker: answer.error for answer in answers if not answer.done}
    return CleanupOutcome(
        success=bool(done),
        message=_message(done, failed),
        seconds=seconds,
        collected=round(sum(float(answer.result.get("collected", 0)) for answer in done)),
        cache_entries=round(sum(float(answer.result.get("cache_entries", 0)) for answer in done)),
        freed_mb=round(sum(float(answer.result.get("freed_mb", 0.0)) for answer in done), 1),
        done=tuple(answer.worker for answer in done),
        failed=failed,
    )


def _message(done: Sequence[OrderReply], failed: dict[str, str]) -> str:
    if not done and not failed:
        return f"No worker is alive: {Remedy.NO_WORKER}"
    missing = "; ".join(f"{worker}: {error}" for worker, error in failed.items())
    if not done:
        return f"No worker did it: {missing}"
    said = f"Done by {len(done)} worker" + ("s" if len(done) > 1 else "")
    return f"{said}, but not by {len(failed)}: {missing}" if failed else said
