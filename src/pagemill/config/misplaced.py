"""Finds things in a file that belong in the environment: secrets, and addresses that contain them.

It looks at keys only and never repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pagemill.config.environment import FROM_FILE, VARIABLES
from pagemill.config.mistakes import Mistake
from pagemill.config.yaml_source import KeyPath

_IN_FILES_TOO = frozenset({"PAGEMILL_PROFILE"})

_SECRET = re.compile(r"passw(or)?d|secret|token|credential|(api|private|access)[_-]?key", re.IGNORECASE)


def misplaced_in(path: KeyPath, value: Any) -> Iterator[Mistake]:
    """A mistake for each misplaced key: that key and those below it. Paths begin at the top of the file."""
    variable = _variable_for(path)
    if variable is not None:
        message = "a secret does not belong in a file" if _is_secret(path) else "does not belong in a file"
        yield Mistake(message, f"{_set(variable)}, and remove it here", *path)
    elif _is_secret(path):
        yield Mistake(
            "a secret does not belong in a file",
            f"put it into the environment ({', '.join(sorted(FROM_FILE))}), and remove it here",
            *path,
        )
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from misplaced_in((*path, key), inner)


def _variable_for(path: KeyPath) -> str | None:
    """The environment variable that a path stands for: `redis_url`, `redis: {url}` and `PAGEMILL_REDIS_URL` are one."""
    words = [re.sub(r"[^A-Z0-9]", "_", str(part).upper()) for part in path]
    for start in range(len(words)):
        name = "_".join(words[start:])
        for spelled in (name, f"PAGEMILL_{name}"):
            if spelled in VARIABLES - _IN_FILES_TOO:
                return spelled
    return None


def _is_secret(path: KeyPath) -> bool:
    return _SECRET.search(str(path[-1])) is not None


def _set(variable: str) -> str:
    or_file = f" or name a file with {variable}_FILE" if variable in FROM_FILE else ""
    return f"set {variable} in the environment{or_file}"
