"""What a process loads stays in its memory as long as it lives, and takes time whenever one starts."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import cache

import playwright.async_api
import pytest

from pagemill.cli.commands import Commands
from pagemill.cli.worker import run_worker_process
from pagemill.playwright_errors import PlaywrightError, PlaywrightTimeout
from pagemill.worker.child import run_child

_RUN = """
import atexit, sys
atexit.register(lambda: print("loaded:", *sys.modules))
from pagemill.cli.main import run
sys.argv = ["pagemill", *sys.argv[1:]]
run()
"""
_CHILD = """
import pickle, sys
pickle.loads(bytes.fromhex(sys.argv[1]))
import pagemill.browser.cdp.launcher
print("loaded:", *sys.modules)
"""
"""What a spawned process does with what it is given, and what it opens pages with where no driver is wanted."""


@cache
def loaded_by(program: str, *arguments: str) -> frozenset[str]:
    """The modules of a process when it ends."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return frozenset(done.stdout.rpartition("loaded:")[2].split())


def below(package: str, loaded: frozenset[str]) -> list[str]:
    return sorted(name for name in loaded if name == package or name.startswith(package + "."))


@pytest.mark.parametrize(
    "package",
    [
        "pagemill.applying",
        "pagemill.drafting",
        "pagemill.browser.playwright_launcher",
        "playwright.async_api",
        "sqlalchemy.dialects.postgresql",
        "httpx",
        "rich",
    ],
)
def test_a_worker_process_does_without(package: str) -> None:
    """Other commands, another database and Playwright's driver need it; a worker that needs none of them has none."""
    loaded = loaded_by(_CHILD, pickle.dumps((run_child, run_worker_process)).hex())
    assert "pagemill.app.worker" in loaded
    assert below(package, loaded) == []


@pytest.mark.parametrize("module", ["client", "strategies", "memory", "errors", "intake.enqueue", "guard.guard"])
def test_a_program_of_a_users_own_keeps_its_tracebacks(module: str) -> None:
    """structlog draws them with rich where there is rich, also if pagemill was loaded first."""
    pytest.importorskip("rich")
    told = "from structlog.dev import default_exception_formatter as told; print(type(told).__name__)"
    command = [sys.executable, "-c", f"import pagemill, pagemill.{module}; {told}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "RichTracebackFormatter"


def test_a_command_brings_no_other() -> None:
    """`pagemill token` is loaded without a browser, tables and the other commands."""
    loaded = loaded_by(_RUN, "token", "--help")
    commands = {f"pagemill.cli.{name}" for name in Commands()}
    assert commands & loaded == {"pagemill.cli.token"}
    assert below("pagemill.browser", loaded) == below("rich", loaded) == []


def test_the_errors_of_pages_are_playwrights_own() -> None:
    """A strategy of a user's own catches what `playwright.async_api` calls so, and pagemill what such a page raises."""
    assert PlaywrightError is playwright.async_api.Error
    assert PlaywrightTimeout is playwright.async_api.TimeoutError
