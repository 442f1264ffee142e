"""What `pagemill check` finds on a machine: each thing that is missing is named with its exit code and its remedy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pagemill.broker import connection
from pagemill.browser.flags import Machine
from pagemill.browser.name_lookup import NameLookup
from pagemill.checks import examination
from pagemill.checks.examination import examine
from pagemill.checks.finding import Finding
from pagemill.config.loading import load_config
from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, Settings
from pagemill.guard.probe import MachineMemory


def shop(name: str, lanes: int = 4, **sections: Any) -> Platform:
    """A platform with so many lanes."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"concurrency": {"default": lanes}},
            "extract": {"fields": {"name": "h1"}},
            **sections,
        }
    )


def program(folder: Path, script: str, name: str = "chromium") -> Path:
    """A program that does as the script says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def nobody_knows(host: str) -> tuple[str, ...]:
    """A resolver that is asked in no unit test."""
    raise OSError(f"{host} is not known")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 8 GB whose numbers do not depend on the real one; nobody waits long for a server."""
    monkeypatch.setattr(examination, "examine_machine", lambda: Machine(shm_total_mb=2048, can_sandbox=False))
    monkeypatch.setattr(examination, "memory_limit_mb", lambda: 8192)
    monkeypatch.setattr(examination, "machine_memory", lambda: MachineMemory(available_mb=6000, swap_mb=1024))
    monkeypatch.setattr(connection, "_FIRST_TIMEOUT_S", 0.5)
    monkeypatch.setattr(examination, "NameLookup", partial(NameLookup, nobody_knows))


def found(
    folder: Path, *platforms: Platform, settings: Settings | None = None, **environment: Any
) -> dict[str, Finding]:
    """The findings by subject, for a machine on which only Redis is missing unless told otherwise."""
    values = {
        "chromium": folder / "chromium",
        "redis_url": "redis://127.0.0.1:1",
        "database_url": f"sqlite:///{folder / 'results.db'}",
        **environment,
    }
    config = Config(
        settings=settings or Settings(),
        platforms={platform.platform: platform for platform in platforms},
        environment=Environment(**values),
    )
    if not (folder / "chromium").exists():
        program(folder, "echo Chromium 156.0")
    return {finding.subject: finding for finding in examine(config, folder / "data")}


def test_a_browser_that_answers_is_fine(tmp_path: Path) -> None:
    """Its path and version are told."""
    browser = found(tmp_path)["browser"]
    assert browser.fine
    assert browser.text == f"{tmp_path / 'chromium'}: Chromium 156.0"


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (None, "is not a program"),
        ("echo cannot open display >&2; exit 3", "cannot open display"),
        ("exec sleep 60", "timed out"),
    ],
)
def test_a_browser_that_does_not_run_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, cause: str
) -> None:
    """Missing, broken or stuck: 69, the cause, and never a wait without an end."""
    monkeypatch.setattr(examination, "_VERSION_TIMEOUT_S", 0.2)
    path = tmp_path / "nowhere" if script is None else program(tmp_path, script)
    browser = found(tmp_path, chromium=path)["browser"]
    assert not browser.fine
    assert browser.exit_code == 69
    assert cause in browser.text
    assert str(path) in browser.text


def test_a_file_that_is_no_program_is_said_to_be_none(tmp_path: Path) -> None:
    """Executable by its mode, and nothing that the kernel can start."""
    path = tmp_path / "text"
    path.write_bytes(b"\x00\x01 no program")
    path.chmod(0o755)
    browser = found(tmp_path, chromium=path)["browser"]
    assert (browser.fine, browser.exit_code) == (False, 69)
    assert "does not run" in browser.text


def test_redis_and_database_out_of_reach_are_69_too(tmp_path: Path) -> None:
    """Each with what to correct; the others are examined all the same."""
    (tmp_path / "file").touch()
    findings = found(tmp_path, database_url=f"sqlite:///{tmp_path / 'file' / 'results.db'}")
    for subject, word in (("redis", "PAGEMILL_REDIS_URL"), ("database", "PAGEMILL_DATABASE_URL")):
        assert (findings[subject].fine, findings[subject].exit_code) == (False, 69)
        assert word in findings[subject].text
    assert findings["browser"].fine


def test_a_database_that_answers_is_fine(tmp_path: Path) -> None:
    """An empty one is made on the way, as a worker would."""
    assert found(tmp_path)["database"] == Finding("database", True, "answers; no run yet")


@pytest.mark.parametrize(
    ("limit_mb", "swap_mb", "fine", "words"),
    [
        (8192, 1024, True, "a page every 7 uses"),
        (512, 1024, False, "give it at least 550 MB"),
        (8192, 0, True, "without swap"),
    ],
)
def test_memory_is_told_with_what_follows_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_mb: int, swap_mb: int, fine: bool, words: str
) -> None:
    """What `auto` comes to, what is too little, and what a machine without swap has to heed."""
    monkeypatch.setattr(examination, "memory_limit_mb", lambda: limit_mb)
    monkeypatch.setattr(examination, "machine_memory", lambda: MachineMemory(available_mb=6000, swap_mb=swap_mb))
    memory = found(tmp_path)["memory"]
    assert memory.fine is fine
    assert f"{limit_mb} MB may be used" in memory.text
    assert words in memory.text


@pytest.mark.parametrize(
    ("written", "words"),
    [("auto", "off (auto): run as an ordinary user"), (True, "on (True)"), (False, "off (False)")],
)
def test_the_sandbox_is_told(tmp_path: Path, written: object, words: str) -> None:
    """Being without is no mistake, but advised against, and the way to it is named."""
    settings = Settings.model_validate({"browser": {"sandbox": written}})
    sandbox = found(tmp_path, settings=settings)["sandbox"]
    assert (sandbox.fine, sandbox.is_advice) == (True, "off" in words)
    assert words in sandbox.text


def test_each_platform_is_told_with_its_sums(tmp_path: Path) -> None:
    """Lanes, and what rotation comes to here; written numbers stay."""
    findings = found(tmp_path, shop("few"), shop("many", lanes=12), shop("own", rotation={"page": 3, "context": 9}))
    assert "2 platforms" not in findings["configuration"].text
    assert findings["configuration"].text == "3 platforms: few, many, own"
    few, many, own = (findings[f"platform {name}"].text for name in ("few", "many", "own"))
    assert "4 lanes, page every 7 and context every 35 uses" in few
    assert "12 lanes" in many
    assert "page every 3 and context every 9 uses" in own
    assert "whole fleet" not in few


def test_seats_are_told_beside_the_lanes(tmp_path: Path) -> None:
    """Lanes are this worker's, visits at one time everybody's."""
    workflow = {"concurrency": {"default": 4, "fleet": 1}}
    text = found(tmp_path, shop("few", workflow=workflow))["platform few"].text
    assert "4 lanes (1 visit at one time in the whole fleet), page every 7" in text


@pytest.mark.parametrize(
    ("lanes", "written", "memory_mb", "words"),
    [
        ([4], "auto", 8192, "4 visits at work at once, all platforms together; pool.places is auto, 4 lanes, 2 cores"),
        ([4], "auto", 8192, "in shared memory: 4 places want 1024 MB of /dev/shm, there are 2048 MB"),
        ([4] * 6, "auto", 8192, "8 visits at work at once, all platforms together; pool.places is auto, 24 lanes"),
        ([4] * 6, 12, 8192, "in files (give its container a larger shm_size: 4gb): 12 places want 4096 MB"),
        ([4] * 6, 3, 8192, "3 visits at work at once, all platforms together; pool.places is 3"),
        ([4] * 6, "auto", 700, "2 visits at work at once of the 8 wanted, which is what memory carries"),
    ],
)
def test_places_are_told_with_what_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lanes: list[int], written: object, memory_mb: int, words: str
) -> None:
    """Cores, lanes, memory, and whether /dev/shm carries them."""
    monkeypatch.setattr(examination, "memory_limit_mb", lambda: memory_mb)
    monkeypatch.setattr(examination, "cores", lambda: 2)
    settings = Settings.model_validate({"pool": {"places": written}})
    shops = [shop(f"shop-{number}", lanes=each) for number, each in enumerate(lanes)]
    assert words in found(tmp_path, *shops, settings=settings)["places"].text


def test_a_platform_that_hangs_on_single_selectors_gets_advice(tmp_path: Path) -> None:
    """It works, so it is no mistake; what outlives redesigns or has a second place is not told."""
    shop = """
platform: shop
hosts: [www.shop.com]
extract:
  sources:
    - strategy: structured
      fields: [price]
    - strategy: dom
      fields: {name: .title-x9, price: .amount, brand: [.brand, .maker], image: 'meta[property="og:image"]'}
"""
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "shop.yaml").write_text(shop)
    [finding] = examination._fragile(load_config(tmp_path, {}))
    assert (finding.fine, finding.is_advice, finding.subject) == (True, True, "fields of shop")
    assert "name on .title-x9." in finding.text


@pytest.mark.parametrize(
    ("looked_through", "subject"),
    [
        ("find_chromium", "browser"),
        ("look_at_redis", "redis"),
        ("ResultStore", "database"),
        ("examine_machine", "memory"),
        ("fragile_fields", "fields"),
    ],
)
def test_a_look_that_fails_unexpectedly_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked_through: str, subject: str
) -> None:
    """Whatever it fails by: one line that names it, and the other looks come all the same."""
    program(tmp_path, "echo Chromium 156.0")
    everything = set(found(tmp_path, shop("one")))

    def fail(*_arguments: object) -> None:
        raise RuntimeError("something\nodd")

    monkeypatch.setattr(examination, looked_through, fail)
    findings = found(tmp_path, shop("one"))
    assert not findings[subject].fine
    assert "RuntimeError: something odd (test_examination.py:" in findings[subject].text
    missing = everything - set(findings)
    assert all(name in ("places", "sandbox", "platform one", "fields of one") for name in missing), missing


def test_log_files_are_looked_at_where_they_are_asked_for(tmp_path: Path) -> None:
    """A folder that cannot be written is named, with what to change."""
    assert "log files" not in found(tmp_path, shop("a"))
    good = found(tmp_path, shop("a"), log_folder=tmp_path / "logs" / "here")["log files"]
    assert (good.fine, good.text) == (True, f"combined.log, error.log, performance.log in {tmp_path}/logs/here")
    (tmp_path / "file").touch()
    bad = found(tmp_path, shop("a"), log_folder=tmp_path / "file")["log files"]
    assert not bad.fine
    assert "PAGEMILL_LOG_FOLDER" in bad.text
    assert list((tmp_path / "logs" / "here").iterdir()) == []


CATALOG = {"table": "goods", "update": {"columns": {"name": "name"}}}


def catalogue(folder: Path) -> str:
    """The URL of a catalogue's database."""
    path = folder / "goods.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE goods (id TEXT PRIMARY KEY, url TEXT, name TEXT)")
    return f"sqlite:///{path}"


def test_a_catalogue_that_may_be_written_is_told(tmp_path: Path) -> None:
    """With its columns, and whether the audit is there; looking changes nothing."""
    url = catalogue(tmp_path)
    before = (tmp_path / "goods.db").read_bytes()
    finding = found(tmp_path, shop("a", catalog=CATALOG), catalog_write_url=url)["catalogue of a"]
    assert finding.fine
    assert finding.text == (
        "may be written: name of goods; the audit pagemill_applied is made by the first `pagemill apply --yes`"
    )
    with closing(sqlite3.connect(tmp_path / "goods.db")) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == [
            "goods"
        ]
    assert len((tmp_path / "goods.db").read_bytes()) == len(before)


def test_a_catalogue_without_an_account_for_writing_is_an_advice(tmp_path: Path) -> None:
    """`apply` shows what it would write; of a platform without `catalog.update` nothing is said."""
    findings = found(tmp_path, shop("a", catalog=CATALOG), shop("b"), catalog_url=catalogue(tmp_path))
    finding = findings["catalogue of a"]
    assert (finding.fine, finding.is_advice) == (True, True)
    assert "PAGEMILL_CATALOG_WRITE_URL is not set" in finding.text
    assert "catalogue of b" not in findings


@pytest.mark.parametrize(
    ("catalog", "said", "exit_code"),
    [
        ({**CATALOG, "table": "gods"}, "no table gods: did you mean goods", 2),
        ({**CATALOG, "update": {"columns": {"name": "title"}}}, "no column title", 2),
    ],
)
def test_a_catalogue_that_is_not_as_it_should_be_is_told(
    tmp_path: Path, catalog: dict[str, Any], said: str, exit_code: int
) -> None:
    """With the nearest name."""
    findings = found(tmp_path, shop("a", catalog=catalog), catalog_write_url=catalogue(tmp_path))
    finding = findings["catalogue of a"]
    assert (finding.fine, finding.exit_code) == (False, exit_code)
    assert said in finding.text


def test_a_catalogue_that_is_away_is_told(tmp_path: Path) -> None:
    """With the variable that names it."""
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    finding = found(tmp_path, shop("a", catalog=CATALOG), catalog_write_url=url)["catalogue of a"]
    assert (finding.fine, finding.exit_code) == (False, 69)
    assert "correct PAGEMILL_CATALOG_WRITE_URL" in finding.text
