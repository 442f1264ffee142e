"""Reports the end of any process, whoever started it and whatever ended it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable


class ExitWatch:
    """Calls back once when the process ends, on the loop where the watch was made. `cancel` ends the watch.

    On kernels without process descriptors (Linux before 5.3) it never calls.
    """

    def __init__(self, pid: int, on_exit: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_exit = on_exit
        self._descriptor = -1
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._loop.call_soon(on_exit)
        except OSError:
            pass
        else:
            self._loop.add_reader(self._descriptor, self._ended)

    def cancel(self) -> None:
        """Ends the watch; safe to call twice, and after the process has ended."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor != -1:
            self._loop.remove_reader(descriptor)
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _ended(self) -> None:
        self.cancel()
        self._on_exit()
