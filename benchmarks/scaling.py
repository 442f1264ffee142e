"""How much a number of products a day takes: visits at work, workers, machines, Redis, PostgreSQL. Sums, no measuring.

`python -m benchmarks.scaling` prints the table of docs/scaling.md; `--products`, `--shops`, `--wait-s` and others put
in your own. Each formula is one property of `Need`; each measured figure says where it comes from (`scaling_figures`).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from benchmarks.scaling_figures import SHOPS, Measured, figures_table, markdown, shown
from pagemill.fleet.published import _SEARCH_S
from pagemill.guard.budget import BASE_MB, LANE_MB, Budget, wanted_places
from pagemill.results.database import _POOL_SIZE
from pagemill.worker.worker import _POLL_S

MILLIONS = (1, 10, 100)
_USED = 0.7
"""How much of a core, or of anything that is waited for, is planned with."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is asked for, and of which worker."""

    products: int = 1_000_000
    """A day."""
    hours: float = 24
    """Of a day in which they are visited."""
    shops: int = SHOPS
    wait_s: float = 3.5
    """Between two visits of a lane, in the mean."""
    visit_s: float = 2.0
    """How long a visit takes, in the mean: your own is rate(pagemill_item_seconds_sum) / rate(..._count)."""
    lanes: int = 4
    """Of one worker, for each shop."""
    worker_cores: float = 2
    worker_mb: int = 4096
    machine_cores: int = 16
    machine_mb: int = 64 * 1024
    batch: int = 50
    kept_days: int = 30
    """How long results are kept, as `retention.runs_days` says."""
    at_once: float = 1.0
    """Which share of a day's products is on the queue at one time."""


@dataclass(frozen=True)
class Need:
    """What that pace takes."""

    pace: Pace
    measured: Measured

    @property
    def visits_per_s(self) -> float:
        return self.pace.products / (self.pace.hours * 3600)

    @property
    def visits_per_minute_and_shop(self) -> float:
        return self.visits_per_s * 60 / self.pace.shops

    @property
    def visits_at_work(self) -> float:
        """Places that are taken: arrivals times how long each stays (Little's law)."""
        return self.visits_per_s * self.pace.visit_s

    @property
    def lanes(self) -> float:
        """Each makes a visit in `wait_s + visit_s`."""
        return self.visits_per_s * (self.pace.wait_s + self.pace.visit_s)

    @property
    def places_of_worker(self) -> int:
        """As `auto` would have it."""
        lanes = [self.pace.lanes] * self.pace.shops
        return Budget(self.pace.worker_mb, 0).lanes(wanted_places("auto", lanes, math.floor(self.pace.worker_cores), 0))

    @property
    def workers_by_lanes(self) -> int:
        return math.ceil(self.lanes / (self.pace.lanes * self.pace.shops))

    @property
    def workers_by_places(self) -> int:
        return math.ceil(self.visits_at_work / (self.places_of_worker * _USED))

    @property
    def workers_by_cpu(self) -> int:
        return math.ceil(self.cores / self.pace.worker_cores)

    @cached_property
    def _most(self) -> tuple[int, str]:
        return max((self.workers_by_lanes, "lanes"), (self.workers_by_places, "places"), (self.workers_by_cpu, "CPU"))

    @property
    def workers(self) -> int:
        return self._most[0]

    @property
    def bound(self) -> str:
        """What decides how many there are."""
        return self._most[1]

    @property
    def cores(self) -> float:
        return self.visits_per_s * self.measured.visit_cpu_ms / 1000 / _USED

    @property
    def memory_mb(self) -> float:
        """Of all workers: what each holds before its first page, and the pages that are open."""
        return self.workers * BASE_MB + self.visits_at_work * LANE_MB

    @property
    def machines(self) -> int:
        by_memory = self.memory_mb / (self.pace.machine_mb * 0.85)
        return math.ceil(max(self.cores / self.pace.machine_cores, by_memory))

    @property
    def queues_looked_at_per_s(self) -> float:
        """At most, when none has anything: each worker looks at all of its queues ten times a second."""
        return self.workers / _POLL_S[1] * self.pace.shops

    @property
    def redis_commands_per_s(self) -> float:
        """While every hand has a batch."""
        return self._redis(
            self.measured.chores_commands, self.measured.hand_commands, self.measured.redis_visit_commands
        )

    @property
    def redis_cores(self) -> float:
        return self._redis(self.measured.chores_us, self.measured.hand_us, self.measured.redis_visit_us) / 1e6

    def _redis(self, chores: float, hand: float, visit: float) -> float:
        return self.workers * (chores + self.pace.shops * hand) + self.visits_per_s * visit

    @property
    def redis_idle_commands_per_s(self) -> float:
        """While none has."""
        measured = self.measured
        return self.workers * measured.chores_commands + self.queues_looked_at_per_s * measured.look_commands

    @property
    def redis_idle_cores(self) -> float:
        return (self.workers * self.measured.chores_us + self.queues_looked_at_per_s * self.measured.look_us) / 1e6

    @property
    def redis_view_cores(self) -> float:
        """One control API that is watched, with the day's batches on the queue."""
        batches = self.pace.products * self.pace.at_once / self.pace.batch
        return (self.workers * self.measured.view_us + batches * self.measured.search_us / _SEARCH_S) / 1e6

    @property
    def connections(self) -> float:
        return self.workers * (self.measured.connections + self.pace.shops * self.measured.hand_connections)

    @property
    def redis_mb(self) -> float:
        queued = self.pace.products * self.pace.at_once * self.measured.queued_bytes / 2**20
        return queued + self.workers * self.measured.worker_kb / 1024

    @property
    def rows_per_s(self) -> float:
        """Results, and each batch noted and removed."""
        return self.visits_per_s * (1 + 2 / self.pace.batch)

    @property
    def writers(self) -> float:
        """How many of the workers' connections are busy with writing."""
        return self.rows_per_s / self.measured.rows_per_s

    @property
    def database_connections(self) -> int:
        """That workers keep open, at most; a moment may have more."""
        return self.workers * _POOL_SIZE

    @property
    def disk_gb(self) -> float:
        waiting = self.pace.products * self.pace.at_once * self.measured.waiting_bytes
        return (self.pace.products * self.pace.kept_days * self.measured.row_bytes + waiting) / 1e9

    @property
    def log_gb_per_day(self) -> float:
        return self.pace.products * self.measured.log_bytes / 1e9


LINES: tuple[tuple[str, Callable[[Need], str]], ...] = (
    ("visits each second", lambda need: shown(need.visits_per_s)),
    ("visits each minute at each shop", lambda need: shown(need.visits_per_minute_and_shop)),
    ("visits at work at once", lambda need: shown(need.visits_at_work)),
    ("lanes", lambda need: shown(need.lanes)),
    ("workers (and what decides)", lambda need: f"{need.workers:,} ({need.bound})"),
    ("cores for workers", lambda need: shown(need.cores)),
    ("memory for workers, GB", lambda need: shown(need.memory_mb / 1024)),
    ("machines for workers", lambda need: f"{need.machines:,}"),
    ("Redis: commands each second, at work", lambda need: shown(need.redis_commands_per_s)),
    ("Redis: commands each second, idle", lambda need: shown(need.redis_idle_commands_per_s)),
    ("Redis: cores, at work", lambda need: shown(need.redis_cores)),
    ("Redis: cores, idle", lambda need: shown(need.redis_idle_cores)),
    ("Redis: cores, for one API that is watched", lambda need: shown(need.redis_view_cores)),
    ("Redis: connections", lambda need: shown(need.connections)),
    ("Redis: memory, GB", lambda need: shown(need.redis_mb / 1024)),
    ("PostgreSQL: rows each second", lambda need: shown(need.rows_per_s)),
    ("PostgreSQL: connections busy with writing", lambda need: shown(need.writers)),
    ("PostgreSQL: connections kept open, at most", lambda need: f"{need.database_connections:,}"),
    ("PostgreSQL: disk, GB", lambda need: shown(need.disk_gb)),
    ("PostgreSQL: log, GB a day", lambda need: shown(need.log_gb_per_day)),
)


def table(needs: Sequence[Need]) -> str:
    """Markdown, a column for each."""
    heads = [f"{need.pace.products / 1e6:g} million a day" for need in needs]
    rows = [["", *heads], ["---", *["---"] * len(needs)]]
    rows += [[name, *[told(need) for need in needs]] for name, told in LINES]
    return markdown(rows)


def main() -> int:
    """Prints the table, and what it is made of."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    for each in fields(Pace):
        default = each.default
        assert isinstance(default, int | float)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=type(default), help=f"{default:,}")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    counts = [given.pop("products")] if "products" in given else [million * 1_000_000 for million in MILLIONS]
    measured = Measured.read()
    print(
        table([Need(Pace(products=count, **given), measured) for count in counts]), figures_table(measured), sep="\n\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
