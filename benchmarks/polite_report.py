"""What the benchmark at a polite pace found, as a table, as figures and as a picture."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.bench_report import draw_bars, setting
from benchmarks.polite_figures import VISIT_S, Case, Failure, Lap

OURS = "pagemill"
_PANELS: tuple[tuple[str, Callable[[Lap], float]], ...] = (
    ("products per second (more is better)", lambda lap: lap.products_per_s),
    ("median PSS in MB (less is better)", lambda lap: lap.pss_mb),
    ("products per second for each GB (more is better)", lambda lap: lap.per_gb),
    ("CPU ms per product (less is better)", lambda lap: lap.cpu_ms),
)
_COLUMNS = (
    "contestant",
    "products/s",
    "of the pace",
    "PSS MB, median",
    "most",
    "products/s for each GB",
    "CPU ms/product",
    "late by, mean s",
    "p99 s, at least",
    "by its own account, p50 s",
    "p99 s",
    "complete",
)
_NOTES = f"""
Rates, CPU and the median of PSS are those of the steady part: without the first and the last turn of every lane. A GB
is 1,000 MB. The pace is that of lanes of which no turn is late and whose visits last {VISIT_S} s. A visit is late by
what it comes after the wait that followed on the visit before it in the same lane; from outside the mean of that is
known, and of single visits only what exceeds the longest wait. Who keeps a rate and not lanes does not wait for a
visit's end: its mean falls below 0 by what its visits last longer than {VISIT_S} s.
"""

Laps = Mapping[Case, Mapping[str, Sequence[Lap | Failure]]]
"""Every round, by case and contestant."""


@dataclass(frozen=True, slots=True)
class Table:
    """All that was run."""

    laps: Laps
    versions: Mapping[str, str]
    absent: Sequence[str]

    def markdown(self) -> str:
        """Medians; for the rate and what it costs with the smallest and the largest value."""
        head = f"# Benchmark at a polite pace, {date.today().isoformat()}\n\n"
        head += setting(self.versions, self.absent) + _NOTES
        return "\n".join([head, *(self._case(case) for case in self.laps)])

    def _case(self, case: Case) -> str:
        by_name = self.laps[case]
        rounds = max(map(len, by_name.values()))
        low_s, high_s = (wait_ms / 1000 for wait_ms in case.wait_ms)
        shops = "1 shop" if case.shops == 1 else f"{case.shops} shops"
        lines = [
            f"## {shops}, {case.lanes} lanes each, {low_s:g} to {high_s:g} s between two visits of a lane, "
            f"{case.products} products of each, {rounds} {'round' if rounds == 1 else 'rounds'}",
            "",
            f"| {' | '.join(_COLUMNS)} |",
            "|---" * len(_COLUMNS) + "|",
            *(_row(name, done(laps), case) for name, laps in by_name.items()),
            "",
            *(
                f"- {OURS} / {name}, products/s for each GB: {ratio:.2f} "
                f"(by round: {', '.join(f'{each:.2f}' for each in each_round) or 'none'})"
                for name, (ratio, each_round) in ratios(by_name).items()
            ),
            *(f"- {name} failed in {len(of_it)} of {rounds}: {of_it[0]}" for name, of_it in failures(by_name).items()),
        ]
        return "\n".join(lines) + "\n"


def done(laps: Sequence[Lap | Failure]) -> list[Lap]:
    """Those that came to something."""
    return [lap for lap in laps if isinstance(lap, Lap)]


def failures(by_name: Mapping[str, Sequence[Lap | Failure]]) -> dict[str, list[str]]:
    """By contestant: what went wrong with each lap that came to nothing, in one line."""
    found = {
        name: [" ".join(lap.reason.split()) for lap in laps if isinstance(lap, Failure)]
        for name, laps in by_name.items()
    }
    return {name: reasons for name, reasons in found.items() if reasons}


def ratios(by_name: Mapping[str, Sequence[Lap | Failure]]) -> dict[str, tuple[float, list[float]]]:
    """Pagemill's products per second for each GB, by those of each other contestant: of the medians, and by round."""
    found = {}
    ours = by_name.get(OURS, ())
    for name, laps in by_name.items():
        if name == OURS or not done(ours) or not done(laps):
            continue
        pairs = zip(ours, laps, strict=False)  # a run that was broken off has a round that is not whole
        each_round = [
            mine.per_gb / other.per_gb for mine, other in pairs if isinstance(mine, Lap) and isinstance(other, Lap)
        ]
        found[name] = (_median(done(ours), _per_gb) / _median(done(laps), _per_gb), each_round)
    return found


def _per_gb(lap: Lap) -> float:
    return lap.per_gb


def _median(laps: Sequence[Lap], value: Callable[[Lap], float]) -> float:
    return statistics.median(map(value, laps))


def _row(name: str, laps: Sequence[Lap], case: Case) -> str:
    if not laps:
        return f"| {name} | failed |{' |' * (len(_COLUMNS) - 2)}"

    def spread(value: Callable[[Lap], float], digits: int) -> str:
        values = [value(lap) for lap in laps]
        return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"

    def own(value: Callable[[Lap], float | None]) -> str:
        values = [told for lap in laps if (told := value(lap)) is not None]
        return f"{statistics.median(values):.3f}" if values else "-"

    cells = [
        name,
        spread(lambda lap: lap.products_per_s, 2),
        f"{100 * _median(laps, lambda lap: lap.products_per_s) / case.pace_per_s:.0f} %",
        spread(lambda lap: lap.pss_mb, 0),
        f"{max(lap.most_pss_mb for lap in laps):.0f}",
        spread(_per_gb, 1),
        spread(lambda lap: lap.cpu_ms, 1),
        f"{_median(laps, lambda lap: lap.late_s):.2f}",
        f"{_median(laps, lambda lap: lap.too_late_s):.2f}",
        own(lambda lap: lap.own_p50_s),
        own(lambda lap: lap.own_p99_s),
        f"{100 * _median(laps, lambda lap: lap.complete):.1f} %",
    ]
    return f"| {' | '.join(cells)} |"


def write_json(table: Table, file: Path) -> None:
    """Every lap of every round."""
    cases: list[dict[str, Any]] = []
    for case, by_name in table.laps.items():
        laps = {name: [_told(lap) for lap in laps] for name, laps in by_name.items()}
        per_gb = {name: {"ratio": ratio, "rounds": rounds} for name, (ratio, rounds) in ratios(by_name).items()}
        cases.append({**dataclasses.asdict(case), "pace_per_s": case.pace_per_s, "laps": laps, "per_gb_of": per_gb})
    content = {"date": date.today().isoformat(), "versions": table.versions, "absent": table.absent, "cases": cases}
    file.write_text(json.dumps(content, indent=1) + "\n")


def _told(lap: Lap | Failure) -> dict[str, Any]:
    if isinstance(lap, Failure):
        return {"failed": lap.reason}
    return {**dataclasses.asdict(lap), "per_gb": lap.per_gb}


def draw(table: Table, file: Path) -> None:
    """One row of bars for each figure, one group for each case."""
    groups = {
        "1 shop" if case.shops == 1 else f"{case.shops} shops": {name: done(laps) for name, laps in by_name.items()}
        for case, by_name in table.laps.items()
    }
    draw_bars(groups, _PANELS, file)
