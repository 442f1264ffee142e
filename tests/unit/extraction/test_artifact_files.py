"""Evidence is read again by the parts of its name, and nothing else is ever read instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pagemill.extraction.artifact_files import HTML, PICTURE, ArtifactKind, file_name, find_artifact, read

PARTS = ("run-1", "p/7")


def place(folder: Path, kind: ArtifactKind) -> Path:
    return folder / f"{file_name(PARTS)}{kind.suffix}"


def test_what_was_kept_is_found_and_read(tmp_path: Path) -> None:
    """Each kind for itself, with its size and its age."""
    place(tmp_path, HTML).write_bytes(b"<p>")
    os.utime(place(tmp_path, HTML), (1000, 1000))
    found = find_artifact(tmp_path, PARTS, HTML)
    assert found is not None
    assert (found.bytes, found.taken_at.timestamp()) == (3, 1000)
    assert read(tmp_path, PARTS, HTML) == b"<p>"
    assert (find_artifact(tmp_path, PARTS, PICTURE), read(tmp_path, PARTS, PICTURE)) == (None, None)
    assert find_artifact(tmp_path, ("run-1", "p_7"), HTML) is None
    assert find_artifact(tmp_path / "none", PARTS, HTML) is None
    (tmp_path / "file").write_bytes(b"")
    assert find_artifact(tmp_path / "file", PARTS, HTML) is None


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "large"])
def test_nothing_else_is_read(tmp_path: Path, kind: str) -> None:
    """Of that name: a link out of the folder, a folder, a pipe that would keep the reader, more than may be kept."""
    at = place(tmp_path, PICTURE)
    if kind == "link":
        (tmp_path / "secret").write_bytes(b"secret")
        at.symlink_to(tmp_path / "secret")
    elif kind == "folder":
        at.mkdir()
    elif kind == "pipe":
        os.mkfifo(at)
    else:
        with at.open("wb") as file:
            file.truncate(PICTURE.most_bytes + 1)
    assert find_artifact(tmp_path, PARTS, PICTURE) is None
    assert read(tmp_path, PARTS, PICTURE) is None


@pytest.mark.parametrize("id", ["../../etc/passwd", "/etc/passwd", "..", "a\0b", "x" * 5000])
def test_no_id_leads_out_of_the_folder(tmp_path: Path, id: str) -> None:
    """A name has no slash in it, whatever it is made of."""
    name = file_name(("run-1", id))
    assert "/" not in name
    assert "\0" not in name
    assert len(name) < 120
    assert read(tmp_path, ("run-1", id), HTML) is None
