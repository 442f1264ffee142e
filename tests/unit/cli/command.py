"""Runs a command in this process as the installed program would: arguments in, exit code and both outputs out."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import structlog

from pagemill.cli import main


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


@contextlib.contextmanager
def logging_kept() -> Iterator[None]:
    """Commands set logging up for their process, which is also the tests'; afterwards it is as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("rq", "rq.worker", "rq.job", "asyncio", "sqlalchemy")}
    configured = structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, before in levels.items():
            logging.getLogger(name).setLevel(before)
        structlog.configure(**configured)


def run(folder: Path, *arguments: str, **environment: str) -> Said:
    """Runs `pagemill ARGUMENTS` in that folder, with these variables and no other of pagemill's."""
    out, err = io.StringIO(), io.StringIO()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}
    with (
        logging_kept(),
        contextlib.chdir(folder),
        patch.dict(os.environ, variables | environment, clear=True),
        patch.object(sys, "argv", ["pagemill", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = 0
        try:
            main.run()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    return Said(code, out.getvalue(), err.getvalue())
