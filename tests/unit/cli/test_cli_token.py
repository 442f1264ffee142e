"""`pagemill token`: one JWT on standard output, or what to do to get one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pagemill.cli.token import seconds_of
from pagemill.control_room.frame.tokens import verify
from pagemill.errors import UsageError
from tests.unit.cli.command import run

SECRET = "sixty-four-characters-that-nobody-else-has-seen-or-will-ever-see"


@pytest.mark.parametrize(
    ("arguments", "role", "lasts_s"),
    [
        (["--role", "admin"], "admin", 12 * 3600),
        (["--role", "planner", "--expires", "30m"], "planner", 1800),
        (["--role", "admin", "--expires", "7d"], "admin", 7 * 86400),
    ],
)
def test_the_token_is_all_that_is_printed(tmp_path: Path, arguments: list[str], role: str, lasts_s: int) -> None:
    """A script takes it as it is. No configuration folder is needed."""
    before = datetime.now(UTC)
    said = run(tmp_path, "token", *arguments, PAGEMILL_API_SECRET=SECRET)
    after = datetime.now(UTC)
    assert (said.code, said.err) == (0, "")
    token = said.out.removesuffix("\n")
    access = verify(SECRET, token, after)
    assert access.role == role
    assert access.expires_at is not None
    assert (before.timestamp() - 1) <= access.expires_at.timestamp() - lasts_s <= after.timestamp()


def test_the_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """The line break that editors leave at its end is not part of it."""
    (tmp_path / "secret").write_text(f"  {SECRET}\n\n")
    said = run(tmp_path, "token", "--role", "admin", PAGEMILL_API_SECRET_FILE=str(tmp_path / "secret"))
    assert verify(SECRET, said.out.strip(), datetime.now(UTC)).may_change


def test_without_a_secret_it_says_how_to_set_one(tmp_path: Path) -> None:
    """In one line, with the command that makes one."""
    said = run(tmp_path, "token", "--role", "admin")
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    for word in ("PAGEMILL_API_SECRET", "PAGEMILL_API_SECRET_FILE", "token_urlsafe"):
        assert word in said.err


def test_a_short_secret_signs_nothing(tmp_path: Path) -> None:
    """And is not repeated."""
    said = run(tmp_path, "token", "--role", "admin", PAGEMILL_API_SECRET="hunter2")
    assert (said.code, said.out) == (2, "")
    assert "shorter than 32 characters" in said.err
    assert "hunter2" not in said.err


@pytest.mark.parametrize("arguments", [[], ["--role", "root"], ["--role", "ADMIN"]], ids=str)
def test_a_role_must_be_one_of_the_two(tmp_path: Path, arguments: list[str]) -> None:
    """None is the usual one."""
    said = run(tmp_path, "token", *arguments, PAGEMILL_API_SECRET=SECRET)
    assert (said.code, said.out) == (2, "")
    assert "--role" in said.err


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m", 60), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("720h", 2_592_000)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    """Minutes, hours, days."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "12", "h", "12 h", "-1h", "1.5h", "0m", "1w", "12H", "1h30m", "\u0661h", "9" * 5000]
)
def test_what_is_no_duration_is_explained(text: str) -> None:
    """With examples."""
    with pytest.raises(UsageError, match="30m, 12h or 7d"):
        seconds_of(text)


@pytest.mark.parametrize("text", ["31d", "721h", "999999d"])
def test_a_token_lasts_thirty_days_at_most(text: str) -> None:
    """None can be taken back, so none may be good for years."""
    with pytest.raises(UsageError, match="30d or less"):
        seconds_of(text)


@pytest.mark.parametrize("arguments", [[], ["--role", "admin", "--revoke-all"], ["--revoke-all", "--revoke", "x"]])
def test_it_makes_or_revokes(tmp_path: Path, arguments: list[str]) -> None:
    """One thing at a time, and it says which there are."""
    said = run(tmp_path, "token", *arguments, PAGEMILL_API_SECRET=SECRET)
    assert (said.code, said.out) == (2, "")
    for word in ("--role", "--revoke", "--revoke-all"):
        assert word in said.err


def test_a_token_of_another_secret_is_not_revoked(tmp_path: Path) -> None:
    """It opens nothing here anyway, and may be one that was cut when it was copied."""
    token = run(tmp_path, "token", "--role", "admin", PAGEMILL_API_SECRET=SECRET[::-1]).out.strip()
    said = run(tmp_path, "token", "--revoke", token, PAGEMILL_API_SECRET=SECRET)
    assert said.code == 2
    assert token not in said.out + said.err
