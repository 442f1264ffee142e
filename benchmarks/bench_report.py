"""What a benchmark found, as a table, as figures and as a picture."""

from __future__ import annotations

import dataclasses
import json
import platform as machine
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import psutil
from matplotlib.figure import Figure

from benchmarks.race import Case, Lap
from pagemill import __version__

L = TypeVar("L")
_OURS = "pagemill"
_COLOURS = ("#c44e52", "#8172b3", "#4c72b0", "#55a868", "#937860", "#ccb974", "#8c8c8c")
_PANELS: tuple[tuple[str, Callable[[Lap], float]], ...] = (
    ("items per second (more is better)", lambda lap: lap.items_per_s),
    ("CPU ms per item (less is better)", lambda lap: lap.cpu_ms),
    ("peak PSS in MB (less is better)", lambda lap: lap.peak_pss_mb),
)
_HEAD = (
    "| contestant | items/s | of pagemill's | CPU ms/item | with start | peak PSS MB | at the end | p50 ms | p99 ms "
    "| complete |\n|---|---|---|---|---|---|---|---|---|---|\n"
)
_FEW = 4
_IDLE_HEAD = "| contestant | CPU s per lane and hour | peak PSS MB | complete |\n|---|---|---|---|\n"


@dataclass(frozen=True, slots=True)
class Table:
    """Every lap, by case and contestant."""

    laps: Mapping[Case, Mapping[str, Sequence[Lap]]]
    versions: Mapping[str, str]
    absent: Sequence[str]

    def markdown(self) -> str:
        """Medians; for speed and CPU with the smallest and the largest value."""
        parts = [f"# Benchmark of {date.today().isoformat()}\n\n{setting(self.versions, self.absent)}\n"]
        parts += [self._idle(case) if case.gap_s else self._case(case) for case in self.laps]
        return "\n".join(parts)

    def _case(self, case: Case) -> str:
        rounds = max(len(laps) for laps in self.laps[case].values())
        rows = [_row(name, laps, self.laps[case].get(_OURS, laps)) for name, laps in self.laps[case].items()]
        ways = ", both ways" if case.short_cut else ""
        title = f"## {case.weight} page, {case.lanes} lanes, {case.products} products, {rounds} rounds{ways}\n\n"
        return title + _HEAD + "".join(rows)

    def _idle(self, case: Case) -> str:
        rows = []
        for name, laps in self.laps[case].items():
            lane_hours = [case.lanes * lap.seconds / 3600 for lap in laps]
            cost_s = [lap.cpu_ms / 1000 * case.products / hours for lap, hours in zip(laps, lane_hours, strict=True)]
            peak_mb, complete = (median(laps, key) for key in ("peak_pss_mb", "complete"))
            rows.append(f"| {name} | {statistics.median(cost_s):.0f} | {peak_mb:.0f} | {100 * complete:.1f} % |\n")
        title = f"## {case.weight} page, {case.lanes} lanes that wait {case.gap_s:g} s after each visit\n\n"
        return title + _IDLE_HEAD + "".join(rows)


def setting(versions: Mapping[str, str], absent: Sequence[str]) -> str:
    """The machine, the versions, and who could not take part."""
    memory_gb = psutil.virtual_memory().total / 1024**3
    others = ", ".join(f"{name} {version(name)}" for name in ("playwright", "rq"))
    peers = ", ".join(f"{name} {number}" for name, number in versions.items())
    lines = [
        f"{psutil.cpu_count()} cores, {memory_gb:.0f} GB, {machine.system()}, "
        f"Python {machine.python_version()}; pagemill {__version__}, {others}; peers: {peers or 'none'}.",
        *(f"Could not take part: {reason}" for reason in absent),
    ]
    return "\n".join(lines) + "\n"


def median(laps: Sequence[Lap], key: str) -> float:
    """Of one figure."""
    return float(statistics.median(getattr(lap, key) for lap in laps))


def _row(name: str, laps: Sequence[Lap], ours: Sequence[Lap]) -> str:
    ratio = median(laps, "items_per_s") / median(ours, "items_per_s")
    cells = [
        name,
        _spread(laps, "items_per_s"),
        f"{ratio:.2f}",
        _spread(laps, "cpu_ms"),
        f"{median(laps, 'whole_cpu_ms'):.0f}",
        f"{median(laps, 'peak_pss_mb'):.0f}",
        f"{median(laps, 'end_pss_mb'):.0f}",
        f"{median(laps, 'p50_ms'):.0f}",
        f"{median(laps, 'p99_ms'):.0f}",
        f"{100 * median(laps, 'complete'):.1f} %",
    ]
    return f"| {' | '.join(cells)} |\n"


def _spread(laps: Sequence[Lap], key: str) -> str:
    values = [getattr(lap, key) for lap in laps]
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def write_json(table: Table, file: Path) -> None:
    """Every lap of every round."""
    cases = [
        {
            **dataclasses.asdict(case),
            "laps": {name: [dataclasses.asdict(lap) for lap in laps] for name, laps in contestants.items()},
        }
        for case, contestants in table.laps.items()
    ]
    content = {"date": date.today().isoformat(), "versions": table.versions, "absent": table.absent, "cases": cases}
    file.write_text(json.dumps(content, indent=1) + "\n")


def draw(table: Table, file: Path) -> None:
    """One row of bars for each figure, one group for each case."""
    groups = {
        f"{case.weight}\n{case.lanes} lanes": laps
        for case, laps in table.laps.items()
        if not (case.gap_s or case.short_cut)
    }
    if groups:
        draw_bars(groups, _PANELS, file)


def draw_bars(
    groups: Mapping[str, Mapping[str, Sequence[L]]], panels: Sequence[tuple[str, Callable[[L], float]]], file: Path
) -> None:
    """Bars for each panel: medians by group and contestant, with the smallest and the largest value.

    Panels stand two by two where groups are few.

    Who is in a group without a lap has failed, and is said to.
    """
    names = list(dict.fromkeys(name for laps in groups.values() for name in laps))
    columns = 2 if len(groups) <= _FEW else 1
    rows = -(-len(panels) // columns)
    size = (max(10.0, 1.5 * len(groups) + 3), 3.5 * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    for place, (title, value) in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, columns, place)
        for number, name in enumerate(names):
            values = [[value(lap) for lap in laps.get(name, ())] for laps in groups.values()]
            middles = [statistics.median(group) if group else 0.0 for group in values]
            spread = [
                [middle - min(group, default=middle) for middle, group in zip(middles, values, strict=True)],
                [max(group, default=middle) - middle for middle, group in zip(middles, values, strict=True)],
            ]
            lefts = [group + 0.85 * (number / len(names) - 0.5) for group in range(len(groups))]
            width = 0.85 / len(names)
            axes.bar(
                lefts, middles, width, yerr=spread, label=name, color=_COLOURS[number % len(_COLOURS)], align="edge"
            )
            for left, laps in zip(lefts, groups.values(), strict=True):
                if name in laps and not laps[name]:
                    axes.text(left + width / 2, 0, " failed", rotation=90, ha="center", va="bottom", fontsize="small")
        axes.set_title(title, loc="left")
        axes.set_xticks(range(len(groups)), list(groups))
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize="small")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
