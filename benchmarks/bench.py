"""Pagemill beside its peers, a bare Playwright loop and the floor, all on one shop and in one run: `make bench`.

Every case is run several rounds in alternating order. What is reported are medians with the smallest and the largest
value, and ratios of medians: the machine's own speed is in all of them. At the end comes one round of `polite`, on
several shops at the pace at which real ones are visited, with files of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import polite
from benchmarks.bench_report import Table, draw, write_json
from benchmarks.peers import available
from benchmarks.polite_figures import Case as PoliteCase
from benchmarks.race import PLATFORM, Case, Contestant, Lap, Pagemill, Program, run_lap
from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Verdict

RESULTS = Path("benchmarks/results")
WEIGHTS = ("light", "normal", "heavy")
LANES = (1, 4, 8)
KEY = ("normal", 4)
IDLE = Case("normal", 4, 40, gap_s=5.0)
"""Where the shop's limits decide: what waiting costs."""
SHORT_CUT = Case("normal", 4, 2000, short_cut=True)
_API = {
    "url": "/api/v1/products/{id}",
    "fields": {
        "name": "data.name",
        "price": {"path": "data.price", "type": "number"},
        "in_stock": {"path": "data.in_stock", "type": "boolean"},
        "image": "data.image",
    },
}
BY_API = {"strategy": "in_page_fetch", "fetch": _API}
BY_HTTP = {"strategy": "http", "ready": None, **_API}


def contestants(names: Sequence[str]) -> tuple[list[Contestant], dict[str, str], list[str]]:
    """Those who take part, their versions, and why others cannot."""
    everybody: list[Contestant] = [Pagemill()]
    ours = Path(sys.executable)
    everybody.append(Program("bare Playwright", ours, "bare_playwright"))
    everybody.append(Program("raw CDP", ours, "raw_cdp"))
    everybody.append(Program("raw CDP, hidden", ours, "raw_cdp", ("--hidden",)))
    pythons, versions, absent = available(lambda name: not names or name in names)
    everybody += [Program(peer.name, python, peer.module) for peer, python in pythons]
    return [one for one in everybody if not names or one.name in names], versions, absent


def products(shop: StorefrontProcess, case: Case) -> list[CatalogueRow]:
    """Products whose pages are whole: the peers know nothing of verdicts."""
    rows = generate(PLATFORM, shop.base_url, 2 * case.products + 20, weight=case.weight)
    return [row for row in rows if row.right_verdict is Verdict.OK][: case.products]


def _rounds(case: Case, asked: int) -> int:
    """The case by which pagemill is judged gets more, the long ones get one."""
    if case.gap_s or case.short_cut:
        return 1
    return asked + 2 if (case.weight, case.lanes) == KEY else asked


def main() -> int:
    """Runs the cases, prints a table, and writes table, chart and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="these contestants; repeatable")
    parser.add_argument("--weight", action="append", choices=WEIGHTS, help="these pages; repeatable")
    parser.add_argument("--lanes", action="append", type=int, help="these numbers of lanes; repeatable")
    parser.add_argument("--products", type=int, default=100, help="per round (default: 100)")
    parser.add_argument("--rounds", type=int, default=3, help="of a case; its decisive one gets two more (default: 3)")
    parser.add_argument("--no-idle", action="store_true", help="leave out the case in which lanes mostly wait")
    parser.add_argument("--no-short-cut", action="store_true", help="leave out strategies in_page_fetch and http")
    parser.add_argument("--no-polite", action="store_true", help="leave out several shops at a polite pace")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for bench.md, bench.json and bench.png")
    options = parser.parse_args()
    taking_part, versions, absent = contestants(options.only)
    for reason in absent:
        print(f"cannot take part: {reason}", flush=True)
    cases = [
        Case(weight, lanes, options.products)
        for weight in options.weight or WEIGHTS
        for lanes in options.lanes or LANES
    ]
    if not options.no_idle:
        cases.append(IDLE)
    if not options.no_short_cut:
        cases.append(SHORT_CUT)
    short_cuts: list[Contestant] = [
        Pagemill(),
        Pagemill("pagemill, in_page_fetch", BY_API),
        Pagemill("pagemill, http", BY_HTTP),
    ]
    laps: dict[Case, dict[str, list[Lap]]] = {}
    with StorefrontProcess() as shop:
        for case in cases:
            rows = products(shop, case)
            runners = short_cuts if case.short_cut else taking_part
            laps[case] = {one.name: [] for one in runners}
            for number in range(_rounds(case, options.rounds)):
                for one in runners if number % 2 == 0 else reversed(runners):
                    lap = run_lap(one, case, rows)
                    laps[case][one.name].append(lap)
                    print(
                        f"{case.weight:6} {case.lanes} lanes  {one.name:18} {lap.items_per_s:6.1f}/s "
                        f"{lap.cpu_ms:6.1f} ms CPU  {lap.peak_pss_mb:6.0f} MB  {100 * lap.complete:.0f} % complete",
                        flush=True,
                    )
    table = Table(laps, versions, absent)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "bench.md").write_text(table.markdown())
    write_json(table, options.output / "bench.json")
    draw(table, options.output / "bench.png")
    print(table.markdown())
    polite_ones = [name for name in polite.NAMES if not options.only or name in options.only]
    if options.no_polite or not polite_ones:
        return 0
    return polite.compare([PoliteCase(shops) for shops in polite.SHOPS], 1, options.output, polite_ones)


if __name__ == "__main__":
    sys.exit(main())
