"""Following runs to their end, on a real SQLite file and without a wait."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from pagemill.cli import progress
from pagemill.cli.progress import counting, follow
from pagemill.errors import PagemillError, UsageError
from pagemill.model import Verdict
from pagemill.results.store import ResultStore
from tests.unit.results.result_values import make_result


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look follows the other at once."""
    monkeypatch.setattr(progress, "_POLL_S", 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    """Two sealed runs of two products each, without results."""
    with ResultStore(f"sqlite:///{tmp_path / 'r.db'}") as opened:
        for name in ("run-1", "run-2"):
            opened.create_run(name, "shop", "catalogue.csv")
            opened.seal_run(name, 2, 1, 0)
        yield opened


def silent() -> Console:
    """A console that is no terminal."""
    return Console(file=io.StringIO())


def test_runs_are_followed_until_the_last_result_of_the_last_run(store: ResultStore) -> None:
    """One result appears between two looks; what comes back is in the order of the runs."""
    coming = [
        make_result(product, run=run, verdict=verdict)
        for run, product, verdict in (
            ("run-2", "A1", Verdict.OK),
            ("run-1", "A1", Verdict.OK),
            ("run-2", "A2", Verdict.FAILED),
            ("run-1", "A2", Verdict.GONE),
        )
    ]
    ended = follow(silent(), store, ["run-1", "run-2"], lambda: assert_one(store.write([coming.pop(0)])))
    assert coming == []
    assert [(state.run, state.done) for state in ended] == [("run-1", 2), ("run-2", 2)]
    assert ended[1].by_verdict == {Verdict.OK: 1, Verdict.FAILED: 1}


def assert_one(written: int) -> None:
    """The store took it."""
    assert written == 1


def test_a_run_that_is_not_sealed_is_not_at_its_end(store: ResultStore) -> None:
    """More batches may come, however many results there are by now."""
    store.create_run("run-3", "shop", "catalogue.csv")
    store.write([make_result("A1", run="run-3")])
    looks: list[int] = []

    def seal_at_the_third_look() -> None:
        looks.append(1)
        if len(looks) == 3:
            store.seal_run("run-3", 1, 1, 0)

    (ended,) = follow(silent(), store, ["run-3"], seal_at_the_third_look)
    assert len(looks) == 3
    assert ended.sealed


def test_whoever_checks_can_give_up(store: ResultStore) -> None:
    """Such as the demo, when its worker has ended too early."""

    def give_up() -> None:
        raise PagemillError("the worker ended too early")

    with pytest.raises(PagemillError, match="too early"):
        follow(silent(), store, ["run-1"], give_up)


def test_a_run_that_does_not_exist_is_not_waited_for(store: ResultStore) -> None:
    """It would never end."""
    with pytest.raises(UsageError, match="run-7"):
        follow(silent(), store, ["run-7"])


def test_off_a_terminal_no_bar_is_drawn(store: ResultStore) -> None:
    """A log file is not filled with bars."""
    store.write([make_result(product, run="run-1") for product in ("A1", "A2")])
    console = silent()
    follow(console, store, ["run-1"])
    with counting(console, "queueing") as advance:
        advance(50)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().strip() == ""


def test_on_a_terminal_the_numbers_are_shown(store: ResultStore) -> None:
    """How many of how many, and with which verdicts."""
    store.write([make_result(product, run="run-1") for product in ("A1", "A2")])
    screen = io.StringIO()
    follow(Console(file=screen, force_terminal=True, width=120), store, ["run-1"])
    assert "2/2" in screen.getvalue()
    assert "ok 2" in screen.getvalue()
