"""What one of each kind costs, as it was measured: read from benchmarks/results, and shown. Measures nothing."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

RESULTS = Path(__file__).parent / "results"
SHOPS = 6
"""That share the products: of the sums, and of the polite round whose visits they count with."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one of a kind costs. `read` takes it from benchmarks/results."""

    visit_cpu_ms: float
    """All processes of a worker: `polite.json`, six shops. Without pauses a visit takes half of it: pages stay open."""
    chores_us: float
    """Redis, for each worker and second: `fleet.json`, `chores`."""
    chores_commands: float
    hand_us: float
    """Redis, for each hand with a batch and second: `held` less `chores`."""
    hand_commands: float
    look_us: float
    """Redis, for each queue that a worker looks at: `idle` less `chores`."""
    look_commands: float
    redis_visit_us: float
    """Redis, for each visit with its share of its batch: `work` less `held`."""
    redis_visit_commands: float
    worker_kb: float
    """Redis' memory for each worker, its connections among it: `chores`."""
    connections: float
    """Of each worker, without hands: `chores`."""
    hand_connections: float
    """Of each hand: `held` less `chores`."""
    queued_bytes: float
    """Redis' memory for each product that waits: `watching`."""
    view_us: float
    """Redis, for each worker, when a control API looks at the fleet, once a second: `watching`."""
    search_us: float
    """Redis, for each batch on the queue, once a minute while anybody looks at the fleet: `watching`."""
    row_bytes: float
    """PostgreSQL's disk for each result: `rows.json`."""
    log_bytes: float
    rows_per_s: float
    """That one connection writes."""
    waiting_bytes: float

    @classmethod
    def read(cls, folder: Path = RESULTS) -> Self:
        """From the files of the measurements.

        Raises:
            OSError, KeyError: a file is missing, or is another one.
        """
        names = ("polite", "fleet", "rows")
        polite, fleet, rows = (json.loads((folder / f"{name}.json").read_text()) for name in names)
        workers, shops = fleet["fleet"]["workers"], fleet["fleet"]["shops"]
        scenes, watching = {scene["name"]: scene for scene in fleet["scenes"]}, fleet["watching"]

        def each(key: str, scene: str, before: str, count: float, factor: float = 1) -> float:
            """What one of `count` in a scene adds to the one before."""
            return float((scenes[scene][key] - scenes[before][key]) / count * factor)

        hands, seen, visits = workers * shops, scenes["idle"]["looks"] * shops, scenes["work"]["visits"]
        chores = scenes["chores"]
        return cls(
            visit_cpu_ms=_visit_cpu_ms(polite),
            chores_us=chores["cpu"] / workers * 1e6,
            chores_commands=chores["commands"] / workers,
            hand_us=each("cpu", "held", "chores", hands, 1e6),
            hand_commands=each("commands", "held", "chores", hands),
            look_us=each("cpu", "idle", "chores", seen, 1e6),
            look_commands=each("commands", "idle", "chores", seen),
            redis_visit_us=each("cpu", "work", "held", visits, 1e6),
            redis_visit_commands=each("commands", "work", "held", visits),
            worker_kb=chores["memory_mb"] * 1024 / workers,
            connections=chores["clients"] / workers,
            hand_connections=each("clients", "held", "chores", hands),
            queued_bytes=watching["queue_mb"] * 2**20 / (watching["waiting"] * 50),
            view_us=watching["cpu_ms"] * 1000 / watching["workers"],
            search_us=watching["search_cpu_ms"] * 1000 / watching["waiting"],
            row_bytes=rows["bytes_per_row"],
            log_bytes=rows["log_bytes_per_row"],
            rows_per_s=rows["rows_per_s"],
            waiting_bytes=rows["bytes_per_waiting_product"],
        )


def _visit_cpu_ms(polite: Any) -> float:
    """The median of pagemill's laps with as many shops as the sums take for granted."""
    (case,) = [each for each in polite["cases"] if each["shops"] == SHOPS]
    return statistics.median(float(lap["cpu_ms"]) for lap in case["laps"]["pagemill"])


FIGURES: tuple[tuple[str, str, Callable[[Measured], float], str], ...] = (
    ("CPU of a visit", "ms", lambda it: it.visit_cpu_ms, "`polite.json`: six shops"),
    ("a worker, each second", "µs", lambda it: it.chores_us, "`fleet.json`: `chores`"),
    ("a worker, each second", "commands", lambda it: it.chores_commands, "`chores`"),
    ("a hand with a batch, each second", "µs", lambda it: it.hand_us, "`held` less `chores`"),
    ("a hand with a batch, each second", "commands", lambda it: it.hand_commands, "`held` less `chores`"),
    ("a look at one queue", "µs", lambda it: it.look_us, "`idle` less `chores`"),
    ("a look at one queue", "commands", lambda it: it.look_commands, "`idle` less `chores`"),
    ("a visit, with its share of its batch", "µs", lambda it: it.redis_visit_us, "`work` less `held`"),
    ("a visit, with its share of its batch", "commands", lambda it: it.redis_visit_commands, "`work` less `held`"),
    ("connections of a worker", "", lambda it: it.connections, "`chores`"),
    ("connections of a hand", "", lambda it: it.hand_connections, "`held` less `chores`"),
    ("Redis' memory of a worker", "KB", lambda it: it.worker_kb, "`chores`"),
    ("Redis' memory of a product that waits", "bytes", lambda it: it.queued_bytes, "`fleet.json`: `watching`"),
    ("a control API's look, for each worker", "µs", lambda it: it.view_us, "`watching`"),
    ("one look in a minute, for each batch that waits", "µs", lambda it: it.search_us, "`watching`"),
    ("disk of a result, with its indexes", "bytes", lambda it: it.row_bytes, "`rows.json`"),
    ("log of a result", "bytes", lambda it: it.log_bytes, "`rows.json`"),
    ("disk of a product that waits", "bytes", lambda it: it.waiting_bytes, "`rows.json`"),
    ("rows that one connection writes, each second", "", lambda it: it.rows_per_s, "`rows.json`"),
)
"""Name, unit, value and source."""

SCENES = (
    ("commands that Redis carried out", "commands"),
    ("scripts", "scripts"),
    ("CPU of Redis, cores", "cpu"),
    ("looks for a batch", "looks"),
    ("visits", "visits"),
    ("batches ended", "batches"),
    ("an observer's look, p50 ms", "look_p50_ms"),
    ("an observer's look, p99 ms", "look_p99_ms"),
    ("the simulation itself late by, p99 ms", "lag_p99_ms"),
    ("Redis' memory, MB", "memory_mb"),
    ("of which for clients, MB", "clients_mb"),
    ("connections", "clients"),
    ("errors", "errors"),
)
"""What of a scene is shown, and where it stands."""


def figures_table(measured: Measured) -> str:
    """What one of each kind costs, as Markdown."""
    rows = [["what", "", "source"], ["---"] * 3]
    rows += [[name, f"{shown(value(measured))} {unit}".strip(), source] for name, unit, value, source in FIGURES]
    return markdown(rows)


def scenes_table(fleet: Mapping[str, Any]) -> str:
    """The scenes of `fleet.json`, as Markdown."""
    scenes = fleet["scenes"]
    rows = [["each second", *[f"`{scene['name']}`" for scene in scenes]], ["---"] * (1 + len(scenes))]
    rows += [[name, *[f"{scene[key]:,}" for scene in scenes]] for name, key in SCENES]
    return markdown(rows)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table of these rows; the second one is the line below the head."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(value: float) -> str:
    """To two digits below ten, else whole."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}" if value < 1 else f"{value:.1f}"
