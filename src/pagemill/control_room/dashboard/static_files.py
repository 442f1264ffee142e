"""The control room's pages and their files, read once and kept in memory, compressed.

Only these files exist: a name from a request is looked up in a table and never reaches the disk. All files share one
version, which is part of their address. So a browser may cache them and never mixes two versions.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

SHELL = "shell.html"
"""The frame of all pages: head, top bar, login, dialog."""
BOARD = "board.html"
ROOM = "room.html"
DRAFT = "draft.html"
PAGES = {BOARD: "app.js", ROOM: "room/room.js", DRAFT: "room/draft.js"}
"""The content of each page, and the script that fills it."""
PLOTLY = "plotly.min.js"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    media_type: str
    content: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    """The content, compressed by gzip."""


@dataclass(frozen=True, slots=True)
class Site:
    """The pages and their files."""

    version: str
    pages: Mapping[str, StaticFile]
    files: Mapping[str, StaticFile]


@cache
def site(root_path: str = "") -> Site:
    """All pages and files, for browsers that reach the API below `root_path`. The first call reads them, which takes
    about half a second."""
    found = _read()
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    version = digest.hexdigest()[:16]
    shell = found.pop(SHELL).decode()
    pages = {}
    for name, script in PAGES.items():
        text = shell.replace("{content}", found.pop(name).decode()).replace("{script}", script)
        text = text.replace("{root}", root_path).replace("{version}", version)
        pages[name] = _file("text/html; charset=utf-8", text.encode())
    files = {name: _file(_TYPES["." + name.rpartition(".")[2]], content) for name, content in found.items()}
    return Site(version, MappingProxyType(pages), MappingProxyType(files))


def _read() -> dict[str, bytes]:
    found = dict(_files_of(resources.files(__package__) / "static"))
    # From the installed package, so that its licence, updates and size stay with that package.
    found[PLOTLY] = (resources.files("plotly") / "package_data" / PLOTLY).read_bytes()
    return found


def _files_of(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = f"{above}{entry.name}"
        if entry.is_dir():
            yield from _files_of(entry, f"{name}/")
        elif name in (SHELL, *PAGES) or "." + name.rpartition(".")[2] in _TYPES:
            yield name, entry.read_bytes()


def _file(media_type: str, content: bytes) -> StaticFile:
    return StaticFile(media_type, content, gzip.compress(content, compresslevel=6, mtime=0))
