"""Evidence of failures: a screenshot and the HTML of a page, kept in one folder of bounded size.

Owns the folder's `.jpg` and `.html` files and nothing else in it. Several worker processes may share the folder, so a
file may vanish at any moment. Keeping evidence never fails a visit: what cannot be kept is logged.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, PageLost, PagemillError
from pagemill.extraction.artifact_files import HTML, PICTURE, file_name
from pagemill.extraction.navigate import translate
from pagemill.extraction.script_world import PageWorld, World
from pagemill.playwright_errors import PlaywrightError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

if TYPE_CHECKING:
    from playwright.async_api import Page, ViewportSize

log = get_logger("artifacts")

_VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
_JPEG_QUALITY = 60
_VIEWPORT_TIMEOUT_S = 2.0
_HTML_TIMEOUT_S = 3.0
_SCREENSHOT_TIMEOUT_S = 5.0
_WRITE_TIMEOUT_S = 5.0
_UNFINISHED = ".part"
_ABANDONED_S = 600.0
"""An unfinished file of this age is deleted: its writer must have died."""

_HTML_SCRIPT = "(limit) => document.documentElement.outerHTML.slice(0, limit)"


class ArtifactStore:
    """Keeps the newest files within `max_files` and `max_bytes`; when it is not enabled, it does nothing at all."""

    def __init__(self, folder: Path, max_files: int, max_bytes: int, enabled: bool = True) -> None:
        self._folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._enabled = enabled

    async def capture(self, page: Page, name_parts: Sequence[str], world: World | None = None) -> list[Path]:
        """Keeps the page's HTML, cut at 2 MB, and a screenshot of 1280x800, and returns the files that are there now.

        The page gets its own viewport back. A page that does not answer costs at most a few seconds. Nothing is raised
        but cancellation; what was lost is logged as `Artifact Lost`.

        Args:
            page: in any state, even closed.
            name_parts: such as run and product id; any text. The same parts overwrite the same files.
            world: where the HTML is read; the page's own world unless told.
        """
        if not self._enabled:
            return []
        name = file_name(name_parts)
        kept: list[Path] = []
        takes: dict[str, Callable[[], Awaitable[bytes]]] = {
            HTML.suffix: lambda: _html(world or PageWorld(page)),
            PICTURE.suffix: lambda: take_screenshot(page),
        }
        for suffix, take in takes.items():
            path = self._folder / f"{name}{suffix}"
            try:
                writing = asyncio.to_thread(self._keep, path, await take())
                if await within(_WRITE_TIMEOUT_S, writing, "writing an artifact"):
                    kept.append(path)
            except Exception as error:  # noqa: BLE001 - an error here must not hide the failure itself
                cause = translate(error, "keeping evidence") if isinstance(error, PlaywrightError) else error
                log.warning(events.ARTIFACT_LOST, file=path.name, reason=_told(cause))
                if isinstance(cause, DeadlineExceeded | PageLost):
                    break
        return kept

    def older_than(self, moment: datetime) -> list[Path]:
        """The files that were written before `moment`; none if there is no folder.

        Raises:
            OSError: the folder cannot be read.
        """
        if not self._folder.is_dir():
            return []
        limit_ns = int(moment.timestamp() * 1e9)
        return [path for written_ns, path, _ in self._files() if written_ns < limit_ns]

    def _keep(self, path: Path, content: bytes) -> bool:
        """Writes one file and makes room. Runs in a thread of its own.

        Returns:
            Whether the file is there afterwards.
        """
        if len(content) > self._max_bytes:
            raise ValueError(f"{path.name} has {len(content)} bytes, more than the folder may hold")
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{path.name}.{secrets.token_hex(6)}{_UNFINISHED}"
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self._make_room()
        return path.exists()

    def _make_room(self) -> None:
        files = sorted(self._files(), reverse=True)
        room = self._max_bytes
        for position, (_, path, size) in enumerate(files):
            room -= size
            if position >= self._max_files or room < 0:
                path.unlink(missing_ok=True)

    def _files(self) -> list[tuple[int, Path, int]]:
        """For each of our files: when it was written (nanoseconds), its path, and its size in bytes."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # another worker has just deleted it
                if entry.name.endswith((HTML.suffix, PICTURE.suffix)):
                    found.append((facts.st_mtime_ns, Path(entry.path), facts.st_size))
                elif entry.name.endswith(_UNFINISHED) and time.time() - facts.st_mtime > _ABANDONED_S:
                    Path(entry.path).unlink(missing_ok=True)
        return found


async def _html(world: World) -> bytes:
    html = await within(_HTML_TIMEOUT_S, world.evaluate(_HTML_SCRIPT, HTML.most_bytes), "reading the HTML")
    if not isinstance(html, str):
        raise ValueError("the page gave no HTML")
    content = html.encode("utf-8", "replace")[: HTML.most_bytes]
    return content.decode("utf-8", "ignore").encode()


async def take_screenshot(page: Page) -> bytes:
    before = page.viewport_size
    try:
        await within(_VIEWPORT_TIMEOUT_S, page.set_viewport_size(_VIEWPORT), "resizing for a screenshot")
        shot = await within(
            _SCREENSHOT_TIMEOUT_S,
            page.screenshot(type="jpeg", quality=_JPEG_QUALITY, timeout=_SCREENSHOT_TIMEOUT_S * 1000),
            "taking a screenshot",
        )
    finally:
        if before is not None:
            await within(_VIEWPORT_TIMEOUT_S, page.set_viewport_size(before), "resizing after a screenshot")
    if len(shot) > PICTURE.most_bytes:
        raise ValueError(f"the screenshot has {len(shot)} bytes")
    return shot


def _told(error: Exception) -> str:
    if isinstance(error, PagemillError):
        return str(error)
    return f"{type(error).__name__}: {error}"[:300]
