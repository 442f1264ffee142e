"""Starting a program on two pipes: its descriptors, its group, its signals, and nothing left when it cannot start."""

from __future__ import annotations

import ast
import os
import signal
import sys
from pathlib import Path

import pytest

from pagemill.browser.cdp.process import start

PROGRAM = """#!{python} -ISu
import os, signal, sys
open_ones = sorted(int(name) for name in os.listdir("/proc/self/fd"))
print("said", file=sys.stderr)
heard = os.read(3, 100)
ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
os.write(4, repr((heard, sys.argv[1:], os.getpgid(0) == os.getpid(), ignored, open_ones, os.environ.get("A"))).encode())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """It answers what it was told, and how it finds itself."""
    file = tmp_path / "program"
    file.write_text(PROGRAM.format(python=sys.executable))
    file.chmod(0o755)
    return file


def test_a_program_gets_its_pipes_and_nothing_else(program: Path, tmp_path: Path) -> None:
    """No descriptor of ours, a group of its own, and SIGINT as usual although it is ignored here."""
    ours = {number for number in _descriptors() if number > 4 and not _is_inheritable(number)}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = start(program, ["--one", "--two"], {"A": "b"}, tmp_path / "output")
    finally:
        signal.signal(signal.SIGINT, before)
    os.write(process.commands, b"hello")
    *found, open_ones, variable = ast.literal_eval(os.read(process.answers, 1000).decode())
    assert found == [b"hello", ["--remote-debugging-pipe", "--one", "--two"], True, False]
    assert variable == "b"
    assert ours and {0, 1, 2, 3, 4} <= set(open_ones)
    assert not (ours - {process.commands, process.answers}) & (set(open_ones) - {5})  # 5 is its own look at the folder
    assert os.waitpid(process.pid, 0)[1] == 0
    process.reap()  # nothing is left to reap, and that is no error
    os.close(process.commands)
    os.close(process.answers)
    assert (tmp_path / "output").read_text() == "said\n"


def _descriptors() -> list[int]:
    return sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir())


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return True  # it was the look at the folder itself


def test_a_program_that_is_none_leaves_no_descriptor(tmp_path: Path) -> None:
    """The caller learns why."""
    before = _descriptors()
    with pytest.raises(FileNotFoundError):
        start(tmp_path / "nowhere", [], {}, tmp_path / "output")
    assert _descriptors() == before
