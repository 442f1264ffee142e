"""What a fleet of workers costs its Redis: commands, CPU time, memory, connections, and how long a look takes.

`python -m benchmarks.fleet_load --workers 1000` starts a redis-server on loopback, set up as the shipped one, and has
so many workers (`fleet_worker`) at it, in a few processes. Four scenes, one after another:

    chores   they beat, publish and ask who leads; no batch is looked for
    idle     and look for batches, of which there are none
    held     or have one in every hand, and beat for it; no lane visits
    work     and the lanes visit

What one kind of thing costs is the difference between two scenes. Where the processes could not keep up, the table says
so: their loops were late, and the rates are lower than those of a real fleet.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform as machine
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.fleet_ground import Fleet
from benchmarks.fleet_scenes import SCENES, Scene, measure, watch
from pagemill.broker.server_program import _program
from pagemill.telemetry.logging import set_up_logging


def table(scenes: Sequence[Scene], fleet: Fleet) -> Table:
    """The scenes for a terminal."""
    shown = Table(title=f"{fleet.workers} workers, {fleet.shops} shops each", title_justify="left")
    shown.add_column("each second")
    for scene in scenes:
        shown.add_column(scene.name, justify="right")
    for heading, name in (
        ("commands of Redis", "commands"),
        ("scripts", "scripts"),
        ("CPU of Redis, cores", "cpu"),
        ("looks for a batch", "looks"),
        ("visits", "visits"),
        ("batches ended", "batches"),
        ("a look takes, p50 ms", "look_p50_ms"),
        ("a look takes, p99 ms", "look_p99_ms"),
        ("visits late by, p99 ms", "late_p99_ms"),
        ("the processes late by, p99 ms", "lag_p99_ms"),
        ("memory, MB", "memory_mb"),
        ("of which clients, MB", "clients_mb"),
        ("connections", "clients"),
        ("errors", "errors"),
    ):
        shown.add_row(heading, *[f"{getattr(scene, name):,}" for scene in scenes])
    return shown


def main() -> int:
    """0 when everything was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_load", description=__doc__)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--shops", type=int, default=6, help="that each worker serves")
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--wait-ms", default="15000-20000")
    parser.add_argument("--per-minute", type=int, default=60_000, help="of each shop; 0 for no limit")
    parser.add_argument("--seats", type=int, default=0, help="visits at one time, of each shop; 0 for no limit")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--warm-s", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=SCENES)
    parser.add_argument("--waiting", type=int, default=20_000, help="batches while the API looks; 0 to leave that out")
    parser.add_argument("--redis-server", default=shutil.which("redis-server") or "")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/fleet.json"))
    options = parser.parse_args()
    set_up_logging("json", "ERROR")
    fleet = Fleet(
        workers=options.workers,
        shops=options.shops,
        groups=min(4, options.workers),
        lanes=options.lanes,
        wait_ms=options.wait_ms,
        per_minute=options.per_minute or None,
        seats=options.seats or None,
    )
    program = options.redis_server or _program()
    console = Console()
    scenes = []
    for name in options.scenes:
        scenes.append(measure(name, program, fleet, options.processes, options.warm_s, options.seconds))
        console.print(table(scenes[-1:], fleet))
    watching = watch(program, fleet, options.waiting) if options.waiting else None
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    found = {
        "at": datetime.now(UTC).date().isoformat(),
        "machine": f"{multiprocessing.cpu_count()} cores, Python {machine.python_version()}, Redis {version[2:]}",
        "processes": options.processes,
        "fleet": asdict(fleet),
        "scenes": [asdict(scene) for scene in scenes],
        "watching": asdict(watching) if watching else None,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(found, indent=1) + "\n")
    console.print(table(scenes, fleet))
    console.print(watching)
    return 0


if __name__ == "__main__":
    sys.exit(main())
