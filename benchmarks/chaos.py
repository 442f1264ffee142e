"""Breaks a running pagemill again and again and measures how it heals: `python -m benchmarks.chaos`.

Workers under a supervisor check a practice catalogue while processes are killed and stopped, Redis and the database go
away and disks fill up. At the end every product must have exactly one result and nothing may be left. Exit code 1 says
that something was lost, doubled, untrue or left, or did not heal by itself.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

from benchmarks.chaos_account import settle
from benchmarks.chaos_faults import BY_NAME, KINDS, Kind, plan
from benchmarks.chaos_ground import Ground, Shape, can_mount
from benchmarks.chaos_report import Report
from benchmarks.chaos_run import RECOVERY_LIMIT_S, STOCK_S, ChaosRun

NOTHING_HAPPENS_S = 150.0
"""A batch whose worker died waits for its time to live, and the next look at dead workers' batches: about a minute."""


def chaos(
    folder: Path,
    kinds: list[Kind],
    faults: int,
    seed: int,
    shape: Shape,
    *,
    command: str = "",
    limit_s: float = 3600.0,
    recovery_limit_s: float = RECOVERY_LIMIT_S,
    stock_s: float = STOCK_S,
    patience_s: float = NOTHING_HAPPENS_S,
) -> Report:
    """One run in an empty folder, with `worker.log` and `faults.jsonl` left in it.

    Kinds that need small disks are left out, by name, where `shape` has none.
    """
    began_s = time.monotonic()
    able = [kind for kind in kinds if shape.small_disks or not kind.takes_small_disks]
    skipped = [f"{kind.name}: only root can mount a small disk" for kind in kinds if kind not in able]
    chance = random.Random(seed)
    with Ground(folder, shape, seed) as ground:
        run = ChaosRun(ground, chance, recovery_limit_s=recovery_limit_s, stock_s=stock_s)
        try:
            run.run(plan(able, faults, chance), limit_s)
        finally:
            lines = [json.dumps(asdict(injection)) for injection in run.injections]
            (folder / "faults.jsonl").write_text("\n".join(lines))
        account = settle(ground, patience_s=patience_s)
        seconds = time.monotonic() - began_s
        return Report(
            command=command,
            shape=shape,
            injections=run.injections,
            skipped=[*skipped, *run.unhappened],
            account=account,
            judged=run.judged(),
            restarts=ground.restarts,
            seconds=seconds,
        )


def main() -> int:
    """Runs, prints the report and writes it."""
    options = _options()
    signal.signal(signal.SIGTERM, _leave)
    kinds = [BY_NAME[name] for name in options.kinds] if options.kinds else list(KINDS)
    if options.driver != "playwright":
        kinds = [kind for kind in kinds if not kind.takes_driver]
    shape = Shape(processes=options.processes, lanes=options.lanes, driver=options.driver)
    if any(kind.takes_small_disks for kind in kinds):
        shape = replace(shape, small_disks=can_mount())
    folder: Path = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    command = " ".join(["python -m benchmarks.chaos", *sys.argv[1:]])
    limit_s = options.limit_minutes * 60
    report = chaos(folder.absolute(), kinds, options.faults, options.seed, shape, command=command, limit_s=limit_s)
    text = report.markdown()
    print(text)
    if options.output != "-":
        Path(options.output).write_text(text)
    if options.folder is None and report.is_good:
        shutil.rmtree(folder)
    else:
        print(f"log and faults: {folder}")
    return 0 if report.is_good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200, help="how many (200)")
    parser.add_argument("--seed", type=int, default=1, help="of all random choices (1)")
    parser.add_argument("--kinds", type=_kinds, default=[], help=f"some of: {', '.join(BY_NAME)}")
    parser.add_argument("--output", default="docs/chaos.md", help="the report's file, - for none (docs/chaos.md)")
    parser.add_argument("--folder", type=Path, help="an empty or new folder, kept; a temporary one by default")
    parser.add_argument("--processes", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--lanes", type=int, default=2, help="lanes in each (2)")
    parser.add_argument("--driver", choices=("playwright", "none"), default="playwright", help="see browser.driver")
    parser.add_argument("--limit-minutes", type=float, default=60.0, help="no fault begins later than that (60)")
    return parser.parse_args()


def _kinds(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - BY_NAME.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(BY_NAME)}")
    return names


def _leave(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(130)


if __name__ == "__main__":
    sys.exit(main())
