"""Playwright's errors become pagemill's, with a short cause."""

from __future__ import annotations

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from pagemill.errors import BrowserLost, DeadlineExceeded, PageLost, PagemillError, VisitFailed, VisitRefused
from pagemill.extraction.navigate import translate

LOG = '\nCall log:\n  - navigating to "https://shop.example/", waiting until "commit"\n'


@pytest.mark.parametrize(
    ("message", "kind", "told"),
    [
        ("Page.goto: Download is starting" + LOG, VisitRefused, "download"),
        ("Page.goto: net::ERR_UNSAFE_REDIRECT at https://a.example/", VisitRefused, "net::ERR_UNSAFE_REDIRECT"),
        ("Page.goto: Page crashed" + LOG, PageLost, "Page crashed"),
        ("Page.evaluate: Target crashed ", PageLost, "Target crashed"),
        (
            "Page.evaluate: Target page, context or browser has been closed",
            BrowserLost,
            "Target page, context or browser has been closed",
        ),
        (
            "Connection closed while reading from the driver",
            BrowserLost,
            "Connection closed while reading from the driver",
        ),
        (
            "Page.goto: net::ERR_CONNECTION_REFUSED at https://a.example/" + LOG,
            VisitFailed,
            "net::ERR_CONNECTION_REFUSED",
        ),
        ("Page.goto: net::ERR_ABORTED at https://a.example/", VisitFailed, "net::ERR_ABORTED"),
        ("Page.goto: net::ERR_CONNECTION_TIMED_OUT at x", VisitFailed, "timeout: net::ERR_CONNECTION_TIMED_OUT"),
        ("Page.evaluate: TypeError: x is not a function\n    at y", VisitFailed, "TypeError: x is not a function"),
        ("Page.evaluate: Error: it crashed", VisitFailed, "Error: it crashed"),
        ("x" * 5000, VisitFailed, "x" * 200),
        ("", VisitFailed, "no cause given"),
    ],
)
def test_an_error_becomes_ours(message: str, kind: type[PagemillError], told: str) -> None:
    """The call's name, its log and the stack stay behind."""
    error = translate(PlaywrightError(message))
    assert type(error) is kind
    assert str(error) == told


def test_a_time_out_says_timeout_and_how_long() -> None:
    """People grep for that word."""
    error = translate(PlaywrightTimeout("Page.goto: Timeout 1500ms exceeded." + LOG), "loading the page")
    assert isinstance(error, DeadlineExceeded)
    assert str(error) == "timeout: loading the page took longer than 1.5 s"
