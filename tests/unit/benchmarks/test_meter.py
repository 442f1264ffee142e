"""The meter counts what a command's whole tree took, the dead and the orphaned with it, and leaves nothing running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.meter import Course, measured

BURN = "import time\nwhile time.process_time() < 0.4: pass\n"
"""Takes 0.4 s of CPU time, start included."""


def run(script: str, folder: Path, timeout_s: float = 30) -> Course:
    """Measures a Python script."""
    command = [sys.executable, "-I", "-S", "-c", script]
    return measured(command, cwd=folder, environment=dict(os.environ), output=folder / "output", timeout_s=timeout_s)


def test_children_and_orphans_count(tmp_path: Path) -> None:
    """One child is waited for, one is left behind by its parent and ends later: three times 0.4 s."""
    script = (
        "import os, subprocess, sys\n"
        f"burn = [sys.executable, '-I', '-S', '-c', {BURN!r}]\n"
        "subprocess.run(burn)\n"
        "if os.fork() == 0:\n"
        "    subprocess.Popen(burn)\n"
        "    os._exit(0)\n"
        "os.wait()\n" + BURN
    )
    course = run(script, tmp_path)
    assert (course.exit_code, course.left_behind) == (0, ())
    assert 1.1 < course.cpu[-1][1] < 2.0
    assert course.cpu_s_between(course.cpu[0][0], course.cpu[-1][0]) == pytest.approx(course.cpu[-1][1])


def test_memory_is_that_of_all_processes(tmp_path: Path) -> None:
    """Two processes with 60 MB each."""
    hold = "kept = bytearray(60_000_000); import time; time.sleep(1.5)"
    script = f"import os\nos.fork()\n{hold}\n"
    course = run(script, tmp_path)
    assert 115 < course.peak_pss_mb() < 200
    assert course.pss_mb_at(course.pss[-1][0]) == course.pss[-1][1]


def test_an_exit_code_and_the_output_are_kept(tmp_path: Path) -> None:
    """So that a failure can be told."""
    assert run("import sys; print('so it is'); sys.exit(7)", tmp_path).exit_code == 7
    assert (tmp_path / "output").read_text() == "so it is\n"


def test_what_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    """The whole tree, not only the command itself."""
    script = "import os, time\nos.fork()\nopen(str(os.getpid()), 'w')\ntime.sleep(60)\n"
    with pytest.raises(TimeoutError, match="did not end within 1 s"):
        run(script, tmp_path, timeout_s=1)
    pids = [int(file.name) for file in tmp_path.iterdir() if file.name.isdecimal()]
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_cpu_time_is_interpolated() -> None:
    """Between two readings it is taken to have passed evenly."""
    start = time.time()
    course = Course(0, ((start, 0.0), (start + 1, 0.5), (start + 2, 2.5)), (), ())
    assert course.cpu_s_between(start + 0.5, start + 1.5) == pytest.approx(1.25)
    assert course.cpu_s_between(start - 5, start + 9) == 2.5
