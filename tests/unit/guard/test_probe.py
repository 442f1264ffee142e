"""Measuring: real processes of our own by role, and a container's files planted in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pagemill.guard import probe
from pagemill.guard.probe import machine_memory, memory_limit_mb, private_mb_by_process, take_sample
from tests.unit.guard.family import family, idle_process

MIB = 1024 * 1024


def test_memory_is_counted_by_role() -> None:
    """Each process of the tree under the name of its part; what has none is `other`."""
    roles = [
        ["--type=renderer", "--lang=ko"],
        ["--type=renderer"],
        ["--type=gpu-process"],
        ["--type=utility", "--utility-sub-type=network"],
        ["--type=zygote"],
        ["--headless", "--user-data-dir=/tmp/profile"],
        ["cli.js", "run-driver"],
        ["--type=something-new"],
        ["ordinary"],
    ]
    with family(roles, mb=20) as pids:
        sample = take_sample(pids[0])
    counted = {role: round(megabytes / 20) for role, megabytes in sample.pss_mb.items() if role != "python"}
    assert counted == {"renderers": 2, "gpu": 1, "utility": 1, "browser": 2, "driver": 1, "other": 2}
    assert 1 < sample.pss_mb["python"] < 20
    assert sample.rss_mb >= sample.pss_mb["python"]
    assert sample.total_pss_mb == pytest.approx(sum(sample.pss_mb.values()))
    assert 9 * 20 < sample.total_pss_mb < 9 * 20 + 150


def test_memory_that_processes_share_is_counted_once() -> None:
    """Two processes on the same 64 MB hold 64 MB together; their RSS would say 128."""
    script = (
        "import os, sys\n"
        "held = b'x' * (64 << 20)\n"
        "reader, writer = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.close(writer)\n"
        "    os.read(reader, 1)\n"
        "    os._exit(0)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
        "os.close(writer)\n"
        "os.wait()\n"
    )
    process = subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        summed_rss_mb = sum(each.memory_info().rss for each in tree) / MIB
        sample = take_sample(process.pid)
    finally:
        process.communicate(timeout=10)
    assert len(tree) == 2
    assert summed_rss_mb > 128
    assert 64 < sample.total_pss_mb < 100


def test_without_a_process_id_it_is_this_one() -> None:
    """A worker measures itself."""
    sample = take_sample()
    assert sample.rss_mb == pytest.approx(psutil.Process().memory_info().rss / MIB, rel=0.2)
    assert 0 < sample.pss_mb["python"] <= sample.rss_mb + 1


def test_processes_that_vanish_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended between the listing and the reading, collected or not: the others are counted all the same."""
    with idle_process("--type=renderer") as collected:
        ended = psutil.Process(collected.pid)
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    unburied = psutil.Process(zombie.pid)
    with idle_process("--type=renderer") as living:
        tree = [psutil.Process(), ended, unburied, psutil.Process(living.pid)]
        monkeypatch.setattr(probe, "_tree", lambda _root: tree)
        sample = take_sample()
    zombie.wait()
    assert sample.pss_mb.keys() == {"python", "renderers"}


def test_private_memory_of_a_process_group() -> None:
    """Every member with what it has for itself; nobody else, and nothing when the group has ended."""
    with family([["one"], ["two"]], mb=20, own_group=True) as pids, idle_process():
        private = private_mb_by_process(os.getpgid(pids[0]))
        assert sorted(private) == sorted(pids)
        assert all(19 < private[pid] < 40 for pid in pids[1:])
        assert private[pids[0]] < 19
        group = pids[0]
    assert private_mb_by_process(group) == {}


def plant(folder: Path, files: dict[str, str]) -> Path:
    """A folder that looks like /sys/fs/cgroup."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return folder


V1_LIMIT, V1_USED = "memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"


@pytest.mark.parametrize(
    ("files", "limit_mb", "percent"),
    [
        ({"memory.max": str(2048 * MIB), "memory.current": str(512 * MIB)}, 2048, 25.0),
        ({V1_LIMIT: str(1024 * MIB), V1_USED: str(1000 * MIB)}, 1024, 97.7),
        ({"memory.max": "max", "memory.current": str(512 * MIB)}, None, None),
        ({V1_LIMIT: "9223372036854771712", V1_USED: str(512 * MIB)}, None, None),
        ({"memory.max": str(2048 * MIB)}, 2048, None),
        ({"memory.current": str(512 * MIB)}, None, None),
        ({"memory.max": "", "memory.current": "none"}, None, None),
        ({}, None, None),
    ],
)
def test_the_containers_limit(
    tmp_path: Path, files: dict[str, str], limit_mb: int | None, percent: float | None
) -> None:
    """Version 2 or 1, unlimited or not readable; without a limit the machine's memory is the limit."""
    cgroups = plant(tmp_path, files)
    machine_mb = psutil.virtual_memory().total // MIB
    assert memory_limit_mb(cgroups) == (machine_mb if limit_mb is None else min(limit_mb, machine_mb))
    assert take_sample(cgroups=cgroups).cgroup_percent == percent


def test_a_limit_above_the_machines_memory_is_none(tmp_path: Path) -> None:
    """Nobody can use memory that is not there."""
    machine_mb = psutil.virtual_memory().total // MIB
    cgroups = plant(tmp_path, {"memory.max": str(10 * machine_mb * MIB)})
    assert memory_limit_mb(cgroups) == machine_mb


def test_shared_memory_in_percent(tmp_path: Path) -> None:
    """Of the file system at that place; nothing where there is none."""
    percent = take_sample(shm=tmp_path).shm_percent
    assert percent is not None
    assert 0 < percent < 100
    assert take_sample(shm=tmp_path / "nowhere").shm_percent is None
    assert take_sample(shm=Path("/proc")).shm_percent is None


def test_what_the_machine_has_left() -> None:
    """Free memory is less than all of it; swap may be none."""
    memory = machine_memory()
    assert 0 < memory.available_mb < psutil.virtual_memory().total // MIB
    assert memory.swap_mb == psutil.swap_memory().total // MIB
