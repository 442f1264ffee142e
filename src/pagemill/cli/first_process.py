"""The first process of a container: passes signals on to pagemill, and collects the exit codes of all ended processes.

The kernel makes every orphan a child of process 1. Chromium leaves two or more orphans with each browser that ends. If
process 1 does not wait for them they stay as zombies, until no further process can start. pagemill cannot do that: a
wait for any child takes away the exit codes that subprocess, multiprocessing and asyncio wait for. So if pagemill is
process 1, it goes on in a child, and process 1 executes only this file: a small interpreter that imports nothing of
pagemill.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

_OURS = frozenset(
    # Signals of this process' own faults, and the terminal's signals to background processes.
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS}
    | {signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
)
_HANDED_ON = frozenset(signal.valid_signals()) - _OURS


def step_down(environment: Mapping[str, str]) -> None:
    """If this is process 1: returns in a child, and process 1 runs this file with that environment. Else does nothing.

    To be called before threads start. Process 1 ends with the child's exit code; the kernel then ends all others.
    """
    if os.getpid() != 1:
        return
    # Blocked until process 1 waits for them. The kernel drops a signal to process 1 that has no handler.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    child = os.fork()
    if child:
        # No `site` (-S), and this folder not on the path (-P), because some modules here are named like Python's own.
        small = [sys.executable, "-S", "-P", __file__, str(child)]
        os.execve(sys.executable, small, dict(environment))  # noqa: S606 - no shell is wanted
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stand_first(child: int) -> int:
    """Runs until the child has ended; returns the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    while True:
        heard = signal.sigwaitinfo(_HANDED_ON)
        if heard.si_signo == signal.SIGCHLD:
            code = _wait_for_all(child)
            if code is not None:
                return code
        elif heard.si_code <= 0:
            # Sent by a process. The kernel's own signals, such as Ctrl+C of a terminal, reach the child by themselves.
            os.kill(child, heard.si_signo)


def _wait_for_all(child: int) -> int | None:
    """Collects every child that has ended; returns the exit code of `child` if it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            code = 128 - code if code < 0 else code  # as a shell reports a signal


if __name__ == "__main__":
    sys.exit(_stand_first(int(sys.argv[1])))
