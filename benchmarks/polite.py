"""Pagemill beside its peers at the pace at which real shops are visited: several shops, lanes that mostly wait.

    python -m benchmarks.polite                            # 1, 6 and 16 shops; some 25 minutes a round
    python -m benchmarks.polite --shops 6 --rounds 5
    python -m benchmarks.polite --minutes 60               # one long run of pagemill alone on pages that leak

Each contestant is one process (with its driver and browser), on the same shops, products and Chromium. They take turns,
in alternating order, several rounds. What is measured and from when to when: `polite_figures`; how the pace is made the
same for all: `polite_race`. Writes `polite.md`, `polite.json` and `polite.png`; exits with 1 when somebody failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from benchmarks.peers import available
from benchmarks.polite_figures import Case, Failure, Lap
from benchmarks.polite_race import Contestant, Pagemill, Peer, catalogues_of, run_lap
from benchmarks.polite_report import OURS, Table, draw, failures, write_json
from benchmarks.polite_shops import Street
from benchmarks.polite_soak import soak

RESULTS = Path("benchmarks/results")
SHOPS = (1, 6, 16)
PEERS = ("scrapy-playwright", "crawlee-python")
NAMES = (OURS, *PEERS)


def compare(
    cases: Sequence[Case], rounds: int, output: Path, only: Collection[str] = NAMES, processes: int | None = None
) -> int:
    """Runs the cases, prints a table, and writes table, chart and figures after each of them.

    Args:
        cases: one after the other.
        rounds: of each.
        output: a folder.
        only: these of `NAMES`.
        processes: pagemill takes part a second time, with so many of them.

    Returns:
        1 when a contestant could not take part, or failed in a lap.
    """
    pythons, versions, absent = available(lambda name: name in PEERS and name in only)
    contestants: list[Contestant] = [Pagemill()] if OURS in only else []
    if processes is not None:
        contestants.append(Pagemill(f"{OURS}, {processes} processes", processes))
    contestants += [Peer(peer.name, python, peer.module) for peer, python in pythons]
    for reason in absent:
        print(f"cannot take part: {reason}", flush=True)
    if not contestants:
        return 1 if absent else 0
    laps: dict[Case, dict[str, list[Lap | Failure]]] = {}
    output.mkdir(parents=True, exist_ok=True)
    with Street(max(case.shops for case in cases)) as street:
        for case in cases:
            catalogues = catalogues_of(case, street)
            laps[case] = {one.name: [] for one in contestants}
            for number in range(rounds):
                for one in contestants if number % 2 == 0 else reversed(contestants):
                    lap = run_lap(one, case, street, catalogues)
                    laps[case][one.name].append(lap)
                    print(f"{case.shops:2} shops  {one.name:22} {_shown(lap)}", flush=True)
            table = Table(laps, versions, absent)
            (output / "polite.md").write_text(table.markdown())
            write_json(table, output / "polite.json")
            draw(table, output / "polite.png")
    print(table.markdown())
    return 1 if absent or any(failures(by_name) for by_name in laps.values()) else 0


def _shown(lap: Lap | Failure) -> str:
    if isinstance(lap, Failure):
        return f"failed: {lap.reason}"
    return (
        f"{lap.products_per_s:6.2f}/s  {lap.pss_mb:5.0f} MB, most {lap.most_pss_mb:5.0f}  "
        f"{lap.per_gb:5.1f}/s for each GB  {lap.cpu_ms:6.1f} ms CPU  "
        f"{lap.late_s:6.2f} s late  {100 * lap.complete:.0f} % complete"
    )


def main() -> int:
    """0 when nobody failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.polite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = Case(shops=1)
    parser.add_argument("--shops", action="append", type=int, help="so many; repeatable (default: 1, 6 and 16)")
    parser.add_argument("--lanes", type=int, default=usual.lanes, help="for each shop (default: 4)")
    parser.add_argument("--products", type=int, default=usual.products, help="of each shop (default: 150)")
    parser.add_argument("--wait-ms", default="3000-4000", help="between two visits of a lane (default: 3000-4000)")
    parser.add_argument("--rounds", type=int, default=3, help="of each case (default: 3)")
    parser.add_argument("--only", action="append", default=[], choices=NAMES, help="these contestants; repeatable")
    parser.add_argument("--processes", type=int, help="pagemill takes part a second time, with so many of them")
    parser.add_argument("--minutes", type=float, help="instead: one run of so many, of pagemill alone")
    parser.add_argument("--leak-kb", type=int, default=400, help="what each page of that run leaks (default: 400)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for what is written")
    options = parser.parse_args()
    low_ms, _, high_ms = options.wait_ms.partition("-")
    wait_ms = (int(low_ms), int(high_ms or low_ms))
    cases = [Case(shops, options.lanes, options.products, wait_ms) for shops in options.shops or SHOPS]
    if options.minutes is not None:
        shops = options.shops[0] if options.shops else 6
        return soak(shops, options.lanes, wait_ms, options.minutes, options.leak_kb, options.output)
    return compare(cases, options.rounds, options.output, options.only or NAMES, options.processes)


if __name__ == "__main__":
    sys.exit(main())
