"""What a chaos run owes at its end: each product exactly one result, the right one, and nothing left behind.

Waits for the end of the work, asks the workers to drain, and counts. Repairs nothing.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import psutil

from benchmarks.chaos_ground import PLATFORM, Ground
from pagemill.fleet.queues import queue_states
from pagemill.fleet.snapshot import read_fleet
from pagemill.intake.batch_job import open_queue
from pagemill.model import Verdict

_IDLE_S = 90.0
"""Workers sweep once a minute what dead ones left; this is one sweep and a half."""
_SETTLE_S = 15.0
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Account:
    """The count. `failed` names reasons of products that the shop served well; `left` is what should not be there."""

    products: int
    results: int
    lost: int
    doubled: int
    false: int
    """Products with a wrong verdict other than `failed`: something untrue was said about them."""
    failed: dict[str, int]
    left: tuple[str, ...]
    finish_s: float

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, left or untrue."""
        return not (self.lost or self.doubled or self.false or self.left)


def settle(ground: Ground, *, patience_s: float) -> Account:
    """Lets the run finish, ends it, and counts; when nothing happens for `patience_s`, it counts as finished."""
    began_s = time.monotonic()
    _finish(ground, patience_s)
    finish_s = time.monotonic() - began_s
    left = [*_left_while_idle(ground), *_left_after_end(ground)]
    return _count(ground, tuple(left), finish_s)


def _finish(ground: Ground, patience_s: float) -> None:
    wanted = sum(len(rows) for rows in ground.rows.values())
    done, moved_s = -1, time.monotonic()
    while time.monotonic() - moved_s < patience_s:
        before = done
        done = _stored(ground)
        if done >= wanted:
            return
        if done > before:
            moved_s = time.monotonic()
        if ground.supervisor_ended is not None:
            ground.start_again()
        time.sleep(_POLL_S)


def _stored(ground: Ground) -> int:
    with closing(sqlite3.connect(ground.database, timeout=30)) as connection:
        return int(connection.execute("SELECT count(*) FROM results").fetchone()[0])


def _left_while_idle(ground: Ground) -> list[str]:
    """What idle workers still hold; they get the time of one sweep to clear up after dead ones."""
    left = []
    if strays := _until_empty(ground.strays, _IDLE_S):
        left += [f"outlived its worker: {stray}" for stray in strays]
    if zombies := _until_empty(ground.family.zombies, _SETTLE_S):
        left += [f"zombie: {zombie}" for zombie in zombies]
    with ground.redis() as redis:

        def open_leases() -> list[str]:
            # What a killed worker said last stays for a minute; what it held went with it.
            living = [each for each in read_fleet(redis) if psutil.pid_exists(each.pid)]
            return [f"worker {each.name} holds {each.lanes} leases" for each in living if each.lanes]

        def open_batches() -> list[str]:
            state = queue_states(redis, [PLATFORM])[0]
            spare = int(redis.llen(open_queue(redis, PLATFORM).intermediate_queue_key))
            counts = {"waiting": state.waiting, "at work": state.at_work, "failed": state.failed, "taken": spare}
            return [f"{number} batches {what}" for what, number in counts.items() if number]

        left += _until_empty(open_leases, _SETTLE_S)
        left += _until_empty(open_batches, _IDLE_S)
    return left


def _left_after_end(ground: Ground) -> list[str]:
    left = []
    code = ground.stop()
    if code != 0:
        left.append(f"the supervisor did not drain: exit code {code}")
    left += [f"still runs: {stray}" for stray in _until_empty(ground.strays, _SETTLE_S)]
    left += [f"in the scratch folder: {entry.name}" for entry in ground.scratch.iterdir()]
    return left


def _until_empty(look: Callable[[], list[str]], patience_s: float) -> list[str]:
    deadline_s = time.monotonic() + patience_s
    while (found := look()) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    return found


def _count(ground: Ground, left: tuple[str, ...], finish_s: float) -> Account:
    with closing(sqlite3.connect(ground.database, timeout=30)) as connection:
        found = connection.execute("SELECT run, product_id, verdict, reason FROM results").fetchall()
    rows = {(run, row.product.id): row for run, rows in ground.rows.items() for row in rows}
    numbers = Counter((run, product) for run, product, _verdict, _reason in found)
    false, failed = 0, Counter[str]()
    for run, product, verdict, reason in found:
        row = rows.get((run, product))
        if row is None or row.accepts(Verdict(verdict)):
            continue
        if verdict == Verdict.FAILED:
            if row.right_verdict is Verdict.BLOCKED:  # the shop gave no facts, and the last attempt met a fault of ours
                continue
            failed[re.sub(r"\d+", "N", reason)[:100]] += 1
        else:
            false += 1
    return Account(
        products=len(rows),
        results=len(found),
        lost=len(rows.keys() - numbers.keys()),
        # A result of a product that nobody asked for counts here too.
        doubled=sum(numbers.values()) - len(numbers.keys() & rows.keys()),
        false=false,
        failed=dict(failed.most_common()),
        left=left,
        finish_s=finish_s,
    )
