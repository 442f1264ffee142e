"""Is a worker that has worked for long as fast as a fresh one? The two take turns, minutes apart, on the same machine.

A machine's own speed moves within a quarter of an hour by more than what is looked for. So a run's beginning is no
yardstick for its end: a fresh worker at the same time is. While one of the two works, the other waits.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.workshop import PLATFORM, Course, FreshTurn, Plan, end, read, set_up
from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import ItemResult
from tests.e2e.workplace import Workplace

_MEASURED = 240
"""Products of each turn: some twenty seconds of work."""
_WARM_UP = 80
"""What a fresh worker does before: its first pages are slow."""
_END_S = 60.0


def carry_out_in_turns(plan: Plan, shop: StorefrontProcess, folder: Path) -> Course:
    """The plan's products by one worker, in `plan.turns` legs; after each, both workers do the same products in turn.

    Raises:
        AssertionError: some products have no result in time.
    """
    place = Workplace(folder / "old")
    set_up(plan, place)
    rows = list(generate(PLATFORM, shop.base_url, plan.products, leak_kb=plan.leak_kb, weight=plan.weight))
    leg = plan.products // plan.turns
    results: list[ItemResult] = []
    pauses: list[tuple[float, float]] = []
    turns: list[FreshTurn] = []
    with place.worker("--platform", PLATFORM) as worker:
        for number in range(plan.turns):
            of_leg = rows[number * leg : (number + 1) * leg if number + 1 < plan.turns else None]
            work, measured = of_leg[:-_MEASURED], of_leg[-_MEASURED:]
            results += _work_off(plan, place, work)
            rates: dict[str, float] = {}
            for who in ("old", "fresh") if number % 2 else ("fresh", "old"):
                if who == "old":
                    done = _work_off(plan, place, measured)
                    results += done
                    rates[who] = _per_s(done)
                else:
                    since_s = time.time()
                    rates[who] = _by_fresh(plan, shop, folder / f"fresh-{number}", measured)
                    pauses.append((since_s, time.time()))
            turns.append(FreshTurn(len(results), round(rates["old"], 2), round(rates["fresh"], 2)))
        worker.terminate()
        code = worker.wait(_END_S)
        end(worker)
    return read(plan, place, rows, results, f"the worker ended with code {code}" if code else "", pauses, turns)


def _work_off(plan: Plan, place: Workplace, rows: list[CatalogueRow]) -> list[ItemResult]:
    run = place.enqueue(PLATFORM, rows)
    place.wait_for(run, len(rows), plan.deadline_s)
    return place.results(run)


def _by_fresh(plan: Plan, shop: StorefrontProcess, folder: Path, rows: list[CatalogueRow]) -> float:
    place = Workplace(folder)
    set_up(plan, place)
    warming = list(generate(PLATFORM, shop.base_url, _WARM_UP, seed=1, leak_kb=plan.leak_kb, weight=plan.weight))
    with place.worker("--platform", PLATFORM) as worker:
        _work_off(plan, place, warming)
        done = _work_off(plan, place, rows)
        worker.terminate()
        worker.wait(_END_S)
    return _per_s(done)


def _per_s(results: list[ItemResult]) -> float:
    """Between the first result and the last: what a start or an end cost is not counted."""
    times = sorted(result.finished_at.timestamp() for result in results)
    return (len(times) - 1) / (times[-1] - times[0])
