"""`pagemill check` says where each value of the guard comes from, and which lines hide what a profile sets."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pagemill.broker import connection
from pagemill.config.profiles import PROFILES
from tests.unit.cli.command import run
from tests.unit.config.shipped_settings import SETTINGS_TEXT, in_force, with_profile

SHIPPED = Path(__file__).parents[3] / "config"
FILE = "config/pagemill.yaml"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped configuration; nobody waits for the Redis that is not there."""
    monkeypatch.setattr(connection, "_FIRST_TIMEOUT_S", 0.1)
    shutil.copytree(SHIPPED, tmp_path / "config")
    return tmp_path


def guard_rows(place: Path, text: str, **environment: str) -> dict[str, tuple[str, str]]:
    """Word and text of the guard's lines of `pagemill check`, by key, with that text as `pagemill.yaml`."""
    (place / FILE).write_text(text)
    said = run(place, "check", PAGEMILL_REDIS_URL="redis://127.0.0.1:1", **environment)
    rows: dict[str, tuple[str, str]] = {}
    key = ""
    for line in said.out.splitlines():
        cells = [cell.strip() for cell in re.split("[│┃]", line)]
        if len(cells) < 5:
            continue
        key = cells[2] or key
        word, before = rows.get(key, (cells[1], ""))
        rows[key] = word, f"{before} {cells[3]}".strip()
    return {key: row for key, row in rows.items() if key.startswith("guard")}


def line_of(text: str, key: str) -> int:
    """The line of the file in which that key of the guard stands."""
    return 1 + next(number for number, line in enumerate(text.splitlines()) if line.startswith(f"  {key}:"))


def test_without_a_profile_values_are_the_files_or_defaults(place: Path) -> None:
    """A line for every value, alerts among them."""
    rows = guard_rows(place, SETTINGS_TEXT)
    assert rows["guard.warning_percent"] == ("ok", "70: default")
    assert rows["guard.max_cache_size"] == ("ok", f"1000: {FILE}:{line_of(SETTINGS_TEXT, 'max_cache_size')}")
    assert rows["guard.enable_auto_gc"] == ("ok", f"true: {FILE}:{line_of(SETTINGS_TEXT, 'enable_auto_gc')}")
    assert rows["guard.alerts.cooldown_minutes"][1].startswith(f"15: {FILE}:")
    assert {word for word, _ in rows.values()} == {"ok"}


def test_what_a_profile_sets_is_told_as_its_own(place: Path) -> None:
    """With the shipped file, in which nothing but the profile was changed."""
    rows = guard_rows(place, with_profile(SETTINGS_TEXT, "production"))
    assert rows["guard.warning_percent"] == ("ok", "65: profile production")
    assert rows["guard.memory_limit_mb"] == ("ok", "2048: profile production")
    assert {word for word, _ in rows.values()} == {"ok"}


def test_a_line_of_an_older_file_that_hides_the_profile_is_told(place: Path) -> None:
    """0.1 shipped every line: those that still say its default, and not what the profile says, get advice."""
    text = with_profile(in_force(SETTINGS_TEXT), "production")
    rows = guard_rows(place, text)
    hidden = {key for key, (word, _) in rows.items() if word == "advice"}
    assert hidden == {f"guard.{key}" for key in PROFILES["production"]} - {"guard.critical_percent"}
    said = "That is the default, and it hides the 65 of profile production: remove the line, unless 70 is meant"
    assert rows["guard.warning_percent"][1] == f"70: {FILE}:{line_of(text, 'warning_percent')}. {said}"
    assert rows["guard.critical_percent"][0] == "ok", "the profile says what the default is"


def test_a_line_that_was_changed_beats_the_profile(place: Path) -> None:
    """That is meant: it is told and no reason for advice."""
    text = with_profile(SETTINGS_TEXT, "production").replace("  # warning_percent: 70", "  warning_percent: 68")
    rows = guard_rows(place, text)
    said = f"68: {FILE}:{line_of(text, 'warning_percent')}, before the 65 of profile production"
    assert rows["guard.warning_percent"] == ("ok", said)


def test_the_environment_names_a_profile_too(place: Path) -> None:
    """And beats the file, so that machines with the same files may have different ones."""
    text = with_profile(SETTINGS_TEXT, "production")
    rows = guard_rows(place, text, PAGEMILL_PROFILE="high_load")
    assert rows["guard.warning_percent"] == ("ok", "60: profile high_load (PAGEMILL_PROFILE)")
    (place / FILE).unlink()
    said = run(place, "check", PAGEMILL_PROFILE="high-load")
    assert said.code == 2
    assert "PAGEMILL_PROFILE" in said.out
    assert "did you mean `high_load`?" in said.out


def test_the_profile_of_the_environment_needs_no_file(place: Path) -> None:
    """A folder without `pagemill.yaml` has the defaults, and the profile's."""
    rows = guard_rows(place, "", PAGEMILL_PROFILE="development")
    assert rows["guard.memory_limit_mb"] == ("ok", "512: profile development (PAGEMILL_PROFILE)")
