"""Lanes in a process of their own, as the tests see them: jobs in, results and sizes out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pagemill.guard.probe import take_sample

_REPOSITORY = Path(__file__).parents[3]
_SAMPLE_S = 0.2
_END_S = 20.0
_LONGEST_LINE = 1 << 26


@dataclass(frozen=True)
class Result:
    """What became of one product."""

    verdict: str
    reason: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Worked:
    """What became of a job."""

    batches: list[list[Result]]
    peak_mb: float
    """Of Python alone."""
    lag_s: float
    tree_mb: float
    """Of all its processes together, shared memory counted once; 0 where that was not measured."""


@dataclass
class Lanes:
    """A running program of `lane_process`."""

    process: asyncio.subprocess.Process
    log: Path
    _at_work: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    @asynccontextmanager
    async def open(cls, driver: str, folder: Path, browser_mb: int = 1500) -> AsyncIterator[Self]:
        """Starts it; it is killed when it does not end in time. `browser_mb`: see `lane_process.main`."""
        log = folder / "log.txt"
        environment = {**os.environ, "TMPDIR": str(folder)}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (*sys.path, str(_REPOSITORY))))
        with log.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.browser.hostile.lane_process",
                driver,
                str(browser_mb),
                cwd=_REPOSITORY,
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                limit=_LONGEST_LINE,
            )
        try:
            yield cls(process, log)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _END_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def work(
        self, *batches: tuple[dict[str, Any], Sequence[tuple[str, str, dict[str, Any]]]], measured: bool = False
    ) -> Worked:
        """Has batches worked off at once, each on a lane of its own.

        Args:
            batches: a platform, and its products as id, address and what is expected.
            measured: whether to measure all its processes all the while.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        job = [{"platform": platform, "products": products} for platform, products in batches]
        self.process.stdin.write((json.dumps(job) + "\n").encode())
        sizes: list[float] = [0.0]
        measuring = asyncio.create_task(self._measure(sizes)) if measured else None
        try:
            line = await self.process.stdout.readline()
        finally:
            if measuring is not None:
                measuring.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await measuring
        assert line, self.log.read_text()[-3000:]
        told = json.loads(line)
        results = [[Result(**one) for one in batch] for batch in told["results"]]
        return Worked(results, told["peak_mb"], told["lag_s"], max(sizes))

    async def _measure(self, sizes: list[float]) -> None:
        while True:
            sample = await asyncio.to_thread(take_sample, self.process.pid)
            sizes.append(sample.total_pss_mb)
            await asyncio.sleep(_SAMPLE_S)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it has logged under that name."""
        records = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [record for record in records if record.get("event") == name]
