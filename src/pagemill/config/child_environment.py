"""What the programs that pagemill starts (Chromium, Playwright's driver, redis-server) inherit of its environment.

They get only what is listed here. Pagemill's own environment has addresses with passwords and the API's secret.
Otherwise every process of a browser would hold a copy of them, including those that run the shop's scripts.

Left out on purpose, though Chromium knows them: `DISPLAY`, `WAYLAND_DISPLAY` and D-Bus (it is always headless),
`GOOGLE_API_KEY` and its like (secrets), `SSLKEYLOGFILE` (writes down the keys of connections), `CHROME_LOG_FILE`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

INHERITED = {
    "PATH": "the scripts that packages put in front of Chromium call other programs",
    "HOME": "certificates in ~/.pki/nssdb, fonts in ~/.fonts; see `child_environment` for a user without one",
    "TMPDIR": "profiles and scratch files belong into the worker's folder",
    "TZ": "the time of day that pages see",
    "TZDIR": "where the rules of time zones are",
    "LANG": "the language of pages and messages",
    "LANGUAGE": "likewise",
    "LD_LIBRARY_PATH": "libraries in unusual places",
    "LD_PRELOAD": "another allocator, say",
    "CHROME_DEVEL_SANDBOX": "where the sandbox's helper is, on kernels without user namespaces",
    "CHROMIUM_FLAGS": "flags that a machine's owner adds; Debian's launching script reads them",
}
"""Variables that every child gets, each with its reason."""

INHERITED_PREFIXES = {
    "LC_": "as LANG",
    "XDG_": "where settings, caches and fonts are",
    "FONTCONFIG_": "where fonts are",
}

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
"""Chromium uses these, in small letters or capitals, and a machine behind a proxy needs them. Chromium ignores a name
and a password in them, so these are not passed on."""

_DRIVER = (
    "PW_LANG_NAME",
    "PW_LANG_NAME_VERSION",
    "PW_CLI_DISPLAY_VERSION",
    "PLAYWRIGHT_BROWSERS_PATH",
    "PLAYWRIGHT_HOST_PLATFORM_OVERRIDE",
    "PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS",
    "NODE_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "DEBUG",
    "DEBUG_FILE",
)
"""What Playwright's driver (Node) gets besides. Not all of `PLAYWRIGHT_*`, which may contain an access token."""


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a child process; `environ` is pagemill's own.

    `HOME` is always set, because Chromium and Node need one. For a user without a home it is the temporary folder.
    """
    kept = {name: _without_password(name, value) for name, value in environ.items() if _is_inherited(name)}
    home = home_folder(environ)
    return kept | {"HOME": environ.get("TMPDIR") or tempfile.gettempdir() if home is None else str(home)}


def driver_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of Playwright's driver."""
    return child_environment(environ) | {name: environ[name] for name in _DRIVER if name in environ}


def first_process_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the program that stays as a container's first process: a Python like ours."""
    python = {name: value for name, value in environ.items() if name.startswith("PYTHON")}
    return child_environment(environ) | python


def home_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The user's home folder; `None` for a user without one.

    Containers often run as a user id without a home: `HOME` is not set, and passwd has no entry; or `HOME` is `/`,
    which container engines set then.
    """
    named = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - `Path.home` fails without an entry in passwd
    home = Path(named)
    usable = home.is_absolute() and home != Path("/") and os.access(home, os.X_OK) and home.is_dir()
    return home if usable else None


def _is_inherited(name: str) -> bool:
    return name in INHERITED or name.startswith(tuple(INHERITED_PREFIXES)) or name.lower() in PROXIES


def _without_password(name: str, value: str) -> str:
    if name.lower() not in PROXIES or "@" not in value:
        return value
    scheme, mark, _ = value.partition("://")
    return f"{scheme}{mark}{value.rpartition('@')[2]}" if mark else value.rpartition("@")[2]
