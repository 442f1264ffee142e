"""Processes with parts to play: real ones that carry the words of a browser's in their command, and planted ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CHILD = "held = b'x' * ({mb} << 20); print('ready', flush=True); import sys; sys.stdin.read()"
_PARENT = """
import subprocess, sys
children = [
    subprocess.Popen([sys.executable, '-S', '-c', {child!r}, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for words in {roles!r}
]
for child in children:
    child.stdout.readline()
print(*[child.pid for child in children], flush=True)
sys.stdin.read()
for child in children:
    child.communicate()
"""


@contextmanager
def family(roles: Sequence[Sequence[str]], *, mb: int = 20, own_group: bool = False) -> Iterator[list[int]]:
    """Process ids of a parent and of one child for each role, each child with so much memory of its own.

    The processes end when their standard input does, however the block is left.
    """
    script = _PARENT.format(child=_CHILD.format(mb=mb), roles=[list(words) for words in roles])
    parent = subprocess.Popen(
        [sys.executable, "-S", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=own_group,
    )
    try:
        assert parent.stdout is not None
        yield [parent.pid, *map(int, parent.stdout.readline().split())]
    finally:
        parent.communicate(timeout=10)


@contextmanager
def idle_process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process that does nothing, with these words in its command; ended and collected afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", "import sys; print(flush=True); sys.stdin.read()", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.communicate(timeout=10)


@dataclass(frozen=True)
class PlantedProc:
    """A folder that looks like /proc."""

    folder: Path

    def add(
        self,
        pid: int,
        parent: int = 1,
        command: str = "",
        *,
        name: str = "some name",
        state: str = "S",
        group: int = 0,
        ticks: int = 0,
        private_mb: int = 0,
        shared_mb: int = 0,
    ) -> Path:
        """A process, or another shape of one; its group is its own id and its start its id, unless said otherwise."""
        place = self.folder / str(pid)
        place.mkdir(exist_ok=True)
        fields = [state, parent, group or pid, *[0] * 16, ticks or pid, 0]
        (place / "stat").write_text(f"{pid} ({name}) {' '.join(map(str, fields))}\n")
        pages = (1 << 20) // os.sysconf("SC_PAGE_SIZE")
        (place / "statm").write_text(f"99999 {(private_mb + shared_mb) * pages} {shared_mb * pages} 1 0 1 0\n")
        (place / "cmdline").write_text(command.replace(" ", "\0"))
        return place

    def add_sums(self, pid: int, *, rss_kb: int, pss_kb: int, swap_kb: int = 0) -> None:
        """The kernel's sums of memory of a process that was added."""
        lines = ["55ca4024a000-7fff02eea000 ---p 00000000 00:00 0    [rollup]"]
        lines += [f"Rss: {rss_kb:>16} kB", f"Pss: {pss_kb:>16} kB", f"Pss_Anon: {7:>11} kB"]
        lines += [f"Swap: {2 * swap_kb:>15} kB", f"SwapPss: {swap_kb:>12} kB"]
        (self.folder / str(pid) / "smaps_rollup").write_text("\n".join(lines) + "\n")

    def remove(self, *pids: int) -> None:
        """Processes that have gone."""
        for pid in pids:
            shutil.rmtree(self.folder / str(pid))
