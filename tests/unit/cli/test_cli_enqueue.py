"""`pagemill enqueue` before it opens a queue: `--strict`, and how bad rows are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.cli import enqueue
from tests.unit.cli.command import run

SHOP = "platform: shop\nhosts: [www.shop.com]\nextract: {fields: {name: h1}}\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one platform; to open Redis is a defect here."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(SHOP)

    def refuse(*_arguments: object) -> None:
        raise AssertionError("Redis was opened")

    monkeypatch.setattr(enqueue, "open_redis", refuse)
    return tmp_path


def test_a_strict_call_refuses_bad_rows_before_it_opens_anything(place: Path) -> None:
    """Each is named with its line, and the remedy is on the last one; neither queue nor database is touched."""
    (place / "c.csv").write_text(
        "id,url\nA1,https://www.shop.com/1\n,https://www.shop.com/2\nA1,https://www.shop.com/3\n"
    )
    said = run(place, "enqueue", "c.csv", "--platform", "shop", "--strict")
    assert said.code == 2
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0].startswith("line 3: no id")
    assert lines[1].startswith("line 4: id 'A1' is in line 2 already")
    assert lines[2] == "pagemill: c.csv: 2 bad rows, nothing was queued: correct them or omit --strict"
    assert not (place / "data").exists()


def test_a_strict_call_goes_on_with_a_clean_file(place: Path) -> None:
    """It gets as far as the queue."""
    (place / "c.csv").write_text("id,url\nA1,https://www.shop.com/1\n")
    with pytest.raises(AssertionError, match="Redis was opened"):
        run(place, "enqueue", "c.csv", "--platform", "shop", "--strict")


def test_bad_rows_without_end_do_not_flood_the_terminal(place: Path) -> None:
    """Twenty are shown, all are counted."""
    (place / "c.csv").write_text("id,url\n" + ",https://www.shop.com/1\n" * 500)
    said = run(place, "enqueue", "c.csv", "--platform", "shop", "--strict")
    assert said.code == 2
    assert sum(line.startswith("line ") for line in said.err.splitlines()) == 20
    assert "only their number is shown" in said.err
    assert "500 bad rows" in said.err


def test_what_a_row_says_is_not_taken_for_markup(place: Path) -> None:
    """Brackets in a catalogue are text."""
    (place / "c.csv").write_text("id,url\nA1,https://[bold]evil.test/\n")
    said = run(place, "enqueue", "c.csv", "--platform", "shop", "--strict", COLUMNS="200")
    assert said.code == 2
    assert "[bold]" in said.err
