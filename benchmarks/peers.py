"""The contestants from outside, each in an environment of its own, made by pip with its newest release."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = Path.home() / ".cache" / "pagemill-bench"
_INSTALL_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them. `module` is in `benchmarks.contestants`."""

    name: str
    requirement: str
    module: str

    @property
    def package(self) -> str:
        """What carries its version."""
        return self.requirement.partition("[")[0]


PEERS = (
    Peer("crawlee-python", "crawlee[playwright]", "crawlee_python"),
    Peer("crawl4ai", "crawl4ai", "crawl4ai_arun"),
    Peer("scrapy-playwright", "scrapy-playwright", "scrapy_spider"),
)


class CannotInstall(Exception):
    """pip could not install a peer; the message ends with pip's own last words."""


def available(wanted: Callable[[str], bool]) -> tuple[list[tuple[Peer, Path]], dict[str, str], list[str]]:
    """The wanted peers with their Pythons, their versions by name, and why others cannot take part."""
    pythons, versions, absent = [], {}, []
    for peer in PEERS:
        if wanted(peer.name):
            try:
                python, versions[peer.name] = installed(peer)
            except CannotInstall as error:
                absent.append(str(error))
                continue
            pythons.append((peer, python))
    return pythons, versions, absent


def installed(peer: Peer) -> tuple[Path, str]:
    """The Python that has it, and its version; installed if it is not there yet.

    Raises:
        CannotInstall: with pip's reason.
    """
    folder = ENVIRONMENTS / peer.name
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.requirement]
        try:
            done = subprocess.run(pip, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise CannotInstall(f"{peer.name}: pip took longer than {_INSTALL_TIMEOUT_S} s") from error
        if done.returncode != 0:
            raise CannotInstall(f"{peer.name}: {done.stderr.strip()[-300:]}")
        (folder / "complete").touch()
    ask = f"import importlib.metadata as m; print(m.version({peer.package!r}))"
    version = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, timeout=60, check=True)
    return python, version.stdout.strip()
