"""Looks at each of the worker's processes once a second, and kills one that uses too much memory or was stopped.

It acts without the engine. Killing a page's process costs that page only, and its lane goes on. Killing Chromium's main
process or Playwright's driver costs every page at work. These are normally replaced long before they use so much,
unless one page makes them take it in a moment.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Sequence

from pagemill.guard.process_tree import Member
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_PAGE_ROLES = frozenset({"renderers", "gpu", "utility"})
"""Roles of processes that Chromium itself starts again."""
_STOPPED = "T"
_ENDED = ("Z", "X")


class ProcessWatch:
    """Watches the worker's processes, and remembers which were stopped at the last look."""

    def __init__(
        self,
        members: Callable[[], Sequence[Member]],
        renderer_limit_mb: float,
        browser_limit_mb: float,
        kill: Callable[[int, int], None] = os.kill,
    ) -> None:
        self._members = members
        self._limits_mb = {
            "renderers": renderer_limit_mb,
            "browser": browser_limit_mb,
            "driver": browser_limit_mb,
        }
        self._kill = kill
        self._stopped: set[tuple[int, int]] = set()

    def look(self) -> dict[int, float]:
        """Kills the processes that use too much memory or were stopped.

        Returns:
            Sizes in MB of drivers (by process id), and of browsers without their pages (by process group).
        """
        members = [member for member in self._members() if member.state not in _ENDED]
        stopped = {(member.pid, member.started_ticks) for member in members if member.state == _STOPPED}
        lasting, self._stopped = stopped & self._stopped, stopped
        sizes: dict[int, float] = {}
        for member in members:
            if (member.pid, member.started_ticks) in lasting:
                self._end_stopped(member, members)
            elif member.private_mb > self._limits_mb.get(member.role, math.inf):
                is_page = member.role == "renderers"
                self._end(member, events.RENDERER_KILLED if is_page else events.BROWSER_KILLED, "size")
            elif member.role == "driver":
                sizes[member.pid] = member.private_mb
            elif member.role in ("browser", "gpu", "utility"):
                sizes[member.group] = sizes.get(member.group, 0.0) + member.private_mb
        return sizes

    def _end_stopped(self, member: Member, members: Sequence[Member]) -> None:
        if member.role in _PAGE_ROLES:
            self._end(member, events.RENDERER_KILLED, "stopped")
        elif member.role == "driver":
            self._end(member, events.UNRESPONSIVE, "stopped")
        elif member.role == "browser":
            self._end(member, events.UNRESPONSIVE, "stopped")
            for each in members:
                if each.group == member.group and each.pid != member.pid:
                    self._kill_quietly(each.pid)

    def end_all(self, reason: str) -> None:
        """Kills every browser and driver, because the engine cannot do it any more."""
        for member in self._members():
            if member.role in ("browser", "driver"):
                self._end(member, events.UNRESPONSIVE, reason)
            elif member.role in _PAGE_ROLES:
                self._kill_quietly(member.pid)

    def _end(self, member: Member, event: str, reason: str) -> None:
        if self._kill_quietly(member.pid):
            log.warning(event, what=member.role, pid=member.pid, mb=round(member.private_mb, 1), reason=reason)

    def _kill_quietly(self, pid: int) -> bool:
        try:
            self._kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True
