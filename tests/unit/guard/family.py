"""Real processes with parts to play: a parent, and children that carry the words of a browser's in their command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
