"""Starts a Chromium that speaks its protocol over two pipes, in a process group of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_HIGH = 10
"""Our descriptors are from this number on, because Chromium wants its pipes at 3 and 4."""


@dataclass(frozen=True, slots=True)
class Started:
    """A process, and our ends of its pipes."""

    pid: int
    answers: int
    commands: int

    def reap(self) -> None:
        """Must be called when the process has ended, so that no zombie is left."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)


def start(program: Path, switches: Sequence[str], environment: Mapping[str, str], log: Path) -> Started:
    """Starts the program; its output goes to the log file.

    It leads a process group whose id is its own process id. No signal is blocked in it, whatever is blocked here.

    Raises:
        OSError: the program cannot be run.
    """
    ends: list[int] = []
    try:
        for _ in range(2):
            ends += os.pipe()
        commands_in, commands, answers, answers_out = ends
        for number, end in enumerate((commands_in, answers_out)):
            ends[3 * number] = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _HIGH)
            os.close(end)
        commands_in, commands, answers, answers_out = ends
        pid = os.posix_spawn(
            program,
            [str(program), "--remote-debugging-pipe", *switches],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, commands_in, 3),
                (os.POSIX_SPAWN_DUP2, answers_out, 4),
            ],
            setpgroup=0,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE],
        )
    except BaseException:
        for end in ends:
            os.close(end)
        raise
    os.close(commands_in)
    os.close(answers_out)
    return Started(pid, answers, commands)
