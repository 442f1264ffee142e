"""Looks at each of the worker's processes once a second, and kills one that uses too much memory or was stopped.

Acts on processes by itself, without the engine: a page's process that is killed costs that page only, its lane goes on.
Chromium's main process, or Playwright's driver, costs every page that is at work: it is replaced long before it takes
so much, unless one page has it take all that in a moment.
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
"""Chromium replaces these by itself."""
_STOPPED = "T"
_ENDED = ("Z", "X")


class ProcessWatch:
    """Looks at the worker's processes; remembers which of them were stopped the last time."""

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
        """Kills what must go.

        Returns:
            Sizes in MB of drivers by their process id, and of browsers without their pages by their process group.
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
        """Kills every browser and driver: the engine does not do it any more."""
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
