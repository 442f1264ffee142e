"""Log handlers: however often logging is set up, there is one, and none when it has been closed."""

from __future__ import annotations

import atexit
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from pagemill.telemetry.logging import _end_logging, close_logging, get_logger, set_up_logging


@pytest.fixture(autouse=True)
def _own_root() -> Iterator[None]:
    """Logging as it was before, afterwards."""
    handlers, level, configured = logging.root.handlers[:], logging.root.level, structlog.get_config()
    logging.root.handlers[:] = []
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**configured)


def test_setting_logging_up_again_leaves_one_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each earlier one is freed and its stream stays open; the end of the process is told of it once."""
    at_exit: list[object] = []

    def unregister(what: object) -> None:
        at_exit[:] = [each for each in at_exit if each != what]

    monkeypatch.setattr(atexit, "register", at_exit.append)
    monkeypatch.setattr(atexit, "unregister", unregister)
    streams = [io.StringIO() for _ in range(50)]
    known = len(logging._handlerList)  # type: ignore[attr-defined]
    for number, stream in enumerate(streams):
        set_up_logging("json", stream=stream)
        get_logger("test").info("line", number=number)
    assert [json.loads(stream.getvalue())["number"] for stream in streams] == list(range(50))
    assert len(logging.root.handlers) == 1
    assert len(logging._handlerList) <= known + 1  # type: ignore[attr-defined]
    assert at_exit == [_end_logging]


def test_a_log_file_of_somebody_else_is_closed(tmp_path: Path) -> None:
    """A handler that is pushed out would hold its file for ever."""
    file = logging.FileHandler(tmp_path / "old.log")
    stream = file.stream
    logging.root.addHandler(file)
    set_up_logging("json", stream=io.StringIO())
    assert stream is not None and stream.closed


def test_closing_writes_out_and_frees_and_can_be_repeated() -> None:
    """What the stream had not written yet is there, and standard error stays open."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
    set_up_logging("json", stream=stream)
    logging.root.handlers[0].stream.write("unwritten")  # type: ignore[attr-defined]
    close_logging()
    assert raw.getvalue() == b"unwritten"
    assert logging.root.handlers == []
    assert not stream.closed
    close_logging()
    set_up_logging("json", stream=stream)
    stream.close()
    close_logging()
    assert logging.root.handlers == []
    assert not sys.stderr.closed


def test_a_process_ends_quietly_with_its_lines_written() -> None:
    """Also one that set logging up several times, and whose standard error was closed."""
    program = (
        "import sys; from pagemill.telemetry.logging import get_logger, set_up_logging\n"
        "for n in range(3): set_up_logging('json'); get_logger('x').info('line', n=n)\n"
        "if len(sys.argv) > 1: sys.stderr.close()\n"
    )
    for arguments in ((), ("close",)):
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=30, check=True
        )
        assert [json.loads(line)["n"] for line in ended.stderr.splitlines()] == [0, 1, 2]
        assert ended.stdout == ""
