"""What a page's news keeps, of which document it is, and how the page gets what was taken from it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from playwright.async_api import Error as PlaywrightError

from pagemill.browser import page_news
from pagemill.browser.page_news import PageNews
from pagemill.config.platform import Platform
from pagemill.config.reading.url_pattern import UrlPattern

JSON_TYPE = ("content-type", "application/json")


class StandInSession:
    """Chromium's side: events are sent to who listens, and bodies are given as they were told."""

    def __init__(self) -> None:
        self.heard: dict[str, Callable[[dict[str, Any]], None]] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.body: bytes = b"{}"
        self.endless = False
        self.gone = False

    def on(self, event: str, hears: Callable[[dict[str, Any]], None]) -> None:
        self.heard[event] = hears

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self.sent.append((method, params or {}))
        if self.gone:
            raise PlaywrightError("Session closed")
        if method == "Fetch.takeResponseBodyAsStream":
            return {"stream": "1"}
        if method == "IO.read":
            piece, self.body = self.body[: params["size"]], self.body[params["size"] :]  # type: ignore[index]
            if self.endless:
                piece = b"x" * 1_000_000
            return {"data": base64.b64encode(piece).decode(), "base64Encoded": True, "eof": not (piece or self.endless)}
        return {}

    def methods(self) -> list[str]:
        return [method for method, _ in self.sent]


def paused(url: str, status: int = 200, *headers: tuple[str, str], kind: str = "XHR", posted: str = "") -> Any:
    """An answer that Chromium has paused."""
    return {
        "requestId": "r",
        "request": {"url": url, "postData": posted},
        "responseStatusCode": status,
        "responseHeaders": [{"name": name, "value": value} for name, value in (headers or (JSON_TYPE,))],
        "resourceType": kind,
    }


async def listening(pattern: str = "/api/*") -> tuple[PageNews, StandInSession]:
    news, session = PageNews([UrlPattern(pattern)]), StandInSession()
    await news.listen(cast(Any, session))
    return news, session


async def hear(news: PageNews, event: Any) -> dict[str, Any] | None:
    """As the firewall has it heard."""
    asker = news.asker_of(event, is_document=event["resourceType"] == "Document")
    return None if asker is None else await news.hear(event, asker)


def navigate(session: StandInSession, **frame: str) -> None:
    session.heard["Page.frameNavigated"]({"frame": frame})


async def test_what_is_meant_is_heard_whole_and_given_to_the_page() -> None:
    """Piece by piece where its length is not known; the page gets the same, without what no longer fits."""
    news, session = await listening()
    navigate(session)
    session.body = json.dumps({"name": "x" * 2_000_000}).encode()
    event = paused(
        "https://a.com/api/1", 200, JSON_TYPE, ("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), posted="p"
    )
    given = await hear(news, event)
    [answer] = news.answers
    assert (answer.url, answer.status, answer.posted, answer.problem) == ("https://a.com/api/1", 200, "p", "")
    assert answer.body is not None
    assert json.loads(answer.body)["name"].startswith("xx")
    assert given is not None
    assert base64.b64decode(given["body"]) == answer.body
    assert [header["name"] for header in given["responseHeaders"]] == ["content-type", "Set-Cookie"]


async def test_the_length_that_it_says_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent in chunks, or over HTTP/2, it may be any other one."""
    monkeypatch.setattr(page_news, "MAX_BODY_BYTES", 1_000_000)
    news, session = await listening()
    navigate(session)
    session.body = b"x" * 1_000_001
    assert await hear(news, paused("https://a.com/api/1", 200, JSON_TYPE, ("content-length", "2"))) == {"fail": True}
    assert [(answer.body, "longer than" in answer.problem) for answer in news.answers] == [(None, True)]
    assert "Fetch.getResponseBody" not in session.methods()


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (paused("https://a.com/api/1", 200, ("content-type", "image/png")), "it is image/png"),
        (paused("https://a.com/api/1", 200, JSON_TYPE, ("content-length", "9999999")), "longer than 4000000 bytes"),
        (paused("https://a.com/api/1", 302, ("location", "/x")), "HTTP 302"),
    ],
)
async def test_what_is_not_taken_is_told(event: Any, problem: str) -> None:
    """And goes on to the page as it is."""
    news, session = await listening()
    navigate(session)
    assert await hear(news, event) is None
    [answer] = news.answers
    assert answer.body is None
    assert problem in answer.problem
    assert not [method for method in session.methods() if method.startswith("Fetch.")]


async def test_an_endless_answer_is_ended() -> None:
    """It fills no memory; the page is told that it failed."""
    news, session = await listening()
    session.endless = True
    navigate(session)
    assert await hear(news, paused("https://a.com/api/1")) == {"fail": True}
    assert "longer than" in news.answers[0].problem
    assert "IO.close" in session.methods()


async def test_many_answers_are_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in size."""
    monkeypatch.setattr(page_news, "_MAX_KEPT_BYTES", 100)
    news, session = await listening()
    navigate(session)
    for _ in range(60):
        session.body = b"x" * 40
        await hear(news, paused("https://a.com/api/1"))
    assert (len(news.answers), news.dropped) == (50, 10)
    assert [answer.body is not None for answer in news.answers[:4]] == [True, True, False, False]
    taken = session.methods().count("Fetch.takeResponseBodyAsStream")
    await hear(news, paused("https://a.com/api/1"))
    assert session.methods().count("Fetch.takeResponseBodyAsStream") == taken  # nobody would read it
    news.reset()
    assert (len(news.answers), news.dropped) == (0, 0)


async def test_bodies_that_are_being_read_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many a page asks for at once; what was refused makes room for others."""
    monkeypatch.setattr(page_news, "_MAX_KEPT_BYTES", 100)
    news, session = await listening()
    navigate(session)
    pieces = {"a": b"x" * 60, "b": b"x" * 60, "c": b"x" * 40}
    read = asyncio.Event()

    async def send(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        params = params or {}
        if method == "Fetch.takeResponseBodyAsStream":
            return {"stream": params["requestId"]}
        if method != "IO.read":
            return {}
        piece = pieces.pop(params["handle"], b"")
        if not piece:
            await read.wait()
        return {"data": base64.b64encode(piece).decode(), "base64Encoded": True, "eof": not piece}

    session.send = send  # type: ignore[method-assign]
    events = [{**paused(f"https://a.com/api/{name}"), "requestId": name} for name in "abc"]
    hearing = [asyncio.create_task(hear(news, event)) for event in events]
    await asyncio.sleep(0.01)
    assert [answer.url for answer in news.answers] == ["https://a.com/api/b"]
    read.set()
    await asyncio.gather(*hearing)
    assert {answer.url[-1]: answer.body is not None for answer in news.answers} == {"a": True, "b": False, "c": True}


async def test_an_answer_of_an_endless_address_is_not_meant() -> None:
    """A page can give one any length, and fifty are kept."""
    news, session = await listening("**")
    navigate(session)
    assert news.asker_of(paused("https://a.com/" + "x" * 7_900), is_document=False) is not None
    assert news.asker_of(paused("https://a.com/" + "x" * 8_000), is_document=False) is None


@pytest.mark.parametrize(
    ("kind", "encoded"),
    [
        ("application/json", "컵".encode()),
        ("application/json; charset=euc-kr", "컵".encode("euc-kr")),
        ("application/json; charset=iso-8859-1", "컵".encode()),
    ],
)
async def test_an_answer_is_heard_in_utf8(kind: str, encoded: bytes) -> None:
    """Whatever it was sent in; what is UTF-8 is believed to be, whatever its header says, as browsers do."""
    news, session = await listening()
    navigate(session)
    session.body = encoded
    await hear(news, paused("https://a.com/api/1", 200, ("content-type", kind), ("content-length", "9")))
    assert news.answers[0].body == "컵".encode()


async def test_an_answer_to_the_document_before_is_not_heard() -> None:
    """It may still be fetching when the next product's page begins; frames within a page begin nothing."""
    news, session = await listening()
    await hear(news, paused("https://a.com/api/old"))
    assert list(news.answers) == []
    navigate(session)
    news.arrived()
    await hear(news, paused("https://a.com/api/new"))
    navigate(session, parentId="x")
    assert [answer.url for answer in news.answers] == ["https://a.com/api/new"]


async def test_answers_stay_where_the_visits_own_document_moves_on() -> None:
    """A page that leads to another one by itself has asked for its product."""
    news, session = await listening()
    navigate(session)
    news.arrived()
    await hear(news, paused("https://a.com/api/1"))
    navigate(session)
    assert [answer.url for answer in news.answers] == ["https://a.com/api/1"]


async def test_a_body_that_comes_late_belongs_to_the_document_that_asked() -> None:
    """Another one may be there by then."""
    news, session = await listening()
    navigate(session)
    late = asyncio.Event()

    async def send(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        if method == "IO.read":
            await late.wait()
        return {"stream": "1", "data": "e30=", "base64Encoded": True, "eof": True}

    session.send = send  # type: ignore[method-assign]
    hearing = asyncio.create_task(hear(news, paused("https://a.com/api/old", 200, JSON_TYPE, ("content-length", "2"))))
    await asyncio.sleep(0)
    news.reset()
    navigate(session)
    late.set()
    await hearing
    assert list(news.answers) == []


async def test_a_document_is_heard_before_it_is_there() -> None:
    """An address may answer with JSON alone."""
    news, session = await listening()
    await hear(news, paused("https://a.com/api/1", kind="Document"))
    assert list(news.answers) == []
    navigate(session)
    assert [answer.url for answer in news.answers] == ["https://a.com/api/1"]


async def test_dialogs_are_kept_and_closed_at_once() -> None:
    """Up to ten, each of them bounded."""
    news, session = await listening()
    navigate(session)
    for number in range(12):
        session.heard["Page.javascriptDialogOpening"]({"type": "alert", "message": f"{number}" * 2_000})
    await asyncio.sleep(0)
    assert len(news.dialogs) == 10
    assert {len(message) for message in news.dialogs} == {1_000}
    assert session.sent.count(("Page.handleJavaScriptDialog", {"accept": False})) == 12
    session.gone = True
    session.heard["Page.javascriptDialogOpening"]({"type": "confirm", "message": "x"})
    await asyncio.sleep(0)
    news.reset()
    assert news.dialogs == ()


async def test_what_the_document_before_says_is_not_said_of_this_product() -> None:
    """An alert that came late, or the question whether one may leave, which is answered with yes."""
    news, session = await listening()
    session.heard["Page.javascriptDialogOpening"]({"type": "alert", "message": "No longer sold"})
    navigate(session)
    session.heard["Page.javascriptDialogOpening"]({"type": "beforeunload", "message": "No longer sold"})
    await asyncio.sleep(0)
    assert news.dialogs == ()
    assert [params["accept"] for method, params in session.sent if method.endswith("Dialog")] == [False, True]


async def test_who_waits_is_told_of_everything_new() -> None:
    """Answers, dialogs, documents."""
    news, session = await listening()
    tells: list[Callable[[], None]] = [
        lambda: navigate(session),
        lambda: session.heard["Page.javascriptDialogOpening"]({"type": "alert", "message": "x"}),
    ]
    for tell in tells:
        waiting = asyncio.create_task(news.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        tell()
        await asyncio.wait_for(waiting, 1)
    waiting = asyncio.create_task(news.wait())
    await asyncio.sleep(0)
    await hear(news, paused("https://a.com/api/1"))
    await asyncio.wait_for(waiting, 1)


async def test_a_page_of_which_nothing_is_wanted_is_not_paused_and_its_dialogs_do_not_wait() -> None:
    """Whoever hears of a page's documents has to close its dialogs."""
    news, session = PageNews(), StandInSession()
    await news.listen(cast(Any, session))
    assert (session.sent, news.fetch_patterns()) == ([("Page.enable", {})], [])
    session.heard["Page.javascriptDialogOpening"]({"type": "alert", "message": "x"})
    await asyncio.sleep(0)
    assert session.sent[1:] == [("Page.handleJavaScriptDialog", {"accept": False})]


async def test_a_platform_says_what_is_heard() -> None:
    """The addresses of its sources, each as a pattern of Chromium's own."""
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["a.com"],
            "extract": {
                "sources": [
                    {"strategy": "api_capture", "match": "/api/{id}/**", "fields": {"a": "a"}},
                    {"strategy": "api_capture", "match": "re:/v\\d/", "fields": {"b": "b"}},
                ]
            },
        }
    )
    news = PageNews.of(platform)
    session = StandInSession()
    await news.listen(cast(Any, session))
    navigate(session)
    asked = ("https://any.com/api/7/x", "https://any.com/v3/x", "https://any.com/other")
    askers = [news.asker_of(paused(url), is_document=False) for url in asked]
    assert [asker is not None for asker in askers] == [True, True, False]
    assert news.fetch_patterns() == [
        {"urlPattern": "*://*/api/*/*", "requestStage": "Response"},
        {"urlPattern": "*", "requestStage": "Response", "resourceType": "XHR"},
        {"urlPattern": "*", "requestStage": "Response", "resourceType": "Fetch"},
    ]
