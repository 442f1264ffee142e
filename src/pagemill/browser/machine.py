"""What this machine offers a browser: an executable, the size of /dev/shm, a kernel that allows the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import playwright

from pagemill.browser.flags import Machine
from pagemill.config.child_environment import child_environment, home_folder
from pagemill.errors import BrowserUnavailable

_MIB = 1024 * 1024
_ON_PATH = ("chromium-headless-shell", "chromium", "google-chrome")
_PROBE_TIMEOUT_S = 5


def find_chromium(configured: Path | None) -> Path:
    """The browser to launch: the configured one, Playwright's own headless shell, or one on PATH.

    Raises:
        BrowserUnavailable: there is none; the message says how to get one.
    """
    if configured is not None:
        if os.access(configured, os.X_OK) and configured.is_file():
            return configured
        raise BrowserUnavailable(f"PAGEMILL_CHROMIUM={configured} is not a program: correct it or unset it")
    for candidate in _playwright_shells():
        if os.access(candidate, os.X_OK):
            return candidate
    for name in _ON_PATH:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise BrowserUnavailable(
        "no Chromium found: run `playwright install --with-deps --only-shell chromium`, or install the package "
        "chromium-headless-shell, or set PAGEMILL_CHROMIUM to a browser's path"
    )


def _playwright_shells() -> Sequence[Path]:
    """The headless shell of this version of Playwright, if it is installed. Other versions may not work with it."""
    package = Path(playwright.__file__).parent / "driver" / "package"
    try:
        known = json.loads((package / "browsers.json").read_text())["browsers"]
        revision = next(entry["revision"] for entry in known if entry["name"] == "chromium-headless-shell")
    except (OSError, ValueError, KeyError, StopIteration):
        return ()
    configured, home = os.environ.get("PLAYWRIGHT_BROWSERS_PATH"), home_folder()
    if configured:
        root = Path(configured)
    elif home is not None:
        root = home / ".cache" / "ms-playwright"
    else:
        return ()
    return sorted(root.glob(f"chromium_headless_shell-{revision}/*/*headless?shell"))


def examine_machine() -> Machine:
    """Reads the size of /dev/shm, and tests whether a user namespace can be made, which the sandbox needs."""
    return Machine(shm_total_mb=shm_total_mb(), can_sandbox=_can_sandbox())


def shm_total_mb(path: str = "/dev/shm") -> int:  # noqa: S108 - the kernel's shared memory, not a temporary file
    """The size of /dev/shm in MB; 0 if there is none."""
    try:
        status = os.statvfs(path)
    except OSError:
        return 0
    return status.f_blocks * status.f_frsize // _MIB


def _can_sandbox() -> bool:
    if os.geteuid() == 0:
        return False  # Chromium refuses its sandbox to root
    try:
        probe = subprocess.run(
            ["unshare", "--user", "--map-root-user", "true"],
            env=child_environment(),
            capture_output=True,
            timeout=_PROBE_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0
