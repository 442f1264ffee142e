"""A Redis whose users may not do everything (ACL): what is missing is told in a line, and never by a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from pagemill.checks.redis_server import NEEDED_RIGHTS, look_at_redis
from tests.redis.conftest import UrlOf
from tests.unit.cli.command import run

pytestmark = pytest.mark.redis

PLATFORM = "platform: shop\nhosts: [www.shop.com]\nextract: {fields: {name: h1}}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a platform and a catalogue."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(PLATFORM)
    (tmp_path / "rows.csv").write_text("id,url\n1,https://www.shop.com/1\n")
    return tmp_path


def test_check_tells_what_it_may_not_see(place: Path, url_of: UrlOf) -> None:
    """Rights without the dangerous commands are enough to work with, so the rest is advice."""
    said = run(place, "check", PAGEMILL_REDIS_URL=url_of("limited"), COLUMNS="200")
    told = " ".join(said.out.replace("│", " ").split())
    assert "advice redis at PAGEMILL_REDIS_URL; its version and its maxmemory-policy cannot be seen" in told
    assert "noeviction" in told
    assert "Traceback" not in said.out + said.err


def test_with_info_besides_the_version_is_seen(place: Path, url_of: UrlOf) -> None:
    """That one right is all that was missing."""
    found = look_at_redis(url_of("seeing"), place)
    assert found.fine
    assert not found.is_advice
    assert "version " in found.text


@pytest.mark.parametrize(("user", "lacking"), [("narrow", "(~pagemill:*)"), ("blind", "scripts")])
def test_check_names_the_rights_that_are_lacking(place: Path, url_of: UrlOf, user: str, lacking: str) -> None:
    """And the rights that would do."""
    found = look_at_redis(url_of(user), place)
    assert not found.fine
    assert lacking in found.text
    assert found.text.endswith(NEEDED_RIGHTS)
    assert found.exit_code == 69


def test_the_look_leaves_nothing_behind(place: Path, url_of: UrlOf, redis_client: redis.Redis) -> None:
    """It tries everything on what is not there."""
    redis_client.set("rq:mine", "1")
    assert look_at_redis(url_of("seeing"), place).fine
    assert redis_client.keys() == [b"rq:mine"]


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("narrow", ["status"]),
        ("narrow", ["report"]),
        ("blind", ["status"]),
        ("blind", ["report"]),
        ("blind", ["enqueue", "rows.csv", "--platform", "shop"]),  # it touches no key of pagemill's own
    ],
)
def test_a_command_that_is_refused_says_so_in_one_line(
    place: Path, url_of: UrlOf, user: str, command: list[str]
) -> None:
    """With the cause, and not as if the server had gone."""
    said = run(place, *command, PAGEMILL_REDIS_URL=url_of(user))
    assert said.code == 69
    assert "Traceback" not in said.err
    assert said.err.splitlines()[-1].startswith("pagemill: ")
    assert "no permissions" in said.err.splitlines()[-1]
    assert "went away" not in said.err


@pytest.mark.parametrize("command", [["status"], ["enqueue", "rows.csv", "--platform", "shop"]])
def test_the_named_rights_are_enough(place: Path, url_of: UrlOf, command: list[str]) -> None:
    """For commands as for workers."""
    said = run(place, *command, PAGEMILL_REDIS_URL=url_of("limited"))
    assert said.code == 0, said.err
