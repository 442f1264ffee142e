"""Every command explains itself, and says what is wrong with a call in a way that a person can act on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from pagemill import __version__
from pagemill.cli.main import app
from tests.unit.cli.command import run

SHOP = """\
platform: shop
hosts: [www.shop.test]
extract: {fields: {name: h1}}
"""


def command_of(name: str) -> Any:
    """What typer has made of a command."""
    group: Any = typer.main.get_command(app)
    return group.commands[name]


def commands() -> list[str]:
    """The names of all commands."""
    group: Any = typer.main.get_command(app)
    return sorted(group.commands)


def test_the_commands_of_the_contract_are_there() -> None:
    """Scripts call them by these names."""
    assert set(commands()) >= {"demo", "storefront", "enqueue", "worker", "status", "results", "try", "check"}


@pytest.mark.parametrize("command", [[], *([name] for name in commands())], ids=" ".join)
def test_help_has_an_example(command: list[str]) -> None:
    """It begins with what the command is for and shows one call that works."""
    shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
    example = next(line.strip() for line in shown.output.splitlines() if "Example:" in line)
    assert "pagemill " + " ".join(command) in example
    for name in command:
        assert command_of(name).help.endswith(".")


@pytest.mark.parametrize("command", commands())
def test_every_option_is_explained(command: str) -> None:
    """In a sentence of its own."""
    assert [each.name for each in command_of(command).params if not each.help] == []


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    """Whoever types the bare name wants to know what there is."""
    said = run(tmp_path)
    assert "enqueue" in said.out + said.err
    assert "Traceback" not in said.err


def test_the_version_is_printed(tmp_path: Path) -> None:
    """And nothing else happens."""
    said = run(tmp_path, "--version")
    assert (said.code, said.out) == (0, f"pagemill {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "nosuch"),
        (["demo", "--products", "2"], "--products"),
        (["demo", "--products", "many"], "--products"),
        (["storefront", "--port", "70000"], "--port"),
        (["enqueue"], "FILE"),
        (["init"], "FOLDER"),
        (["enqueue", "catalogue.csv"], "--platform"),
        (["enqueue", "catalogue.csv", "--platform", "shop", "--batch-size", "0"], "--batch-size"),
        (["worker", "--processes", "0"], "--processes"),
        (["results", "--verdict", "good"], "sold_out"),
        (["results", "--format", "xml"], "jsonl"),
        (["try", "--platform", "shop"], "url"),
        (["status", "--nosuch"], "--nosuch"),
    ],
    ids=str,
)
def test_a_call_that_cannot_work_ends_with_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    """The message on standard error names what is wrong; standard output stays empty."""
    said = run(tmp_path, *arguments)
    assert said.code == 2
    assert words in said.err
    assert said.out == ""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one platform."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(SHOP)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["enqueue", "catalogue.csv", "--platform", "nosuch"], "no platform nosuch: configured are shop"),
        (["enqueue", "catalogue.csv", "--platform", "shop"], "catalogue.csv"),
        (["enqueue", "catalogue.csv", "--platform", "shop", "--strict"], "catalogue.csv"),
        (["worker", "--platform", "nosuch"], "no platform nosuch"),
        (["worker", "--platform", "nosuch", "--processes", "2"], "no platform nosuch"),
        (["try", "https://evil.test/", "--platform", "shop"], "add the host to hosts in shop.yaml"),
        (["try", "file:///etc/passwd", "--platform", "shop"], "not an http"),
        (["results", "--run", "nosuch"], "there is no run nosuch"),
    ],
    ids=str,
)
def test_a_wrong_value_is_one_line_with_its_remedy(place: Path, arguments: list[str], words: str) -> None:
    """No traceback, and nothing on standard output, where a script might read it."""
    said = run(place, *arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("pagemill: ")
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_debug_shows_where_an_error_comes_from(place: Path) -> None:
    """For whoever has to mend it; the one line is still the last."""
    said = run(place, "--debug", "worker", "--platform", "nosuch")
    assert said.code == 2
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("pagemill: no platform nosuch")


def test_without_a_platform_nothing_can_be_worked_on(place: Path) -> None:
    """The message says which file to add."""
    (place / "config" / "platforms" / "shop.yaml").unlink()
    said = run(place, "worker")
    assert said.code == 2
    assert "config/platforms/NAME.yaml" in said.err


def test_a_missing_configuration_folder_is_named(tmp_path: Path) -> None:
    """With the variable that names another one."""
    said = run(tmp_path, "worker")
    assert said.code == 2
    assert "PAGEMILL_CONFIG" in said.err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """As `pagemill --help | head -1`: no traceback, whatever is still to be said."""
    script = "import sys; from pagemill.cli.main import run; sys.argv = ['pagemill', '--help']; run()"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert b"Traceback" not in process.stderr.read()
    process.wait(10)
