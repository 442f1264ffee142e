"""Does the ten-thousandth product cost what the first did? `make soak` runs a worker on leaky pages and measures.

Prints a table, writes figures (JSON) and a picture (PNG), and exits with 1 when a limit is missed. `--no-rotation` is
the control, which must grow; `--compare` runs both and draws them side by side.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.soak_chart import draw
from benchmarks.soak_figures import LEAST_SPEED, LONG_RUN, MOST_GROWTH, Figures, figures, misses
from benchmarks.soak_turns import carry_out_in_turns
from benchmarks.workshop import Course, Plan, carry_out
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace

_SECONDS_PER_PRODUCT = 1.0
"""For the deadline; about ten times what a product takes on two cores."""


def plans(options: argparse.Namespace) -> Iterator[Plan]:
    """The runs that were asked for."""
    products: int = options.products
    ways = {True: products} if not options.no_rotation else {False: products}
    if options.compare:
        ways = {True: products, False: min(products, options.control_products)}
    for rotates, count in ways.items():
        yield Plan(
            products=count,
            lanes=options.lanes,
            leak_kb=options.leak_kb,
            rotates=rotates,
            deadline_s=options.deadline_s or 120 + _SECONDS_PER_PRODUCT * count,
            sample_interval_s=options.sample_interval_s,
            turns=options.turns if rotates and count >= LONG_RUN else 0,
        )


def run(plan: Plan) -> Course:
    """One run in a folder of its own, with a shop of its own."""
    with tempfile.TemporaryDirectory(prefix="pagemill-soak-") as folder, StorefrontProcess() as shop:
        if plan.turns:
            return carry_out_in_turns(plan, shop, Path(folder))
        return carry_out(plan, shop, Workplace(Path(folder, "work")))


def table(found: Figures) -> Table:
    """The figures of one run for a terminal."""
    way = "with rotation" if found.rotates else "without rotation"
    title = f"{found.products:,} products, {found.lanes} lanes, leak {found.leak_kb} KB, {way}: {found.seconds:,.0f} s"
    shown = Table(title=title, title_justify="left")
    for heading in ("", f"products {found.warm.window}", f"products {found.late.window}", "ratio", "asked"):
        shown.add_column(heading, justify="left" if not heading else "right")

    def add(name: str, before: float, after: float, asked: str = "") -> None:
        ratio = f"{after / before:.3f}" if before else "-"
        shown.add_row(name, f"{before:,.1f}", f"{after:,.1f}", ratio, asked)

    add("PSS median, MB", found.warm.median_mb, found.late.median_mb, f"<= {MOST_GROWTH}" if found.rotates else "")
    add("PSS mean, MB", found.warm.mean_mb, found.late.mean_mb)
    for role in sorted(found.warm.by_role_mb.keys() | found.late.by_role_mb.keys()):
        add(f"  {role}", found.warm.by_role_mb.get(role, 0.0), found.late.by_role_mb.get(role, 0.0))
    asked = f">= {LEAST_SPEED}" if found.rotates else ""
    add("items/s (from the start)", found.early_per_s, found.late_per_s, "" if found.turns else asked)
    if found.turns:
        shown.add_row("items/s beside a fresh worker", "", "", f"{found.speed_ratio:.3f}", asked)
    return shown


def facts(found: Figures) -> str:
    """What does not fit into the table, in one line."""
    rotations = ", ".join(f"{count:,} {level}" for level, count in found.rotations.items())
    complete = found.products - found.missing
    return (
        f"rotations: {rotations}; time-outs: {found.timeouts}; results: {complete:,} of {found.products:,}, "
        f"wrong verdicts: {len(found.wrong)}; peak memory {found.peak_mb:,.0f} MB (PSS)"
    )


def main() -> int:
    """0 when every limit was kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--leak-kb", type=int, default=400, help="what each page leaks, in three ways")
    parser.add_argument("--no-rotation", action="store_true", help="the control: nothing is replaced, memory must grow")
    parser.add_argument("--compare", action="store_true", help="with and without rotation, in one picture")
    parser.add_argument("--control-products", type=int, default=400, help="of --compare's run without rotation")
    parser.add_argument("--sample-interval-s", type=float, default=1.0)
    parser.add_argument("--turns", type=int, default=10, help="of a fresh worker in a long run; 0: none")
    parser.add_argument("--deadline-s", type=float, help="for each run (default: 120 s and 1 s for each product)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    console = Console()
    runs: list[tuple[Course, Figures]] = []
    missed = []
    for plan in plans(options):
        course = run(plan)
        found = figures(course)
        runs.append((course, found))
        console.print(table(found), facts(found), "", sep="\n")
        for turn in found.turns:
            console.print(f"after {turn.done:,} products: {turn.old_per_s}/s, a fresh worker {turn.fresh_per_s}/s")
        missed += misses(found)
    name = "soak-compare" if options.compare else "soak-no-rotation" if options.no_rotation else "soak"
    picture, numbers = options.output / f"{name}.png", options.output / f"{name}.json"
    draw(runs, picture)
    numbers.write_text(json.dumps({"missed": missed, "runs": [asdict(found) for _, found in runs]}, indent=1) + "\n")
    console.print(f"{picture}, {numbers}")
    for miss in missed:
        console.print(f"missed: {miss}", style="red")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
