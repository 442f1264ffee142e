"""The pages of the control room and their files, read once and kept in memory, small and ready to send.

Which there are is fixed here: a name from a request is looked up in the table and never reaches the disk. All of them
share one version, which is part of their address, so that a browser may keep them and still never mixes two versions.
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
"""What all pages have around them: head, top, login, dialog."""
BOARD = "board.html"
ROOM = "room.html"
DRAFT = "draft.html"
PAGES = {BOARD: "app.js", ROOM: "room/room.js", DRAFT: "room/draft.js"}
"""What stands in the middle of each page, and the script that fills it."""
PLOTLY = "plotly.min.js"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    media_type: str
    content: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    """The same, by gzip."""


@dataclass(frozen=True, slots=True)
class Site:
    """The pages and what they load."""

    version: str
    pages: Mapping[str, StaticFile]
    files: Mapping[str, StaticFile]


@cache
def site(root_path: str = "") -> Site:
    """Everything, for a browser that finds us below that path; read at the first call, which takes about half a
    second."""
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
    # Taken from the installed package: its licence, its updates and its size are none of ours.
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
