"""Commands inside namespaces of their own, as a container has them, without a container engine."""

from __future__ import annotations

import os
import shutil
import subprocess

import psutil
import pytest

AS_FIRST = ("unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc", "--kill-child")
"""In front of a command: it becomes process 1, and all that it starts ends with it."""

AS_NAMELESS = ("unshare", "--user", "--map-user=54321", "--map-group=54321")
"""In front of a command: its user has no entry in passwd."""


def need(*prefix: str) -> None:
    """Skips where the kernel refuses such a namespace; where `CI` is set that fails."""
    reason = f"{prefix[0]} is not on PATH"
    if shutil.which(prefix[0]):
        tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, timeout=20, check=False)
        if tried.returncode == 0:
            return
        reason = f"no such namespace can be made here: {tried.stderr.strip()}"
    if os.environ.get("CI"):
        pytest.fail(f"CI must not skip: {reason}")
    pytest.skip(reason)


def first_of(unshare_pid: int) -> psutil.Process:
    """The process 1 of a namespace, by its number outside."""
    return psutil.Process(unshare_pid).children()[0]


def zombies_below(process: psutil.Process) -> list[psutil.Process]:
    """What has ended and was not waited for."""
    found = []
    for child in process.children(recursive=True):
        try:
            if child.status() == psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
