"""The files that evidence of failures is kept in: their names, their bounds, and reading them again.

Needs no browser. Several processes may share the folder, so a file may vanish at any moment.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    """A kind of evidence: its file suffix and its largest size in bytes."""

    suffix: str
    most_bytes: int


HTML = ArtifactKind(".html", 2_000_000)
PICTURE = ArtifactKind(".jpg", 4_000_000)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A stored file: its size and when it was written."""

    bytes: int
    taken_at: datetime


def file_name(parts: Sequence[str]) -> str:
    """A file name without suffix: the parts' readable characters, and a digest that tells different parts apart."""
    digest = hashlib.blake2s("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    readable = "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", part[:_MAX_NAME]).strip("._-") for part in parts)
    return f"{readable[:_MAX_NAME].strip('-')}-{digest}".lstrip("-")


def find_artifact(folder: Path, parts: Sequence[str], kind: ArtifactKind) -> KeptFile | None:
    """The stored file for these parts; `None` if there is none.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        facts = _path(folder, parts, kind).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > kind.most_bytes:
        return None
    return KeptFile(facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def read(folder: Path, parts: Sequence[str], kind: ArtifactKind) -> bytes | None:
    """The file's content, `None` without such a file. Follows no link, and reads no more than may be stored.

    Raises:
        OSError: the file cannot be read.
    """
    if find_artifact(folder, parts, kind) is None:
        return None
    try:
        descriptor = os.open(_path(folder, parts, kind), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # another process has just deleted it
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(kind.most_bytes + 1)
    return content if len(content) <= kind.most_bytes else None


def _path(folder: Path, parts: Sequence[str], kind: ArtifactKind) -> Path:
    return folder / f"{file_name(parts)}{kind.suffix}"
