"""One long run of a worker at a polite pace on pages that leak: does it stay as it is, and what is replaced, and why?

Pages come and go with the demand there, and several platforms share a browser, so this is another question than that of
`soak`, whose lanes never wait. Owns the run, its figures and its picture.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.meter import Course
from benchmarks.polite_figures import Case, Lap
from benchmarks.polite_race import Pagemill, carry_out, catalogues_of
from benchmarks.polite_shops import Street
from benchmarks.workshop import ROTATIONS
from pagemill.telemetry import events

_NOT_TOLD = "all"
_COLOURS = {"page": "#dd8452", "context": "#c44e52", "browser": "#8172b3", "driver": "#55a868"}
_POINTS = 120


@dataclass(frozen=True, slots=True)
class Rotation:
    """One line of the log."""

    at: float
    """Seconds since the epoch."""
    level: str
    platform: str
    """`all` where the line names none."""
    reason: str
    uses: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the run comes to. Memory is PSS, of all processes, in the steady part."""

    minutes: float
    shops: int
    leak_kb: int
    lap: Lap
    early_mb: float
    """Median of the second eighth of the time: the first one is warm-up."""
    late_mb: float
    """Of the last eighth."""
    ratio: float
    rotations: Mapping[str, Mapping[str, int]]
    """By platform, then by level and reason."""
    most_uses: Mapping[str, int]
    """By level: the most that one had when it was replaced."""
    timeouts: int
    memory: Sequence[tuple[float, float]]
    """Minutes and MB, as medians of equal parts."""


def soak(shops: int, lanes: int, wait_ms: tuple[int, int], minutes: float, leak_kb: int, output: Path) -> int:
    """Runs it, prints what it comes to, and writes `polite-soak.json` and `.png`; 1 when results are not complete."""
    pace = Case(shops, lanes, 0, wait_ms, leak_kb)
    case = dataclasses.replace(pace, products=round(minutes * pace.per_minute))
    with tempfile.TemporaryDirectory(prefix="polite-soak-") as scratch, Street(shops) as street:
        lap, course = carry_out(Pagemill(), case, street, catalogues_of(case, street), Path(scratch))
        records = list(_records(Path(scratch) / "output.txt"))
    rotations = rotations_of(records)
    timeouts = sum(record.get("event") == events.TIMEOUT for record in records)
    found = figures(case, lap, course, rotations, timeouts)
    output.mkdir(parents=True, exist_ok=True)
    (output / "polite-soak.json").write_text(json.dumps(dataclasses.asdict(found), indent=1) + "\n")
    draw(found, course, rotations, output / "polite-soak.png")
    print(text(found))
    return 0 if lap.complete == 1 else 1


def figures(case: Case, lap: Lap, course: Course, rotations: Sequence[Rotation], timeouts: int) -> Figures:
    """Sums it up."""
    steady = _steady(lap, course)

    def median_mb(first: float, last: float) -> float:
        return statistics.median(mb for minute, mb in steady if first <= 60 * minute / lap.seconds <= last)

    by_platform: dict[str, Counter[str]] = {}
    most_uses: dict[str, int] = {}
    for each in rotations:
        by_platform.setdefault(each.platform, Counter())[f"{each.level} {each.reason}"] += 1
        most_uses[each.level] = max(each.uses, most_uses.get(each.level, 0))
    early_mb, late_mb = median_mb(1 / 8, 2 / 8), median_mb(7 / 8, 1)
    size = -(-len(steady) // _POINTS)
    parts = [steady[first : first + size] for first in range(0, len(steady), size)]
    return Figures(
        minutes=lap.seconds / 60,
        shops=case.shops,
        leak_kb=case.leak_kb,
        lap=lap,
        early_mb=early_mb,
        late_mb=late_mb,
        ratio=late_mb / early_mb,
        rotations={platform: dict(counts.most_common()) for platform, counts in sorted(by_platform.items())},
        most_uses=most_uses,
        timeouts=timeouts,
        memory=tuple((part[0][0], statistics.median(mb for _minute, mb in part)) for part in parts),
    )


def _steady(lap: Lap, course: Course) -> list[tuple[float, float]]:
    """Minutes and MB of every reading in the steady part."""
    return [((at - lap.begin) / 60, mb) for at, mb in course.pss if 0 <= at - lap.begin <= lap.seconds]


def rotations_of(records: Sequence[Mapping[str, object]]) -> list[Rotation]:
    """What the log tells of pages, contexts, browsers and drivers that were replaced."""
    return [
        Rotation(
            at=datetime.fromisoformat(str(record["timestamp"])).timestamp(),
            level=ROTATIONS[str(record["event"])],
            platform=str(record.get("platform") or _NOT_TOLD),
            reason=str(record["reason"]),
            uses=int(str(record["uses"])),
        )
        for record in records
        if record.get("event") in ROTATIONS
    ]


def text(found: Figures) -> str:
    """For a terminal."""
    lap = found.lap
    most_uses = ", ".join(f"{level} {uses}" for level, uses in found.most_uses.items()) or "nothing was replaced"
    lines = [
        f"{found.shops} shops, {found.minutes:.0f} minutes, pages that leak {found.leak_kb} KB: "
        f"{lap.products_per_s:.2f} products/s, {100 * lap.complete:.1f} % complete, {found.timeouts} time-outs, "
        f"{lap.late_s:.2f} s late in the mean",
        f"PSS: median {lap.pss_mb:.0f} MB, most {lap.most_pss_mb:.0f} MB; second eighth {found.early_mb:.0f} MB, last "
        f"eighth {found.late_mb:.0f} MB, {found.ratio:.2f} times",
        f"most uses when replaced: {most_uses}",
    ]
    for platform, counts in found.rotations.items():
        lines.append(f"rotations, {platform}: " + ", ".join(f"{count} {why}" for why, count in counts.items()))
    return "\n".join(lines)


def draw(found: Figures, course: Course, rotations: Sequence[Rotation], file: Path) -> None:
    """Memory over time, and rotations so far by level."""
    figure = Figure(figsize=(9.0, 7.5), layout="constrained")
    memory, replaced = figure.subplots(2, 1, height_ratios=[3, 2], sharex=True)
    memory.plot(*zip(*_steady(found.lap, course), strict=True), linewidth=0.5, alpha=0.5)
    memory.plot(*zip(*found.memory, strict=True), color="black", linewidth=1.5, label="median")
    memory.set_title(
        f"{found.shops} shops, {found.lap.products_per_s:.1f} products/s, pages that leak {found.leak_kb} KB\n"
        f"Memory of all processes: last eighth against the second {found.ratio:.2f}",
        loc="left",
    )
    memory.set_ylabel("PSS (MB)")
    memory.set_ylim(bottom=0)
    for level, colour in _COLOURS.items():
        times = [(each.at - found.lap.begin) / 60 for each in rotations if each.level == level]
        minutes = sorted(minute for minute in times if 0 <= minute <= found.minutes)
        heights = range(1, len(minutes) + 1)
        label = f"{level}: {len(minutes):,}"
        replaced.step([*minutes, found.minutes], [*heights, len(minutes)], where="post", color=colour, label=label)
    replaced.set_yscale("symlog", linthresh=10)
    replaced.set_ylim(bottom=0)
    replaced.set_ylabel("rotations so far")
    replaced.set_xlabel("minutes since the first turn of every lane")
    for axes in (memory, replaced):
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


def _records(log: Path) -> Iterator[dict[str, object]]:
    with log.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if line.startswith("{"):
                yield json.loads(line)
