"""Kills the remaining processes of a browser."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def kill_browser_group(group: int) -> None:
    """Sends SIGKILL to the remaining processes of a browser's process group.

    Each member is checked first: once the group has ended, its id may belong to another program.
    """
    for member in _group_members(group):
        if "chrom" in " ".join(command_line(member)[:3]):
            kill(member)


def _group_members(group: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # After the name in parentheses: state, parent, process group.
            after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended while being read
        if int(after_name[2]) == group:
            members.append(int(entry.name))
    return members


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty if it has ended."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    # Chromium rewrites its own title with spaces instead of NUL bytes on some versions.
    return raw.decode(errors="replace").replace("\0", " ").split()


def kill(pid: int) -> None:
    """Sends SIGKILL; does nothing if the process has ended already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
