"""Drafting over the API, in a process of its own: one at a time, and what came of it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pagemill.config.platform import Platform
from pagemill.control_room.control.drafts import KEPT_S, MOST_KEPT, DraftRequest, Drafts, KeptDraft, refusal_of
from pagemill.errors import DraftUnderWay, ServiceUnavailable, VisitFailed
from pagemill.telemetry import events

WANTED = DraftRequest("shop", ["https://www.shop.com/1", "https://www.shop.com/2"], expect={"name": "a, price=1"})


def drafts(folder: Path, body: str) -> Drafts:
    """Those of a program that stands in for `pagemill`."""
    path = folder / "program.py"
    path.write_text(f"import os, sys, time\n{body}\n")
    return Drafts(command=(sys.executable, str(path)))


def over(found: Drafts, begun: KeptDraft) -> KeptDraft:
    """It, when it is over."""
    for _ in range(400):
        now = found.find(begun.id)
        assert now is not None
        if now.is_over:
            return now
        threading.Event().wait(0.05)
    raise AssertionError("it did not end")


def test_its_words() -> None:
    """No value is taken for an option, and what is expected is JSON."""
    wanted = DraftRequest("shop", ["--help"], ["--force"], expect={"price": 5}, device="iPhone 15", wait_ms="0")
    assert wanted.words() == [
        "--json",
        "--device=iPhone 15",
        "--wait-ms=0",
        '--expect={"price": 5}',
        "--sold-out=--force",
        "--",
        "shop",
        "--help",
    ]


def test_a_draft_that_fails_midway_says_why(tmp_path: Path) -> None:
    """And how far it came."""
    body = """print('{"visited": 1, "of": 2}', flush=True)
sys.stderr.write('a line\\npagemill: HTTP 403\\n')
sys.exit(1)"""
    found = drafts(tmp_path, body)
    ended = over(found, found.begin(WANTED))
    assert isinstance(ended.error, VisitFailed)
    assert str(ended.error) == "HTTP 403"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("print('{\"visited\": 1}')\nraise ValueError('unforeseen')", "ended with 1: the log of the API says why"),
        ("os.kill(os.getpid(), 9)", "ended by signal 9: is there enough memory"),
    ],
)
def test_a_crash_is_told_and_logged(tmp_path: Path, body: str, why: str) -> None:
    """Whoever asks is told where to look; the log has all that the command said."""
    found = drafts(tmp_path, body)
    with capture_logs() as logged:
        ended = over(found, found.begin(WANTED))
    assert isinstance(ended.error, ServiceUnavailable)
    assert why in str(ended.error)
    told = [entry["error"] for entry in logged if entry["event"] == events.UNEXPECTED]
    assert len(told) == 1
    assert ("unforeseen" in told[0]) is ("unforeseen" in body)


def test_another_begins_as_soon_as_one_is_over(tmp_path: Path) -> None:
    """Whoever sees the end of one need not wait for its thread."""
    found = drafts(tmp_path, "sys.exit(1)")
    for _ in range(5):
        assert over(found, found.begin(WANTED)).error is not None


def test_the_last_few_are_kept(tmp_path: Path) -> None:
    """Of the others nothing is known; after an hour of none."""
    now = [0.0]
    path = tmp_path / "program.py"
    path.write_text("")
    found = Drafts(command=(sys.executable, str(path)), now_s=lambda: now[0])
    begun = [over(found, found.begin(WANTED)).id for _ in range(MOST_KEPT + 1)]
    assert [found.find(one) is not None for one in begun] == [False, *[True] * MOST_KEPT]
    now[0] = KEPT_S + 1
    assert found.find(begun[-1]) is None


def test_what_is_not_understood_is_no_draft(tmp_path: Path) -> None:
    """Whoever asks does not wait for ever."""
    found = drafts(tmp_path, "print('hello')")
    assert isinstance(over(found, found.begin(WANTED)).error, ServiceUnavailable)


def test_one_at_a_time_and_none_when_the_api_ends(tmp_path: Path) -> None:
    """How far it is can be seen meanwhile; what is not known is none."""
    found = drafts(tmp_path, """print('{"visited": 1, "of": 2}', flush=True)\ntime.sleep(60)""")
    begun = found.begin(WANTED)
    with pytest.raises(DraftUnderWay, match="try again"):
        found.begin(WANTED)
    while (now := found.find(begun.id)) is not None and now.visited == 0:
        assert not now.is_over
    found.close(20)
    assert isinstance(over(found, begun).error, ServiceUnavailable)
    assert found.find("0123") is None


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://localhost:8003/", "http://redis:6379/", "http://[::1]/"]
)
def test_this_network_must_be_listed(url: str) -> None:
    """By a configured platform."""
    listing = Platform.model_validate(
        {
            "platform": "inside",
            "hosts": ["169.254.169.254", "localhost", "redis", "[::1]"],
            "extract": {"fields": {"name": "h1"}},
        }
    )
    assert "must list it in hosts" in refusal_of(url, {})
    assert refusal_of(url, {"inside": listing}) == ""
    assert refusal_of("https://www.shop.com/1", {}) == ""
    assert "write the whole address" in refusal_of("file:///etc/passwd", {})
