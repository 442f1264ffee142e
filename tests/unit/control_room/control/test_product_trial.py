"""Trying one product in a process of its own: how it ends, whatever that process does."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import psutil
import pytest

from pagemill.control_room.control.product_trial import ProductTrial
from pagemill.errors import DeadlineExceeded, PagemillError, ServiceUnavailable, TrialUnderWay, UsageError, VisitFailed

URL = "https://www.shop.com/1"


def program(folder: Path, body: str) -> tuple[str, ...]:
    """A command that stands in for `pagemill`."""
    path = folder / "program.py"
    path.write_text(f"import json, os, sys, time\n{body}\n")
    return (sys.executable, str(path))


def test_its_words_and_what_it_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that begins like an option is none; the secret of the API's tokens stays here."""
    monkeypatch.setenv("PAGEMILL_API_SECRET", "secret")
    monkeypatch.setenv("PAGEMILL_CONFIG", "here")
    said = "names = sorted(name for name in os.environ if name.startswith('PAGEMILL_'))"
    command = program(tmp_path, f"{said}\nprint(json.dumps({{'words': sys.argv[1:], 'names': names}}))\nsys.exit(1)")
    tried = ProductTrial(command=command).run("shop", "--help", "A 1")
    assert tried["words"] == ["try", "--platform", "shop", "--json", "--id", "A 1", "--", "--help"]
    assert "PAGEMILL_CONFIG" in tried["names"]
    assert not [name for name in tried["names"] if "SECRET" in name]


@pytest.mark.parametrize(
    ("code", "error"), [(2, UsageError), (69, ServiceUnavailable), (1, VisitFailed), (75, VisitFailed)]
)
def test_what_it_ends_with_is_told(tmp_path: Path, code: int, error: type[PagemillError]) -> None:
    """In the words of the command, without its log."""
    body = f"sys.stderr.write('a line of the log\\npagemill: that is why\\n  and how\\n')\nsys.exit({code})"
    with pytest.raises(error, match=r"^that is why\n  and how$"):
        ProductTrial(command=program(tmp_path, body)).run("shop", URL)


def test_what_says_too_much_is_refused(tmp_path: Path) -> None:
    """It is read within a bound."""
    with pytest.raises(VisitFailed, match="longer than 1024 KB"):
        ProductTrial(command=program(tmp_path, "print('x' * 2_000_000)")).run("shop", URL)


@pytest.mark.parametrize("stubborn", [False, True])
def test_it_ends_at_its_deadline(tmp_path: Path, stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted, so that it can close its browser, and killed if it does not mind."""
    monkeypatch.setattr("pagemill.control_room.control.own_command._END_S", 0.3)
    mind = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" if stubborn else "pass"
    with pytest.raises(DeadlineExceeded, match=r"timeout: trying the product took longer than 0\.5 s"):
        ProductTrial(0.5, program(tmp_path, f"{mind}\ntime.sleep(60)")).run("shop", URL)
    assert not [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]


def test_one_at_a_time_and_none_when_the_api_ends(tmp_path: Path) -> None:
    """Who comes meanwhile is told so; who waits is answered when it is broken off."""
    sign = tmp_path / "begun"
    trial = ProductTrial(command=program(tmp_path, f"open({str(sign)!r}, 'w').close()\ntime.sleep(60)"))
    raised: list[Exception] = []

    def run() -> None:
        try:
            trial.run("shop", URL)
        except ServiceUnavailable as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not sign.exists():
        assert thread.is_alive()
    with pytest.raises(TrialUnderWay, match="try again"):
        trial.run("shop", URL)
    trial.close(20)
    thread.join(20)
    assert [str(error) for error in raised] == ["the API ends, and with it trying the product: try again"]
