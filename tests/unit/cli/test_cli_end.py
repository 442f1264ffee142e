"""How a command ends that something cuts short: an interrupt, a reader that leaves, a disk that refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pagemill.cli import results
from pagemill.results.store import ResultStore
from tests.unit.cli.command import run
from tests.unit.results.result_values import make_result


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an empty configuration and a run whose results do not fit into a pipe."""
    (tmp_path / "config").mkdir()
    with ResultStore(f"sqlite:///{tmp_path / 'data' / 'pagemill.db'}") as store:
        store.create_run("run-1", "shop", "catalogue.csv")
        store.write([make_result(f"A{number:04d}", reason="x" * 200) for number in range(1000)])
        store.seal_run("run-1", 1000, 1, 0)
    return tmp_path


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on `results` fails with that error as it starts."""

    def fail(_level: str) -> None:
        raise error

    monkeypatch.setattr(results, "load", fail)


def test_an_interrupt_ends_with_130(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell expects it after Ctrl+C, without a word."""
    failing_with(KeyboardInterrupt(), monkeypatch)
    said = run(place, "results")
    assert said.code == 130
    assert said.out + said.err == ""


@pytest.mark.parametrize("output", ["table", "csv", "jsonl"])
def test_a_reader_that_leaves_is_met_with_silence(place: Path, output: str) -> None:
    """As in `pagemill results | head -1`: no traceback, and not a word of Python's either while it exits."""
    command = [sys.executable, "-m", "pagemill", "results", "--format", output]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait(10)
    assert said == b""
    assert code == 1


def test_what_the_system_refuses_is_told_in_one_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cause and path, no traceback."""
    failing_with(FileNotFoundError(2, "No such file or directory", "/nowhere/page.jpg"), monkeypatch)
    said = run(place, "results")
    assert said.code == 1
    assert said.err == "pagemill: [Errno 2] No such file or directory: '/nowhere/page.jpg'\n"


def test_debug_shows_where_the_system_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback comes first, the line is the last."""
    failing_with(PermissionError(13, "Permission denied", "data"), monkeypatch)
    said = run(place, "--debug", "results")
    assert said.code == 1
    assert said.err.startswith("Traceback")
    assert said.err.splitlines()[-1] == "pagemill: [Errno 13] Permission denied: 'data'"


def test_a_defect_of_ours_keeps_its_traceback(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody raised on purpose has to be reported whole."""
    failing_with(ZeroDivisionError("ours"), monkeypatch)
    with pytest.raises(ZeroDivisionError, match="ours"):
        run(place, "results")
