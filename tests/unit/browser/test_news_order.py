"""In which order Chromium's events may come: answers and dialogs from one process, the news of a document from another.

What is heard is the product's own document's, whatever overtakes what.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any, cast

import pytest
from playwright.async_api import Error as PlaywrightError

from pagemill.browser import page_news
from pagemill.browser.firewall import Firewall
from pagemill.browser.page_news import PageNews
from pagemill.config.hosts import HostRules
from pagemill.config.reading.url_pattern import UrlPattern

HEADERS = [{"name": "content-type", "value": "application/json"}, {"name": "content-length", "value": "2"}]


class Chromium:
    """A page's session: it says what a test has it say, and gives the bodies of requests that are still known."""

    def __init__(self) -> None:
        self._hears: dict[str, list[Callable[[dict[str, Any]], None]]] = {}
        self._forgotten: set[str] = set()
        self.read: list[str] = []
        """Requests whose body was asked for."""
        self.done: list[str] = []
        """Requests that may go on."""

    def on(self, event: str, hears: Callable[[dict[str, Any]], None]) -> None:
        self._hears.setdefault(event, []).append(hears)

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        request = (params or {}).get("requestId", "")
        if request in self._forgotten:
            raise PlaywrightError("Invalid InterceptionId.")
        if method == "Fetch.takeResponseBodyAsStream":
            self.read.append(request)
            return {"stream": request}
        if method == "IO.read":
            return {"data": base64.b64encode(b"{}").decode(), "base64Encoded": True, "eof": True}
        if method in ("Fetch.continueRequest", "Fetch.fulfillRequest"):
            self.done.append(request)
        return {}

    def answers(self, path: str, status: int = 200, kind: str = "XHR") -> None:
        """Pauses an answer. The request's name is its path."""
        event = {"requestId": path, "request": {"url": f"https://a.com{path}"}, "frameId": "main"}
        answered = {"responseStatusCode": status, "responseHeaders": HEADERS, "resourceType": kind}
        self._say("Fetch.requestPaused", {**event, **answered})

    def shows(self, path: str) -> None:
        """Says that a document is there."""
        self._say("Page.frameNavigated", {"frame": {"id": "main", "url": f"https://a.com{path}"}})

    def opens_dialog(self, message: str, path: str) -> None:
        """Says that a document has opened one."""
        self._say("Page.javascriptDialogOpening", {"type": "alert", "message": message, "url": f"https://a.com{path}"})

    def forgets(self, path: str) -> None:
        """As it does when the document that asked has gone."""
        self._forgotten.add(path)

    def _say(self, event: str, params: dict[str, Any]) -> None:
        for hears in self._hears[event]:
            hears(params)


async def a_page() -> tuple[Chromium, Firewall]:
    """One that has shown a product, at the begin of the next visit."""
    chromium = Chromium()
    firewall = Firewall(HostRules(["a.com"]), PageNews([UrlPattern("/api/*")]))
    await firewall.attach(cast(Any, chromium), (), "main")
    firewall.reset()
    chromium.answers("/p/0", kind="Document")
    chromium.shows("/p/0")
    firewall.news.arrived()
    await everything_done(firewall)
    firewall.reset()
    return chromium, firewall


async def everything_done(firewall: Firewall) -> None:
    """Returns when no answer is being looked at."""
    async with asyncio.timeout(5):
        while firewall._answers:
            await asyncio.sleep(0)


def heard(firewall: Firewall) -> list[str]:
    """The paths of what was heard, each with what was wrong with it."""
    return [f"{answer.url.removeprefix('https://a.com')} {answer.problem}".strip() for answer in firewall.news.answers]


async def test_an_answer_that_overtakes_its_document_is_heard() -> None:
    """The page has asked, and been answered, before Chromium says that it is there."""
    chromium, firewall = await a_page()
    chromium.answers("/p/1", kind="Document")
    chromium.answers("/api/1")
    await asyncio.sleep(0)
    chromium.shows("/p/1")
    firewall.news.arrived()
    await everything_done(firewall)
    assert heard(firewall) == ["/api/1"]


async def test_an_answer_between_two_documents_ends_with_the_one_that_asked() -> None:
    """Chromium knows nothing of the request any more, once the next document is there."""
    chromium, firewall = await a_page()
    chromium.answers("/p/1", kind="Document")
    chromium.answers("/api/0")
    await asyncio.sleep(0)
    chromium.forgets("/api/0")
    chromium.shows("/p/1")
    chromium.answers("/api/1")
    await everything_done(firewall)
    assert heard(firewall) == ["/api/1"]


async def test_an_answer_is_of_the_document_that_was_there_when_it_came() -> None:
    """Though the next one is there before anybody has looked at it."""
    chromium, firewall = await a_page()
    chromium.answers("/api/0")
    chromium.shows("/p/1")
    await everything_done(firewall)
    assert heard(firewall) == []


@pytest.mark.parametrize("status", [None, 302])
async def test_an_answer_to_the_document_before_is_let_go_at_once(status: int | None) -> None:
    """Held until the next document has come, it would keep one of the few connections to the shop busy."""
    chromium, firewall = await a_page()
    if status is not None:
        chromium.answers("/moved", status, kind="Document")
    chromium.answers("/api/0")
    await everything_done(firewall)
    assert (chromium.read, chromium.done[-1]) == ([], "/api/0")


async def test_a_document_that_never_comes_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was a download, or had no content."""
    monkeypatch.setattr(page_news, "_COMING_TIMEOUT_S", 0.01)
    chromium, firewall = await a_page()
    chromium.answers("/file", 204, kind="Document")
    chromium.answers("/api/0")
    await everything_done(firewall)
    assert (heard(firewall), chromium.done[-1]) == ([], "/api/0")


async def test_the_next_use_waits_for_no_document_of_the_last() -> None:
    """What was held goes on, and is not heard."""
    chromium, firewall = await a_page()
    chromium.answers("/file", 204, kind="Document")
    chromium.answers("/api/0")
    await asyncio.sleep(0)
    firewall.reset()
    await everything_done(firewall)
    chromium.shows("/p/1")
    assert (heard(firewall), chromium.done[-1]) == ([], "/api/0")


async def test_a_move_of_the_document_before_is_not_the_visits_own() -> None:
    """Even where the visit knows that its document has come before Chromium says so here."""
    chromium, firewall = await a_page()
    chromium.answers("/p/0b", kind="Document")
    chromium.shows("/p/0b")
    chromium.answers("/api/0")
    await everything_done(firewall)
    chromium.answers("/p/1", kind="Document")
    firewall.news.arrived()
    chromium.shows("/p/1")
    assert heard(firewall) == []
    chromium.answers("/api/1")
    await everything_done(firewall)
    chromium.shows("/p/1b")
    assert heard(firewall) == ["/api/1"]


async def test_an_answer_that_the_page_gave_up_is_told() -> None:
    """It cannot be read any more."""
    chromium, firewall = await a_page()
    chromium.answers("/p/1", kind="Document")
    chromium.shows("/p/1")
    chromium.answers("/api/1")
    chromium.forgets("/api/1")
    await everything_done(firewall)
    assert heard(firewall) == ["/api/1 the page did not wait for it"]


async def test_a_dialog_that_overtakes_its_document_is_kept() -> None:
    """It names the document's address; one of the document before names another."""
    chromium, firewall = await a_page()
    chromium.answers("/p/1", kind="Document")
    chromium.opens_dialog("old", "/p/0")
    chromium.opens_dialog("No longer sold", "/p/1#top")
    chromium.shows("/p/1")
    await asyncio.sleep(0)
    assert firewall.news.dialogs == ("No longer sold",)
