"""The first process of a container: passes signals on to pagemill, and waits for whatever ends.

The kernel gives every orphan to process 1. Chromium leaves two or more with each browser that ends; a process 1 that
does not wait for them keeps them as zombies, until there may be no more processes. pagemill itself cannot: to wait for
any child takes the exit codes away that subprocess, multiprocessing and asyncio wait for. So where pagemill finds
itself process 1, it goes on as a child, and process 1 becomes this file and no more: a small interpreter without
anything of pagemill, which imports nothing else either.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

_OURS = frozenset(
    # A fault of this process' own, and what a terminal does to processes in its background.
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS}
    | {signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
)
_HANDED_ON = frozenset(signal.valid_signals()) - _OURS


def step_down(environment: Mapping[str, str]) -> None:
    """Where this is process 1: returns in a child, and process 1 stays, with that environment. Elsewhere: nothing.

    To be called before there are threads. Process 1 ends as the child does; the kernel then ends all others.
    """
    if os.getpid() != 1:
        return
    # Held back until process 1 looks for them: one that nobody awaits is lost to process 1.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    child = os.fork()
    if child:
        # Without `site` (-S) and without this folder on the path (-P): its modules are named like Python's own.
        small = [sys.executable, "-S", "-P", __file__, str(child)]
        os.execve(sys.executable, small, dict(environment))  # noqa: S606 - no shell is wanted
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stand_first(child: int) -> int:
    """Until the child has ended; what to exit with."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    while True:
        heard = signal.sigwaitinfo(_HANDED_ON)
        if heard.si_signo == signal.SIGCHLD:
            code = _wait_for_all(child)
            if code is not None:
                return code
        elif heard.si_code <= 0:
            # From a process. What the kernel says for a terminal (Ctrl+C) has reached the child by itself.
            os.kill(child, heard.si_signo)


def _wait_for_all(child: int) -> int | None:
    """Waits for every child that has ended; the exit code of that one, when it is among them."""
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
            code = 128 - code if code < 0 else code  # as a shell says it


if __name__ == "__main__":
    sys.exit(_stand_first(int(sys.argv[1])))
