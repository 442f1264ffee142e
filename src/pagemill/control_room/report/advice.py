"""The recommendations of a report. Pure: figures in, sentences out."""

from __future__ import annotations

from collections.abc import Sequence

from pagemill.alerting.alert import GRAVE
from pagemill.config.remedies import ANY_PLATFORM, Remedy
from pagemill.control_room.figures.trend import trend_of
from pagemill.control_room.report.models import FleetFigures, ResultFigures, RunLine
from pagemill.model import Verdict
from pagemill.results.runs import broke_off

_MANY_BLOCKED = 0.05
_MANY_FAILED = 0.05
_MANY_RETRIED = 0.1
_SLOW_S = 10.0
_GROWTH_PERCENT = 25.0
FINE = "Nothing stands out: verdicts, times and memory are as they should be."


def report_advice(results: ResultFigures, fleet: FleetFigures, runs: Sequence[RunLine] = ()) -> tuple[str, ...]:
    """The sentences, most pressing first; if all is well, one that says so."""
    broken = [f"Run {each.run} is incomplete: {broke_off(each.products or 0)}." for each in runs if each.broken_off]
    found = [*broken, *_on_results(results), *_on_fleet(fleet)]
    if not results.products:
        return (*found, "No product got a verdict in this time.")
    return tuple(found) or (FINE,)


def _on_results(results: ResultFigures) -> list[str]:
    if not results.products:
        return []
    found = []
    shares = {name: count / results.products for name, count in results.verdicts.items()}
    blocked, failed = shares.get(Verdict.BLOCKED, 0.0), shares.get(Verdict.FAILED, 0.0)
    if blocked >= _MANY_BLOCKED:
        found.append(f"{blocked:.1%} of the products were blocked: {Remedy.BLOCKED}.")
    if failed >= _MANY_FAILED:
        found.append(f"{failed:.1%} of the products failed: {Remedy.FAILED.format(platform=ANY_PLATFORM)}.")
    if results.retried / results.products >= _MANY_RETRIED:
        retried = results.retried / results.products
        found.append(f"{retried:.1%} of the products took more than one attempt: {Remedy.RETRIED}.")
    if results.times.p95_s >= _SLOW_S:
        found.append(f"One product in twenty took {results.times.p95_s:.0f} s or longer: {Remedy.SLOW}.")
    return found


def _on_fleet(fleet: FleetFigures) -> list[str]:
    found = []
    grave = sum(alert.level in GRAVE for alert in fleet.alerts)
    if grave:
        found.append(f"{grave} alerts were critical: see the list of alerts.")
    growth = trend_of([point.total_mb for point in fleet.memory])
    if growth.change_percent >= _GROWTH_PERCENT:
        found.append(
            f"Memory rose by {growth.change_percent:.0f}% from the first to the last third of the time: "
            f"{Remedy.GROWING}."
        )
    return found
