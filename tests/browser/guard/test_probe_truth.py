"""What the probe says about a real Chromium is what the kernel says, and saying it is cheap."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pagemill.guard.probe import Probe
from pagemill.guard.process_tree import ProcessTree
from tests.browser.guard.conftest import Undriven
from tests.browser.pool.real_pool import group_members, local_platform, real_pool, until, visit
from tests.browser.pool.watched_server import WatchedServer, script

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
HEAVY = "window.kept = []; for (let i = 0; i < 30; i++) kept.push(Array(131072).fill(i + .5))"


def pss_by_hand(pid: int) -> float:
    """The sum over every mapping that the kernel lists, in MB; 0 for a process that has gone."""
    with contextlib.suppress(OSError):
        return sum(map(int, re.findall(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps").read_text(), re.M))) / 1024
    return 0.0


def cheapest_s(work: Callable[[], object], times: int = 10) -> float:
    """CPU time of the cheapest of several: others use this machine's caches too."""
    taken = []
    for _ in range(times):
        before_s = time.process_time()
        work()
        taken.append(time.process_time() - before_s)
    return min(taken)


async def test_a_working_pool(executable: Path, temporary: Path, server: WatchedServer) -> None:
    """Four lanes: the sums are the kernel's, summed RSS would be far off, and a look every 5 s costs below 1 %."""
    server.replies["/heavy"] = script(HEAVY)
    platform = local_platform(page=100, context=1000)
    async with real_pool(executable, temporary, 4) as real:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(4):
                lease = await stack.enter_async_context(real.pool.lease(platform))
                await lease.page.goto(server.shop("/heavy"), wait_until="load", timeout=10_000)
            await asyncio.sleep(0.5)
            probe = Probe(2048, temporary)
            first = sample = probe.sample()
            # Other browsers on the machine come and go, and what is shared with them is shared anew: a quiet moment is
            # needed to compare.
            for _ in range(20):
                pids = [member.pid for member in probe.tree.members()]
                by_hand_mb = sum(map(pss_by_hand, pids))
                by_psutil_mb = sum(psutil.Process(pid).memory_full_info().pss for pid in pids) / MIB
                before, sample = sample, probe.sample()
                if sample.total_pss_mb == pytest.approx(before.total_pss_mb, rel=0.01):
                    break
                await asyncio.sleep(0.2)
            summed_rss_mb = sum(psutil.Process(pid).memory_info().rss for pid in pids) / MIB
            rollups_s = cheapest_s(lambda: sum(map(pss_by_hand, pids)))
            sample_s, members_s = cheapest_s(probe.sample), cheapest_s(probe.tree.members)
        assert await visit(real.pool, platform, server.shop("/usable")) == "usable"
    assert sample.total_pss_mb == pytest.approx(by_hand_mb, rel=0.03)
    assert sample.total_pss_mb == pytest.approx(by_psutil_mb, rel=0.03)
    assert summed_rss_mb > 1.2 * sample.total_pss_mb
    assert sample.processes["renderers"] >= 4
    assert sample.processes["driver"] == sample.processes["python"] == 1
    assert sample.processes["browser"] >= 2  # and a zygote
    assert sample.pss_mb["renderers"] > 4 * 30
    assert sample.memory_percent == pytest.approx(100 * sample.total_pss_mb / 2048, abs=0.2)
    assert 0 < first.temporary_mb < 100
    # The kernel's own sums are what a sample costs, and a quick look goes without them.
    assert sample_s < 2 * rollups_s
    assert members_s < rollups_s / 5


async def test_an_orphaned_browser_still_counts(undriven: Undriven) -> None:
    """Whoever started it was killed, so that it is nobody's child here: every process counts until it has ended."""
    tree = ProcessTree(os.getpid())
    before = {member.pid: member.role for member in tree.members() if member.group == undriven.group}
    assert {"browser", "renderers"} <= set(before.values())
    undriven.orphan()
    after = {member.pid: member.role for member in tree.members() if member.group == undriven.group}
    assert after == before
    fresh = ProcessTree(os.getpid())
    assert not any(member.group == undriven.group for member in fresh.members()), "it should be nobody's child"
    undriven.kill()
    assert await until(lambda: not group_members(undriven.group))
    # Those that init has not waited for yet are still told of, as ended ones.
    assert {member.state for member in tree.members() if member.group == undriven.group} <= {"Z"}
