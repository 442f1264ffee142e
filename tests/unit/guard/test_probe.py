"""Measuring: real processes of our own by role, and planted folders in place of /proc."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pagemill.guard import probe as module
from pagemill.guard.container import ContainerMemory
from pagemill.guard.probe import EngineReading, Probe, Sample, machine_memory, take_sample
from pagemill.guard.process_tree import Member, ProcessTree
from tests.unit.guard.family import PlantedProc, family, idle_process

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
    assert sample.processes == {**counted, "python": 1}
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
    """A worker measures itself, and everything has a value."""
    sample = take_sample()
    process = psutil.Process()
    assert sample.rss_mb == pytest.approx(process.memory_info().rss / MIB, rel=0.2)
    assert 0 < sample.pss_mb["python"] <= sample.rss_mb + 1
    assert sample.pss_mb["python"] == pytest.approx(process.memory_full_info().pss / MIB, rel=0.1)
    assert abs(sample.descriptors - process.num_fds()) <= 1
    assert sample.descriptor_limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert 0 < sample.machine_percent < 100
    assert sample.memory_percent is not None and 0 <= sample.memory_percent < 100
    assert sample.python.blocks > 1000
    assert sample.oom_kills >= 0


USER = "while time.process_time() < 0.6: sum(range(100_000))"
"""Burns CPU time in Python itself."""
KERNEL = "while time.process_time() < 0.6: zeros.readinto(room)"
"""Burns it in the kernel: 8 MB of zeros in each call."""
BURNER = """
import sys, time
zeros, room = open("/dev/zero", "rb", buffering=0), bytearray(8 << 20)
{burn}
print(flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("burn", "share"), [(USER, (0.0, 0.4)), (KERNEL, (0.6, 1.0))])
def test_cpu_time_of_the_kernel_is_told_apart(burn: str, share: tuple[float, float]) -> None:
    """Of a real process that counts, and of one that has the kernel copy."""
    command = [sys.executable, "-S", "-c", BURNER.format(burn=burn)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        sample = take_sample(process.pid)
    assert 0.5 <= sample.cpu_s < 5
    assert share[0] <= sample.cpu_system_s / sample.cpu_s <= share[1]


@pytest.fixture
def proc(tmp_path: Path) -> PlantedProc:
    """A worker, process 100: 60 MB of Python, a driver, a browser, two renderers."""
    folder = tmp_path / "proc"
    folder.mkdir()
    planted = PlantedProc(folder)
    planted.add(100, 1, "python")
    planted.add(110, 100, "node run-driver", private_mb=45)
    planted.add(120, 110, "chromium --headless")
    planted.add(121, 120, "chromium --type=renderer", private_mb=77)
    planted.add(122, 120, "chromium --type=renderer")
    planted.add_sums(100, rss_kb=80 * 1024, pss_kb=60 * 1024, swap_kb=1024)
    planted.add_sums(110, rss_kb=90 * 1024, pss_kb=50 * 1024)
    planted.add_sums(120, rss_kb=99 * 1024, pss_kb=40 * 1024, swap_kb=2048)
    planted.add_sums(121, rss_kb=99 * 1024, pss_kb=80 * 1024, swap_kb=512)
    planted.add_sums(122, rss_kb=99 * 1024, pss_kb=20 * 1024)
    return planted


def a_probe(proc: PlantedProc, limit_mb: float = 1000) -> Probe:
    return Probe(limit_mb, tree=ProcessTree(100, proc=proc.folder))


def test_the_kernels_sums(proc: PlantedProc) -> None:
    """PSS by role, the root's RSS, and what of the tree is swapped out, shared swap shared."""
    sample = a_probe(proc).sample()
    assert sample.pss_mb == {"browser": 40, "driver": 50, "python": 60, "renderers": 100}
    assert sample.total_pss_mb == 250
    assert (sample.rss_mb, sample.swap_mb) == (80, 3.5)
    assert sample.processes == {"browser": 1, "driver": 1, "python": 1, "renderers": 2}


@pytest.mark.parametrize(("limit_mb", "percent"), [(1000, 25.0), (250, 100.0), (100, 250.0), (0, None)])
def test_the_workers_share_of_its_limit(proc: PlantedProc, limit_mb: int, percent: float | None) -> None:
    """Of the limit that the probe was given."""
    assert a_probe(proc, limit_mb).sample().memory_percent == percent


def test_where_the_kernel_gives_no_sums(proc: PlantedProc) -> None:
    """Then at least what a process has for itself counts."""
    (proc.folder / "110/smaps_rollup").unlink()
    (proc.folder / "121/smaps_rollup").write_text("")
    sample = a_probe(proc).sample()
    assert sample.pss_mb == {"browser": 40, "driver": 45, "python": 60, "renderers": 77 + 20}


def test_ended_processes_that_nobody_waited_for(proc: PlantedProc) -> None:
    """They are counted apart, and hold nothing."""
    proc.add(122, 120, "", state="Z")
    proc.add(123, 120, "", state="Z")
    sample = a_probe(proc).sample()
    assert sample.zombies == 2
    assert sample.processes == {"browser": 1, "driver": 1, "python": 1, "renderers": 1}
    assert sample.pss_mb["renderers"] == 80


class _WithGhost(ProcessTree):
    """Tells of one process more than there is."""

    def members(self) -> list[Member]:
        return [*super().members(), Member(999_999_999, 100, "gpu", "S", 1, 1, 50.0)]


def test_processes_that_vanish_are_gone(proc: PlantedProc) -> None:
    """Ended between the listing and the reading: the others are counted all the same."""
    sample = Probe(1000, tree=_WithGhost(100, proc=proc.folder)).sample()
    assert sample.pss_mb == {"browser": 40, "driver": 50, "python": 60, "renderers": 100}


def test_real_zombies_and_vanished_processes() -> None:
    """The same with real ones: one ended and not waited for, one gone, one living."""
    with idle_process("--type=renderer") as gone:
        pass
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    with idle_process("--type=renderer"):
        tree = ProcessTree(os.getpid())
        sample = Probe(1000, tree=tree).sample()
    zombie.wait()
    assert gone.returncode == 0
    assert sample.zombies == 1
    assert sample.processes == {"python": 1, "renderers": 1}
    assert sample.pss_mb.keys() == {"python", "renderers"}


def test_open_files_and_their_limit(proc: PlantedProc) -> None:
    """Of the root only."""
    for name in ("0", "1", "17"):
        (proc.folder / "100/fd").mkdir(exist_ok=True)
        (proc.folder / "100/fd" / name).write_text("")
    limits = proc.folder / "100/limits"
    limits.write_text("Limit   Soft Limit  Hard Limit  Units\nMax open files   1024   4096   files\n")
    probe = a_probe(proc)
    assert (probe.sample().descriptors, probe.sample().descriptor_limit) == (3, 1024)
    limits.write_text("Max open files   unlimited   unlimited   files\n")
    assert probe.sample().descriptor_limit is None
    limits.unlink()
    assert probe.sample().descriptor_limit is None


def test_more_open_files_are_noticed() -> None:
    """Ten more are ten more."""
    probe = Probe(1000)
    before = probe.sample().descriptors
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
    try:
        assert probe.sample().descriptors == before + 10
    finally:
        for descriptor in opened:
            os.close(descriptor)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the container says; changed by the test."""
    said: dict[str, object] = {"memory": None, "kills": 0}
    monkeypatch.setattr(module, "container_memory", lambda: said["memory"])
    monkeypatch.setattr(module, "oom_kills", lambda: said["kills"])
    return said


def test_what_the_container_says(proc: PlantedProc, container: dict[str, object]) -> None:
    """Its percentage, or none without a limit, and the kernel's kills."""
    probe = a_probe(proc)
    sample = probe.sample()
    assert (sample.cgroup_percent, sample.oom_kills) == (None, 0)
    assert sample.cgroup_limit_mb is None
    assert sample.machine_mb == pytest.approx(psutil.virtual_memory().total / MIB, abs=1)
    container.update(memory=ContainerMemory(limit_mb=2048, used_mb=1536), kills=2)
    sample = probe.sample()
    assert (sample.cgroup_percent, sample.oom_kills) == (75.0, 2)
    assert sample.cgroup_limit_mb == 2048


def test_what_the_engine_says(proc: PlantedProc) -> None:
    """Each sample takes its latest; without an engine nothing is known."""
    readings = [EngineReading(120.5, 44.0, 0.25, 0.1), EngineReading(loop_lag_s=3.0)]
    probe = Probe(1000, engine=lambda: readings.pop(0), tree=ProcessTree(100, proc=proc.folder))
    first, second, none = probe.sample(), probe.sample(), a_probe(proc).sample()
    assert (first.js_heap_mb, first.largest_js_heap_mb) == (120.5, 44.0)
    assert (first.loop_lag_s, first.standstill_s, second.standstill_s) == (0.25, 0.1, 0.0)
    assert (second.js_heap_mb, second.largest_js_heap_mb, second.loop_lag_s) == (None, None, 3.0)
    assert (none.js_heap_mb, none.largest_js_heap_mb, none.loop_lag_s) == (None, None, 0.0)


def fill(folder: Path, files: int, kb: int = 1024) -> None:
    folder.mkdir(parents=True)
    for number in range(files):
        (folder / f"file{number}").write_bytes(os.urandom(kb * 1024))


def test_temporary_files(proc: PlantedProc, tmp_path: Path) -> None:
    """What they take on disk at any depth: not what they pretend to be, and not what links lead to."""
    scratch = tmp_path / "scratch"
    fill(scratch, 2)
    fill(scratch / "profile/cache", 3)
    fill(tmp_path / "elsewhere", 5)
    (scratch / "link").symlink_to(tmp_path / "elsewhere")
    with (scratch / "sparse").open("wb") as file:
        file.truncate(500 * MIB)
    probe = Probe(1000, scratch, tree=ProcessTree(100, proc=proc.folder))
    assert probe.sample().temporary_mb == pytest.approx(5, abs=0.3)
    assert Probe(1000, tmp_path / "nowhere", tree=ProcessTree(100, proc=proc.folder)).sample().temporary_mb == 0
    assert a_probe(proc).sample().temporary_mb == 0


def test_temporary_files_are_looked_at_now_and_then(proc: PlantedProc, tmp_path: Path) -> None:
    """In every sixth sample; the others repeat what it found."""
    scratch = tmp_path / "scratch"
    fill(scratch / "a", 2)
    probe = Probe(1000, scratch, tree=ProcessTree(100, proc=proc.folder))
    first = probe.sample().temporary_mb
    fill(scratch / "b", 2)
    later = [probe.sample().temporary_mb for _ in range(6)]
    assert first == pytest.approx(2, abs=0.3)
    assert later[:5] == [first] * 5
    assert later[5] == pytest.approx(4, abs=0.3)


def test_only_so_many_temporary_files_are_looked_at(proc: PlantedProc, tmp_path: Path) -> None:
    """A folder with a million of them must not hold up the measuring."""
    scratch = tmp_path / "scratch"
    fill(scratch, 20, kb=100)
    probe = Probe(1000, scratch, tree=ProcessTree(100, proc=proc.folder), scratch_entries=10)
    assert probe.sample().temporary_mb == pytest.approx(1, abs=0.1)


def test_shared_memory_in_percent(tmp_path: Path) -> None:
    """Of the file system at that place; nothing where there is none."""
    percent = take_sample(shm=tmp_path).shm_percent
    assert percent is not None
    assert 0 < percent < 100
    assert take_sample(shm=tmp_path / "nowhere").shm_percent is None
    assert take_sample(shm=Path("/proc")).shm_percent is None


def test_a_sample_may_be_partial() -> None:
    """Whoever judges samples can write one down with four values."""
    sample = Sample(rss_mb=80.0, pss_mb={"python": 70.0, "gpu": 5.0}, shm_percent=None, cgroup_percent=None)
    assert (sample.total_pss_mb, sample.memory_percent, sample.machine_percent) == (75.0, None, 0.0)
    assert (sample.processes, sample.python.blocks, sample.loop_lag_s) == ({}, 0, 0.0)


def test_what_the_machine_has_left() -> None:
    """Free memory is less than all of it; swap may be none."""
    memory = machine_memory()
    assert 0 < memory.available_mb < psutil.virtual_memory().total // MIB
    assert memory.swap_mb == psutil.swap_memory().total // MIB
