"""The log in files: what stands where, how several processes share them, and what a bad disk costs."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from pagemill.telemetry import events, log_files
from pagemill.telemetry.log_files import LogFiles
from pagemill.telemetry.logging import close_logging, get_logger, set_up_logging
from pagemill.telemetry.shared_file import SharedFile


@pytest.fixture(autouse=True)
def _own_root() -> Iterator[None]:
    """Logging as it was before, afterwards."""
    handlers, level, configured = logging.root.handlers[:], logging.root.level, structlog.get_config()
    logging.root.handlers[:] = []
    yield
    close_logging()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**configured)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files go; it is not there yet."""
    return tmp_path / "lo gs" / "한"


def eventually(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def grep(expression: str, text: str) -> list[str]:
    """As people call it."""
    return subprocess.run(["grep", "-E", expression], input=text, capture_output=True, text=True).stdout.splitlines()


def log_some() -> None:
    """53 warnings and errors among other lines."""
    log = get_logger("test")
    for number in range(53):
        log.info(events.ITEM, number=number)
        log.log(logging.ERROR if number % 10 == 0 else logging.WARNING, events.PRESSURE, number=number)


def test_grep_finds_warnings_in_console_and_file_form(folder: Path) -> None:
    """By the expression that people know."""
    console = io.StringIO()
    set_up_logging("console", stream=console, folder=folder)
    log_some()
    close_logging()
    for text in (console.getvalue(), (folder / "combined.log").read_text()):
        assert len(text.splitlines()) == 106
        assert len(grep("WARNING|ERROR", text)) == 53
        assert len(grep("ERROR", text)) == 6
        assert len(grep("INFO", text)) == 53


def test_colours_stay_where_there_is_a_terminal() -> None:
    """A level in capitals has the colour that it had."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    set_up_logging("auto", stream=terminal)
    get_logger("test").warning("line")
    assert re.search(r"\x1b\[[0-9;]+mWARNING", terminal.getvalue())


def test_the_json_form_keeps_its_levels(folder: Path) -> None:
    """Programs read it; the files are for people all the same."""
    stream = io.StringIO()
    set_up_logging("json", stream=stream, folder=folder)
    log_some()
    close_logging()
    assert {json.loads(line)["level"] for line in stream.getvalue().splitlines()} == {"info", "warning", "error"}
    assert len(grep("WARNING|ERROR", (folder / "combined.log").read_text())) == 53


def test_each_file_has_its_lines(folder: Path) -> None:
    """All of them, errors with their traceback, and what tells of memory and speed; each names its process."""
    set_up_logging("json", stream=io.StringIO(), folder=folder)
    log = get_logger("test")
    log.info(events.MEMORY, rss_mb=12)
    log.info(events.ITEM, product="셔츠")
    try:
        raise ValueError("wrong")
    except ValueError:
        log.exception(events.UNEXPECTED)
    logging.getLogger("a library").error("said %s", "something")
    log.debug("not this one")
    close_logging()
    combined, errors, performance = (
        (folder / f"{name}.log").read_text() for name in ("combined", "error", "performance")
    )
    assert [event for event in ("Memory", "Item", "Unexpected", "said something") if event not in combined] == []
    assert "product=셔츠" in combined
    assert "not this one" not in combined
    assert "Memory" not in errors and "Item" not in errors
    assert "Unexpected Error" in errors and "ValueError: wrong" in errors and "said something" in errors
    assert performance.count("\n") == 1 and "rss_mb=12" in performance
    assert combined.count(f"process={os.getpid()}") == 4


WRITER = """
import logging, sys
from pathlib import Path
from pagemill.telemetry.log_files import LogFiles

files = LogFiles(Path(sys.argv[1]), most_bytes=60_000)
logging.root.addHandler(files)
print("ready", flush=True)
sys.stdin.readline()
for number in range(500):
    logging.error("<%s %s %s>", sys.argv[2], number, "x" * (number % 200))
files.close()
"""


def test_processes_share_the_files_and_rotate_them_without_losing_a_line(folder: Path) -> None:
    """Four that write as fast as they can: every line is whole, and there once."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n", timeout=60)
        assert writer.returncode == 0
    for name in ("combined.log", "error.log"):
        files = sorted(folder.glob(f"{name}*"))
        assert 3 <= len(files) <= 6
        assert max(file.stat().st_size for file in files) < 70_000
        lines = [line for file in files for line in file.read_text().splitlines()]
        expected = [f"<{writer} {number} {'x' * (number % 200)}>" for writer in range(4) for number in range(500)]
        assert sorted(lines) == sorted(expected)


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    """The oldest goes."""
    file = SharedFile(tmp_path / "x.log", most_bytes=100, kept=2)
    for number in range(50):
        file.append(f"{number:029}\n".encode())
    file.close()
    names = sorted(path.name for path in tmp_path.glob("x.log*"))
    assert names == ["x.log", "x.log.1", "x.log.2"]
    kept = "".join((tmp_path / name).read_text() for name in reversed(names)).split()
    assert [int(line) for line in kept] == list(range(50))[-len(kept) :]
    assert len(kept) == 10


def test_a_file_that_somebody_moves_away_is_begun_anew(tmp_path: Path) -> None:
    """As `logrotate` and `rm` do."""
    file = SharedFile(tmp_path / "x.log", most_bytes=1000, kept=2)
    file.append(b"one\n")
    (tmp_path / "x.log").rename(tmp_path / "elsewhere")
    file.append(b"two\n")
    file.close()
    assert (tmp_path / "x.log").read_text() == "two\n"


def fill_the_disk(folder: Path) -> Callable[[], None]:
    """Every write there fails for want of space."""
    folder.mkdir(parents=True)
    (folder / "combined.log").symlink_to("/dev/full")
    return (folder / "combined.log").unlink


def put_a_file_in_the_way(folder: Path) -> Callable[[], None]:
    """The folder cannot be made."""
    folder.parent.mkdir(parents=True)
    folder.touch()
    return folder.unlink


@pytest.mark.parametrize(("spoil", "reason"), [(fill_the_disk, "No space left"), (put_a_file_in_the_way, "exists")])
def test_a_bad_disk_is_told_once_and_when_it_is_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], Callable[[], None]], reason: str
) -> None:
    """Nothing is raised, and standard error has every line; what the files lack is counted."""
    monkeypatch.setattr(log_files, "_RETRY_S", 0.05)
    mend = spoil(folder)
    stream = io.StringIO()
    set_up_logging("json", stream=stream, folder=folder)
    log = get_logger("test")
    for number in range(20):
        log.info("line", number=number)

    def told(event: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    eventually(lambda: bool(told(events.LOG_FILES_AWAY)))
    mend()

    def is_back() -> bool:
        log.info("again")
        return bool(told(events.LOG_FILES_BACK))

    eventually(is_back)
    (away,), (back,) = told(events.LOG_FILES_AWAY), told(events.LOG_FILES_BACK)
    assert reason in str(away["error"])
    assert "PAGEMILL_LOG_FOLDER" in str(away["remedy"])
    assert int(str(back["lost"])) >= 20
    assert [line["number"] for line in told("line")] == list(range(20))
    close_logging()
    assert "Log Files Back" in (folder / "combined.log").read_text()


def test_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    """A disk may take a part of it."""
    import resource

    file = SharedFile(tmp_path / "x.log", most_bytes=10_000, kept=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    file.append(b"one\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            file.append(b"two, and much more\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file.append(b"three\n")
    file.close()
    assert (tmp_path / "x.log").read_text() == "one\ntwo, a\nthree\n"


def test_a_disk_that_hangs_holds_nobody_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a pipe that nobody reads waits for ever: lines wait up to a bound, then they are lost, which is told."""
    monkeypatch.setattr(log_files, "_CLOSE_S", 0.1)
    folder.mkdir(parents=True)
    os.mkfifo(folder / "combined.log")
    handler = LogFiles(folder, queued=50)
    stream = io.StringIO()
    set_up_logging("json", stream=stream)
    logging.root.addHandler(handler)
    begun_s = time.monotonic()
    for number in range(200):
        logging.getLogger().warning("line %s", number)
    close_logging()
    assert time.monotonic() - begun_s < 5
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["error"] for line in lines if line["event"] == events.LOG_FILES_AWAY] == ["the disk does not keep up"]
    assert len([line for line in lines if line["event"].startswith("line ")]) == 200
    (thread,) = (each for each in threading.enumerate() if each.name == "pagemill-log-files")
    with (folder / "combined.log").open("rb") as reader:  # lets it go
        assert reader.readline()
        while thread.is_alive():
            reader.read(1000)
