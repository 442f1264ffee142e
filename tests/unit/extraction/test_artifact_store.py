"""Evidence stays within its folder and its bounds, and never becomes a failure of its own."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from structlog.testing import capture_logs

from pagemill.extraction import artifacts
from pagemill.extraction.artifact_files import ArtifactKind, file_name
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.telemetry import events


class FakePage:
    """As much of a page as evidence needs."""

    def __init__(self, html: Any = "<html></html>", shot: bytes = b"jpeg") -> None:
        self.viewport_size: Any = {"width": 320, "height": 240}
        self.sizes: list[Any] = []
        self._html = html
        self._shot = shot

    async def evaluate(self, script: str, limit: int) -> Any:
        if isinstance(self._html, Exception):
            raise self._html
        return self._html

    async def set_viewport_size(self, size: Any) -> None:
        self.sizes.append(dict(size))

    async def screenshot(self, **options: Any) -> bytes:
        return self._shot


def fake(**parts: Any) -> Page:
    return cast(Page, FakePage(**parts))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_keeps_html_and_a_screenshot(tmp_path: Path) -> None:
    """Both carry the parts of their name, and the page gets its viewport back."""
    page = FakePage()
    kept = await ArtifactStore(tmp_path / "new", 10, 10_000).capture(cast(Page, page), ("run-1", "p/7"))
    assert [path.suffix for path in kept] == [".html", ".jpg"]
    assert kept[0].read_text() == "<html></html>"
    assert kept[1].read_bytes() == b"jpeg"
    assert kept[0].name.startswith("run-1-p_7-")
    assert page.sizes == [{"width": 1280, "height": 800}, {"width": 320, "height": 240}]


async def test_does_nothing_when_switched_off(tmp_path: Path) -> None:
    """Not even a folder is made."""
    store = ArtifactStore(tmp_path / "new", 10, 10_000, enabled=False)
    assert await store.capture(fake(), ("a",)) == []
    assert not (tmp_path / "new").exists()


async def test_the_same_name_overwrites(tmp_path: Path) -> None:
    """A product that fails again leaves its last evidence only."""
    store = ArtifactStore(tmp_path, 10, 10_000)
    await store.capture(fake(html="one"), ("run", "p"))
    kept = await store.capture(fake(html="two"), ("run", "p"))
    assert len(names(tmp_path)) == 2
    assert kept[0].read_text() == "two"


async def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    """Files are counted, whoever wrote them; what is not evidence stays."""
    (tmp_path / "readme.txt").write_text("mine")
    for age in range(3):
        old = tmp_path / f"old{age}.jpg"
        old.write_bytes(b"x")
        os.utime(old, (1000 - age, 1000 - age))
    await ArtifactStore(tmp_path, 4, 10_000).capture(fake(), ("new",))
    left = names(tmp_path)
    assert "readme.txt" in left
    assert [name for name in left if name.startswith("old")] == ["old0.jpg", "old1.jpg"]
    assert sum(name.startswith("new") for name in left) == 2


async def test_the_oldest_go_when_they_are_too_large(tmp_path: Path) -> None:
    """Bytes are bounded too."""
    store = ArtifactStore(tmp_path, 100, 1000)
    for number in range(5):
        await store.capture(fake(html="x" * 300, shot=b"y" * 100), (f"p{number}",))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000
    assert {name[:2] for name in names(tmp_path)} >= {"p4", "p3"}


async def test_what_is_larger_than_the_folder_is_lost_with_a_line(tmp_path: Path) -> None:
    """It does not push everything else out, and the other file is kept."""
    store = ArtifactStore(tmp_path, 10, 1000)
    await store.capture(fake(), ("before",))
    with capture_logs() as lines:
        kept = await store.capture(fake(html="x" * 2000), ("big",))
    assert [path.suffix for path in kept] == [".jpg"]
    assert len(names(tmp_path)) == 3
    assert [line["event"] for line in lines] == [events.ARTIFACT_LOST]


async def test_html_is_cut_between_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is one of bytes, and what remains is still UTF-8."""
    monkeypatch.setattr(artifacts, "HTML", ArtifactKind(".html", 10))
    kept = await ArtifactStore(tmp_path, 10, 10_000).capture(fake(html="상품상품"), ("p",))
    assert kept[0].read_text(encoding="utf-8") == "상품상"


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        (PlaywrightError("Page.evaluate: Target crashed"), []),
        (PlaywrightError("Page.evaluate: TypeError: no"), [".jpg"]),
        (RuntimeError("anything"), [".jpg"]),
        (None, [".jpg"]),
    ],
)
async def test_what_cannot_be_kept_is_logged(tmp_path: Path, html: Any, kept: list[str]) -> None:
    """A page that is gone is not asked again; otherwise the other file is still tried."""
    with capture_logs() as lines:
        paths = await ArtifactStore(tmp_path, 10, 10_000).capture(fake(html=html), ("p",))
    assert [path.suffix for path in paths] == kept
    assert [line["event"] for line in lines] == [events.ARTIFACT_LOST]


async def test_a_page_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first deadline nothing more is asked of it."""

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(artifacts, "_HTML_TIMEOUT_S", 0.01)
    page = cast(Page, SimpleNamespace(evaluate=never))
    with capture_logs() as lines:
        assert await ArtifactStore(tmp_path, 10, 10_000).capture(page, ("p",)) == []
    assert len(lines) == 1
    assert "timeout" in lines[0]["reason"]


async def test_cancellation_passes_through(tmp_path: Path) -> None:
    """Evidence does not hold up a stop."""

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    store = ArtifactStore(tmp_path, 10, 10_000)
    task = asyncio.create_task(store.capture(cast(Page, SimpleNamespace(evaluate=never)), ("p",)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_folder_that_cannot_be_written_is_logged(tmp_path: Path) -> None:
    """A file in the folder's place loses evidence and nothing else."""
    (tmp_path / "taken").write_text("")
    with capture_logs() as lines:
        assert await ArtifactStore(tmp_path / "taken", 10, 10_000).capture(fake(), ("p",)) == []
    assert {line["event"] for line in lines} == {events.ARTIFACT_LOST}


async def test_only_abandoned_pieces_are_swept(tmp_path: Path) -> None:
    """What another worker is writing now stays; what a dead one left behind goes."""
    (tmp_path / "fresh.html.a1.part").write_text("x")
    (tmp_path / "stale.html.a2.part").write_text("x")
    os.utime(tmp_path / "stale.html.a2.part", (1000, 1000))
    await ArtifactStore(tmp_path, 10, 10_000).capture(fake(), ("p",))
    assert [name for name in names(tmp_path) if name.endswith(".part")] == ["fresh.html.a1.part"]


async def test_several_writers_share_a_folder(tmp_path: Path) -> None:
    """Files that others remove in between are normal, and the bounds hold in the end."""
    stores = [ArtifactStore(tmp_path, 6, 10_000) for _ in range(4)]
    with capture_logs() as lines:
        await asyncio.gather(*(stores[n % 4].capture(fake(), (f"p{n}",)) for n in range(40)))
    assert len(names(tmp_path)) <= 6
    assert lines == []


@given(st.lists(st.text(max_size=300), max_size=4))
def test_a_name_stays_in_its_folder(parts: list[str]) -> None:
    """Whatever the ids are, the name is one short, plain component of a path."""
    name = file_name(parts)
    assert Path(name).name == name
    assert name.isascii()
    assert 0 < len(name) <= 120
    assert not name.startswith((".", "-"))


def test_different_parts_have_different_names() -> None:
    """Ids that read the same after cleaning do not overwrite each other."""
    assert len({file_name(parts) for parts in (["상품"], ["제품"], ["a/b"], ["a_b"], ["a", "b"], ["a-b"])}) == 6
