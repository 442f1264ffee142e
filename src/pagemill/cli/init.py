"""`pagemill init`: creates a folder with what a first run needs, on this machine and in containers.

Decides which shipped files the folder gets, and their names. Existing files are never lost.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from urllib.request import url2pathname

import typer

from pagemill import __version__
from pagemill.cli.wording import counted
from pagemill.config.shipped import SHIPPED
from pagemill.errors import UsageError

_RENAMED = {
    "config/platforms/myshop.yaml": "myshop.yaml",
    "docker/Dockerfile": "docker/wheel.Dockerfile",
    "docker/constraints.txt": "constraints.txt",
    ".dockerignore": "dockerignore",
    ".gitignore": "gitignore",
}
"""Names in the folder that differ from the names in `shipped/`."""

_AS_THEY_ARE = ("README.md", "config/pagemill.yaml", "config/schedule.yaml", "config/alerts.yaml", "docker-compose.yml")
_SECRETS = ".env"
_ONLY_A_CLONE_S = ("docker/Dockerfile", "docker/wheel.Dockerfile")

_ENVIRONMENT = """\
# Docker Compose reads this file by itself. For commands outside of containers: set -a; . ./.env; set +a
# It holds secrets: leave it readable for you alone, and out of version control.
COMPOSE_PROJECT_NAME={project}

# Signs the tokens of the control API.
PAGEMILL_API_SECRET={secret}

# Services of your own in place of those that pagemill brings:
# PAGEMILL_REDIS_URL=redis://:password@redis.internal:6379/0
# PAGEMILL_DATABASE_URL=postgresql://user:password@db.internal:5432/pagemill
"""

_NEXT = """\
next:
{cd}  pagemill check      # is everything there? It says what is missing, and how to get it
  pagemill demo       # a whole run against a practice shop
then make config/platforms/myshop.yaml fit your shop; README.md goes on from there"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder; it is made if it is not there.")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace files that are there, but for .env; the old ones stay as NAME.before."),
    ] = False,
) -> None:
    """Write a folder of your own: configuration, one shop, secrets, and what containers need.

    Nothing that is there is overwritten, so it may be called again.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    files = [file for file in _files(folder.resolve().name) if not file.is_at(folder)]
    left = [file.name for file in files if file.stays(folder, force)]
    written = [file for file in files if file.name not in left]
    for file in written:
        file.write(folder)
    typer.echo(f"{folder}: {counted(len(written), 'file')} written")
    if left:
        typer.echo(f"left as they were: {', '.join(left)}" + ("" if force else " (--force replaces all but .env)"))
    cd = "" if folder.resolve() == Path.cwd() else f"  cd {shlex.quote(str(folder))}\n"
    typer.echo(_NEXT.format(cd=cd))


@dataclass(frozen=True, slots=True)
class _File:
    """One file to create."""

    name: str
    content: bytes
    mode: int

    def is_at(self, folder: Path) -> bool:
        """Whether the file is there already with this content."""
        path = folder / self.name
        return path.is_file() and path.read_bytes() == self.content

    def stays(self, folder: Path, force: bool) -> bool:
        """Whether an existing file must be kept. Secrets always are, because others depend on them."""
        return os.path.lexists(folder / self.name) and (not force or self.name == _SECRETS)

    def write(self, folder: Path) -> None:
        """Writes the file atomically with its mode; an existing one becomes `NAME.before`."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                os.fchmod(file.fileno(), self.mode)
                file.write(self.content)
            if os.path.lexists(path):
                path.rename(f"{path}.before")
            new.rename(path)
        finally:
            new.unlink(missing_ok=True)


def _files(folder_name: str) -> Iterator[_File]:
    sources = {name: SHIPPED / name for name in _AS_THEY_ARE}
    sources |= {name: SHIPPED / source for name, source in _RENAMED.items()}
    for path in sorted((SHIPPED / "docker").rglob("*")):
        name = path.relative_to(SHIPPED).as_posix()
        if path.is_file() and name not in _ONLY_A_CLONE_S:
            sources[name] = path
    if wheel := _own_wheel():
        sources[f"docker/{wheel.name}"] = wheel
    for name, path in sources.items():
        content = path.read_bytes()
        yield _File(name, content, 0o755 if content.startswith(b"#!") else 0o644)
    project = re.sub(r"[^a-z0-9_-]+", "-", folder_name.lower()).strip("-_") or "pagemill"
    environment = _ENVIRONMENT.format(project=project, secret=secrets.token_urlsafe(48))
    yield _File(_SECRETS, environment.encode(), 0o600)


def _own_wheel() -> Path | None:
    """The wheel file that this pagemill was installed from, if it still exists. The image needs it, because a package
    index may not have this version."""
    try:
        told = distribution("pagemill").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    address = urlsplit(json.loads(told)["url"] if told else "")
    path = Path(url2pathname(address.path))
    is_ours = address.scheme == "file" and path.name.startswith(f"pagemill-{__version__}-") and path.suffix == ".whl"
    return path if is_ours and path.is_file() else None
