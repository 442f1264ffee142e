"""`pagemill check`: every mistake of every file at once, and on a good configuration what the machine offers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pagemill.broker import connection
from tests.unit.cli.command import run

GOOD = """\
platform: {name}
hosts: [www.shop.test]
extract:
  fields:
    name: h1
    price: {{selector: .price, type: number}}
"""

BROKEN: dict[str, tuple[str, int, str, str]] = {
    "one": (GOOD.replace("hosts:", "hots:"), 2, "hots", "did you mean `hosts`?"),
    "two": (GOOD + "workflow: {{concurrency: {{default: 0}}}}\n", 7, "workflow.concurrency.default", "1"),
    "three": (
        GOOD + "workflow:\n  rate_limit:\n    wait_time_ms: 4000-3000\n",
        9,
        "workflow.rate_limit.wait_time_ms",
        "smaller number first",
    ),
    "four": (GOOD.replace("type: number", "type: nummer"), 6, "extract.fields.price.type", "number"),
    "five": (GOOD.replace("www.shop.test", "https://www.shop.test/"), 2, "hosts", "without scheme and path"),
    "six": (GOOD + "retry: {{attempts: three}}\n", 7, "retry.attempts", "whole number"),
    "seven": (GOOD + "judge:\n  gone:\n    status: [4040]\n", 9, "judge.gone.status", "599"),
    "eight": (GOOD.replace("  fields:", "  strategy: magic\n  fields:"), 4, "extract.strategy", "dom, jsonld"),
    "nine": (GOOD + "rotation: {{page: sometimes}}\n", 7, "rotation.page", "auto"),
}
"""Platform files with one mistake each: content, line, key, and a part of the remedy."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an empty configuration."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    return tmp_path


def test_ten_broken_files_give_ten_messages(place: Path) -> None:
    """Each with file, line, key and what to write instead; one run is enough to find them all."""
    platforms = place / "config" / "platforms"
    for name, (content, *_rest) in BROKEN.items():
        (platforms / f"{name}.yaml").write_text(content.format(name=name))
    (place / "config" / "pagemill.yaml").write_text("pool:\n  max_errors: 3\n  max_erors: 3\n")

    said = run(place, "check")

    assert said.code == 2
    lines = said.out.splitlines()
    places = {name: (f"config/platforms/{name}.yaml", *expected) for name, (_, *expected) in BROKEN.items()}
    places["settings"] = ("config/pagemill.yaml", 3, "pool.max_erors", "did you mean `max_errors`?")
    for file, number, key, remedy in places.values():
        about = [line for line in lines if line.startswith(f"{file}:{number}: {key}")]
        assert about, f"{file}:{number}: {key} is not in:\n{said.out}"
        assert any(re.search(r"\(.*" + re.escape(str(remedy)) + r".*\)$", line) for line in about), about
    told = {line.partition(":")[0] for line in lines}
    assert told == {str(file) for file, *_rest in places.values()}
    assert f"{len(lines)} mistakes" in said.err
    assert len(lines) - len(places) == 1, "only a misspelt `hosts` is missing as well"


def test_a_mistake_in_the_environment_is_one_too(place: Path) -> None:
    """And its value is not repeated: it may be a secret."""
    said = run(place, "check", PAGEMILL_REDIS_URL="hushhush", PAGEMILL_LOG_LEVEL="LOUD", PAGEMILL_REDIS="x")
    assert said.code == 2
    assert len(said.out.splitlines()) == 3
    assert all(f"environment: PAGEMILL_{name}:" in said.out for name in ("REDIS_URL", "LOG_LEVEL", "REDIS"))
    assert "hushhush" not in said.out + said.err


def chromium(folder: Path) -> Path:
    """A browser that knows its version."""
    path = folder / "chromium"
    path.write_text("#!/bin/sh\necho Chromium 156.0\n")
    path.chmod(0o755)
    return path


def test_a_good_configuration_is_followed_by_the_machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every subject has its line; what is missing decides the exit code, here a Redis that nobody started."""
    monkeypatch.setattr(connection, "_FIRST_TIMEOUT_S", 0.5)
    (place / "config" / "platforms" / "shop.yaml").write_text(GOOD.format(name="shop"))
    said = run(
        place,
        "check",
        COLUMNS="250",
        PAGEMILL_CHROMIUM=str(chromium(place)),
        PAGEMILL_REDIS_URL="redis://127.0.0.1:1",
    )
    assert said.code == 69
    shown = {
        cells[2].strip(): cells[1].strip()
        for line in said.out.splitlines()
        if len(cells := re.split("[│┃]", line)) > 3 and cells[2].strip()
    }
    assert shown.items() >= {"configuration": "ok", "browser": "ok", "redis": "NOT OK", "database": "ok"}.items()
    assert {"memory", "sandbox", "platform shop"} <= shown.keys()
    assert "PAGEMILL_REDIS_URL" in said.out
