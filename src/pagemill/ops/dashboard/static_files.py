"""The dashboard's files, read once and kept in memory, small and ready to send.

Which there are is fixed here: a name from a request is looked up in the table and never reaches the disk. All of them
share one version, which is part of their address, so that a browser may keep them and still never mixes two versions.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

PAGE = "page.html"
PLOTLY = "plotly.min.js"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_VERSION_MARK = "{version}"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    media_type: str
    content: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    """The same, by gzip."""


@dataclass(frozen=True, slots=True)
class Site:
    """The page and what it loads."""

    version: str
    page: StaticFile
    files: Mapping[str, StaticFile]


@cache
def site() -> Site:
    """Everything; read at the first call, which takes about half a second."""
    found = _read()
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    version = digest.hexdigest()[:16]
    page = found.pop(PAGE).replace(_VERSION_MARK.encode(), version.encode())
    files = {name: _file(_TYPES["." + name.rpartition(".")[2]], content) for name, content in found.items()}
    return Site(version, _file("text/html; charset=utf-8", page), MappingProxyType(files))


def _read() -> dict[str, bytes]:
    own = resources.files(__package__) / "static"
    found = {each.name: each.read_bytes() for each in own.iterdir() if _is_ours(each)}
    # Taken from the installed package: its licence, its updates and its size are none of ours.
    found[PLOTLY] = (resources.files("plotly") / "package_data" / PLOTLY).read_bytes()
    return found


def _is_ours(entry: Traversable) -> bool:
    return entry.name == PAGE or "." + entry.name.rpartition(".")[2] in _TYPES


def _file(media_type: str, content: bytes) -> StaticFile:
    return StaticFile(media_type, content, gzip.compress(content, compresslevel=6, mtime=0))
