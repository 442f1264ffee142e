"""A program that works products off as a worker does: a pool on a real Chromium, lanes, and the guard's quick look.

It stands in a process of its own, so that what Python takes is nobody else's. It reads one job a line from its input,
`[{"platform": {...}, "products": [[id, url, {...}], ...]}, ...]`, works all batches of it off at once, each on one
lane, and writes one line: the results of each batch, how much memory Python had at its largest, and how long at most
its event loop, which all lanes share, stood still.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any, cast

from pagemill.browser.cdp.launcher import CdpLauncher
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine, find_chromium
from pagemill.browser.opener import Opener
from pagemill.browser.playwright_launcher import PlaywrightLauncher
from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.config.settings import BrowserSettings, PoolSettings
from pagemill.engine.job_state import JobState
from pagemill.engine.lane import Lane, Stations
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.strategy_registry import StrategyRegistry
from pagemill.guard.probe import private_mb_by_process
from pagemill.guard.process_tree import ProcessTree
from pagemill.guard.process_watch import ProcessWatch
from pagemill.guard.sidecar import Chore, Sidecar
from pagemill.model import Batch, ItemResult, Product
from pagemill.pacing.turns import Turns
from pagemill.telemetry.logging import set_up_logging
from tests.unit.pacing.stand_in_pace import StandInPace

LANES = 3
HEAP_MB, RENDERER_MB = 512, 700
"""What a page's JavaScript and its process may take."""
_TICK_S = 0.01
_LAUNCHERS = {"playwright": PlaywrightLauncher, "protocol": CdpLauncher}


class _Lag:
    """The longest time for which the loop did nothing else."""

    def __init__(self) -> None:
        self.most_s = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await asyncio.sleep(_TICK_S)
            self.most_s = max(self.most_s, loop.time() - began_s - _TICK_S)

    def end(self) -> float:
        """What it was, in seconds."""
        self._task.cancel()
        return self.most_s


async def work(pool: BrowserPool, batches: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """One job."""
    platforms = [Platform.model_validate(batch["platform"]) for batch in batches]
    strategies = StrategyRegistry(platforms)
    strategies.load_all()
    results: list[list[ItemResult]] = []
    lanes = []
    for number, (platform, batch) in enumerate(zip(platforms, batches, strict=True)):
        results.append([])
        stations = Stations(
            pool=pool,
            turns=Turns(StandInPace()),
            artifacts=ArtifactStore(folder / "artifacts", 10, 10_000_000),
            strategies=strategies,
            deliver=results[number].append,
            worker="test",
            proxies=pool.proxies,
        )
        products = tuple(Product(*product) for product in batch["products"])
        state = JobState(Batch("run", "b", platform.platform, products), platform, deque(products), asyncio.Event())
        lanes.append(Lane(0, state, stations).run())
    _forget_peak()
    lag = _Lag()
    await asyncio.gather(*lanes)
    told = {"results": [[_told(one) for one in batch] for batch in results], "peak_mb": _peak_mb(), "lag_s": lag.end()}
    strategies.close()
    return told


def _told(result: ItemResult) -> dict[str, Any]:
    return {"verdict": result.verdict.value, "reason": result.reason, "facts": dict(result.facts)}


async def main(driver: str, browser_mb: int) -> None:
    """Works jobs off until there are no more; Chromium's main process, or the driver, may take so much."""
    folder = Path(os.environ["TMPDIR"])
    settings = PoolSettings(relaunch_backoff_s=0.05)
    options = launch_options(BrowserSettings(), examine_machine(), LANES, frozenset({"image"}), HEAP_MB)
    chromium = find_chromium(Path(os.environ["PAGEMILL_CHROMIUM"]) if "PAGEMILL_CHROMIUM" in os.environ else None)
    launcher = _LAUNCHERS[driver](chromium, options, settings)
    pool = BrowserPool(cast(Opener, launcher), settings, LANES, measure=private_mb_by_process)
    await pool.open()
    loop = asyncio.get_running_loop()
    watch = ProcessWatch(ProcessTree(os.getpid()).members, RENDERER_MB, browser_mb)
    sidecar = Sidecar()
    sidecar.add(Chore("watch", 1.0, lambda: loop.call_soon_threadsafe(pool.note_sizes, watch.look())))
    sidecar.start()
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await work(pool, json.loads(line), folder)), flush=True)
    finally:
        sidecar.stop()
        await pool.close()


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    set_up_logging("json")
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
