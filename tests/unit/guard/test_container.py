"""What a container allows: planted groups of version 1 and 2, and a real group where this machine lets us make one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import proclimits
import pytest

from pagemill.guard.container import ContainerMemory, container_memory, cores, memory_limit_mb, oom_kills

MIB = 1024 * 1024
MACHINE_MB = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB
V1_NONE = 9223372036854771712


@dataclass
class Groups:
    """A hierarchy of groups in a folder, and this process in one of them."""

    mount: Path
    membership: Path
    version: int

    def enter(self, own: str) -> None:
        """Puts this process into a group."""
        (self.mount / own.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self.membership.write_text(f"0::{own}\n" if self.version == 2 else f"4:memory:{own}\n1:cpu:/\n")

    def limit(self, group: str, limit_mb: int | str, used_mb: int | None = 1, cache_mb: int = 0) -> None:
        """Gives a group a limit, what it uses with its page cache, and how much of that is cache to be dropped."""
        limit = limit_mb if isinstance(limit_mb, str) else str(limit_mb * MIB)
        folder = self.mount / group.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        v2 = self.version == 2
        (folder / ("memory.max" if v2 else "memory.limit_in_bytes")).write_text(f"{limit}\n")
        used = folder / ("memory.current" if v2 else "memory.usage_in_bytes")
        used.unlink(missing_ok=True)
        if used_mb is not None:
            used.write_text(f"{used_mb * MIB}\n")
        prefix = "" if v2 else "total_"
        (folder / "memory.stat").write_text(f"anon 1\n{prefix}inactive_file {cache_mb * MIB}\n")

    def kills(self, group: str, text: str) -> None:
        """What a group's counters say."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        (self.mount / group.lstrip("/") / name).write_text(text)


@pytest.fixture(params=[2, 1], ids=["v2", "v1"])
def groups(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Groups]:
    """A mounted hierarchy of either version; the library is made to look there."""
    version: int = request.param
    mount, mounts, membership = tmp_path / "cgroup", tmp_path / "mountinfo", tmp_path / "membership"
    mount.mkdir()
    filesystem, options = ("cgroup2", "rw") if version == 2 else ("cgroup", "rw,memory")
    mounts.write_text(f"30 23 0:26 / {mount} rw,relatime - {filesystem} cgroup {options}\n")
    (mount / "cgroup.controllers").write_text("cpu memory\n")
    monkeypatch.setattr("proclimits._cgroup._PROC_SELF_MOUNTINFO", mounts)
    monkeypatch.setattr("proclimits._cgroup._PROC_SELF_CGROUP", membership)
    planted = Groups(mount, membership, version)
    planted.enter("/pod/box")
    yield planted
    proclimits.clear_cache()


def test_the_limit_of_the_own_group(groups: Groups) -> None:
    """Page cache that the kernel can drop is not used memory."""
    groups.limit("/pod/box", 1000, used_mb=612, cache_mb=112)
    assert container_memory() == ContainerMemory(limit_mb=1000, used_mb=500)
    assert memory_limit_mb() == 1000


def test_the_tightest_limit_of_the_chain(groups: Groups) -> None:
    """It is often not the own group's."""
    groups.limit("/pod/box", 1000, used_mb=200)
    groups.limit("/pod", 800, used_mb=700, cache_mb=100)
    assert container_memory() == ContainerMemory(limit_mb=800, used_mb=600)
    assert memory_limit_mb() == 800


def test_what_is_left_at_the_fullest_level(groups: Groups) -> None:
    """A wider limit shared with others may be nearer: so much less can still be taken."""
    groups.limit("/pod/box", 800, used_mb=200)
    groups.limit("/pod", 1000, used_mb=900)
    assert container_memory() == ContainerMemory(limit_mb=800, used_mb=700)


@pytest.mark.parametrize("limit", ["max", str(V1_NONE), str(2 * MACHINE_MB * MIB)])
def test_no_limit_below_the_machines_memory_is_none(groups: Groups, limit: str) -> None:
    """Version 2 writes `max`, version 1 an absurd number; and nobody can use memory that is not there."""
    groups.limit("/pod/box", limit, used_mb=500)
    assert container_memory() is None
    assert memory_limit_mb() == pytest.approx(MACHINE_MB, rel=0.01)


def test_a_limit_whose_use_is_not_told_still_holds(groups: Groups) -> None:
    """There is no percentage then, but what may be used is known."""
    groups.limit("/pod", 700, used_mb=None)
    groups.limit("/pod/box", 900)
    assert container_memory() is None
    assert memory_limit_mb() == 700


def test_outside_any_group(groups: Groups) -> None:
    """As on a machine without cgroups: the machine is the limit, and nobody counts kills."""
    groups.membership.unlink()
    assert container_memory() is None
    assert memory_limit_mb() == pytest.approx(MACHINE_MB, rel=0.01)
    assert oom_kills() == 0


def test_changes_are_noticed(groups: Groups) -> None:
    """A limit written anew, and a process moved into another group."""
    groups.limit("/pod/box", 1000)
    assert container_memory() == ContainerMemory(1000, 1)
    groups.limit("/pod/box", 900)
    assert container_memory() == ContainerMemory(900, 1)
    groups.limit("/elsewhere", 500)
    groups.enter("/elsewhere")
    assert container_memory() == ContainerMemory(500, 1)
    assert memory_limit_mb() == 500


@pytest.mark.parametrize(("own", "pod", "v2", "v1"), [(0, 0, 0, 0), (2, 3, 3, 5), (2, 2, 2, 4), (0, 1, 1, 1)])
def test_kills_where_the_limit_is(groups: Groups, own: int, pod: int, v2: int, v1: int) -> None:
    """Version 2 repeats a kill at every level above the victim, version 1 counts it in the victim's group only."""
    groups.limit("/pod/box", 2000)
    groups.limit("/pod", 1000)
    groups.kills("/pod/box", f"low 0\noom 9\noom_kill {own}\n")
    groups.kills("/pod", f"oom_kill_disable 0\nunder_oom 0\noom_kill {pod}\n")
    assert oom_kills() == (v2 if groups.version == 2 else v1)


def test_kills_at_one_level_count_once(groups: Groups) -> None:
    """The own group may carry the limit itself, or there may be none."""
    groups.limit("/pod/box", 1000)
    groups.kills("/pod/box", "oom_kill 3\n")
    assert oom_kills() == 3
    groups.limit("/pod/box", str(V1_NONE))
    assert oom_kills() == 3


@pytest.mark.parametrize("text", ["", "oom_kill\n", "oom_kill many\n", "under_oom 0\n"])
def test_kills_that_are_not_told_are_none(groups: Groups, text: str) -> None:
    """Old kernels have no such counter."""
    groups.limit("/pod/box", 1000)
    groups.kills("/pod/box", text)
    assert oom_kills() == 0


def test_a_limit_of_nothing_is_full() -> None:
    """Zero is a limit."""
    assert ContainerMemory(limit_mb=0, used_mb=0).percent == 100
    assert ContainerMemory(limit_mb=2048, used_mb=512).percent == 25
    assert ContainerMemory(limit_mb=3, used_mb=1).percent == 33.3


@pytest.fixture
def real_group() -> Iterator[Path]:
    """A group of version 1 below this process' own, so that it stays within whatever limits that."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((path for _, names, path in (line.split(":", 2) for line in lines) if names == "memory"), None)
    above = Path(f"/sys/fs/cgroup/memory/{(own or '/').lstrip('/')}")
    if own is None or not (above / "memory.limit_in_bytes").exists():
        pytest.skip("memory is not counted by groups of version 1 here")
    group = above / f"pagemill-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        if os.environ.get("CI") and os.geteuid() == 0 and not os.statvfs(above).f_flag & os.ST_RDONLY:
            pytest.fail(f"no group can be made: {error}, and CI must not skip")
        pytest.skip(f"no group can be made: {error}")
    try:
        yield group
    finally:
        with suppress(OSError):
            group.rmdir()


INSIDE = """
import json, os, signal, sys
from pathlib import Path
group = Path(sys.argv[1])
(group / "cgroup.procs").write_text(str(os.getpid()))
from pagemill.guard.container import container_memory, memory_limit_mb, oom_kills
said = {}
def say(name):
    memory = container_memory()
    said[name] = [memory.limit_mb, memory.used_mb, memory_limit_mb(), oom_kills()]
say("at first")
held = b"x" * (40 << 20)
say("with 40 MB more")
(group / "memory.limit_in_bytes").write_text(str(160 << 20))
say("with another limit")
victim = os.fork()
if victim == 0:
    Path("/proc/self/oom_score_adj").write_text("1000")
    taken = b"x" * (400 << 20)
    os._exit(0)
_, status = os.waitpid(victim, 0)
assert os.WTERMSIG(status) == signal.SIGKILL, status
say("after a kill")
print(json.dumps(said))
"""


def test_a_real_group(real_group: Path) -> None:
    """What a process in it sees: its limit as it is now, what it uses, and that the kernel killed its child."""
    (real_group / "memory.limit_in_bytes").write_text(str(256 * MIB))
    (real_group / "memory.swappiness").write_text("0")
    child = subprocess.run(
        [sys.executable, "-c", INSIDE, str(real_group)], capture_output=True, text=True, timeout=50, check=False
    )
    assert child.returncode == 0, child.stderr
    said: dict[str, list[float]] = json.loads(child.stdout)
    limits = {name: (limit, allowed, kills) for name, (limit, _, allowed, kills) in said.items()}
    assert limits == {
        "at first": (256, 256, 0),
        "with 40 MB more": (256, 256, 0),
        "with another limit": (160, 160, 0),
        "after a kill": (160, 160, 1),
    }
    used = {name: used for name, (_, used, _, _) in said.items()}
    assert 38 < used["with 40 MB more"] - used["at first"] < 50
    assert used["at first"] < 60


@pytest.mark.parametrize(
    ("quota", "machine", "expected"),
    [(None, 8, 8), (1.5, 8, 2), (0.3, 8, 1), (16.0, 8, 8)],
)
def test_cores_are_those_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, machine: int, expected: int
) -> None:
    """The container's quota, or what this process may run on where that is less; never none."""
    monkeypatch.setattr(proclimits, "get_cpu_limit", lambda: quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(machine)))
    assert cores() == expected
